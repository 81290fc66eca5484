"""The one list of a query's options, and the shape of every answer."""

import re
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from hashlib import sha256
from typing import Literal, get_args

from ingest.errors import CursorError, LanguageError, QueryError
from ingest.identity import slug
from ingest.languages import primary_language
from ingest.times import in_utc

Mode = Literal["hybrid", "vector", "text"]
GroupBy = Literal["episode"]

MAX_QUERY = 1_000  # characters; a model reads no more than about that of it
MAX_LIMIT = 100
MAX_CONTEXT = 10  # sentences; what needs more reads the transcript
DEFAULT_LIMIT = 10
_NOT_WHICH = {"limit", "cursor", "context", "explain"}  # they change nothing of which hits there are, and their order
HALF_PAIR = re.compile("[\ud800-\udfff]")  # what Python makes of bytes that are no UTF-8; no library takes it


@dataclass(frozen=True, slots=True)
class Query:
    """A question and its options, each checked when made.

    `podcast` is a name or a slug, or several, `episode` a key, `speaker` a name or words of it, `language` a language
    of transcripts (`de`, `German`); `since` and `until` are dates or moments, both included; `adverts` ranks adverts, and what is read out in many episodes, like anything else. `group_by` gives one
    hit an episode, with further ones in its `more`. `min_score` leaves out lower hits; `cursor` is an answer's, for the
    hits after it. `context` brings so many sentences before and after each passage, `explain` what took how long. In `text`
    and `hybrid` what stands in double quotes is a phrase: hits have its words in a row. Raises `QueryError`.
    """

    text: str
    limit: int = DEFAULT_LIMIT
    mode: Mode = "hybrid"
    podcast: str | tuple[str, ...] = ""
    speaker: str = ""
    since: date | None = None
    until: date | None = None
    adverts: bool = False
    group_by: GroupBy | None = None
    language: str = ""
    episode: str = ""
    min_score: float | None = None
    cursor: str = ""
    context: int = 0
    explain: bool = False

    def __post_init__(self) -> None:
        if not any(character.isalnum() for character in self.text):
            raise QueryError("", "the question is empty; ask with at least one word")
        if HALF_PAIR.search("\n".join((self.text, self.speaker, self.language, self.episode, *self.podcasts))):
            raise QueryError("", "the question or an option is not UTF-8; send it in that encoding")
        if len(self.text) > MAX_QUERY:
            raise QueryError("", f"the question has {len(self.text):,} characters; ask with at most {MAX_QUERY:,}")
        if not 1 <= self.limit <= MAX_LIMIT:
            raise QueryError("", f"the limit is {self.limit}; it must be 1 to {MAX_LIMIT}")
        if not 0 <= self.context <= MAX_CONTEXT:
            raise QueryError("", f"the context is {self.context} sentences; it must be 0 to {MAX_CONTEXT}")
        if self.mode not in get_args(Mode):
            raise QueryError("", f"there is no mode {self.mode!r}; choose hybrid, vector or text")
        if self.language.strip() and not self.language_code:
            raise LanguageError(
                "", f"there is no language {self.language[:40]!r}; give a code or a name, as de or German"
            )
        if self.group_by not in {None, *get_args(GroupBy)}:
            raise QueryError("", f"hits cannot be grouped by {self.group_by!r}; only by episode")

    @property
    def offset(self) -> int:
        """How many hits come before the first that is asked for. Raises `CursorError` for the cursor of another query."""
        place = self.cursor.partition("-")[0]
        is_number = place.isascii() and place.isdecimal() and len(place) < 6
        if self.cursor and not (is_number and self.cursor == self.cursor_at(int(place), self.cursor_version)):
            raise CursorError("", "the cursor is of another question or other options; begin without it")
        return int(place or 0)

    @property
    def cursor_version(self) -> str:
        """The version of the index that the cursor is for; empty without one."""
        return self.cursor.rpartition(".")[2]

    def cursor_at(self, offset: int, version: str) -> str:
        """The cursor for the hits after the first `offset` ones; good for this question and index version alone."""
        plain = replace(self, podcast=self.podcasts)  # `""` and `()` are the same
        options = [(one.name, getattr(plain, one.name)) for one in fields(self) if one.name not in _NOT_WHICH]
        question = sha256(repr(options).encode("utf-8", "backslashreplace")).hexdigest()[:12]
        return f"{offset}-{question}.{version}"

    @property
    def words(self) -> str:
        """The question with single spaces."""
        return " ".join(self.text.split())

    @property
    def language_code(self) -> str:
        """The language's primary subtag; empty for all."""
        return primary_language(self.language) if self.language.strip() else ""

    @property
    def podcasts(self) -> tuple[str, ...]:
        """The podcasts' names as they were given; empty for all."""
        given = (self.podcast,) if isinstance(self.podcast, str) else self.podcast
        return tuple(name for name in given if name.strip())

    @property
    def podcast_slugs(self) -> tuple[str, ...]:
        """The podcasts' slugs; empty for all."""
        return tuple(map(slug, self.podcasts))

    @property
    def published_from(self) -> datetime | None:
        """The first moment at which an episode may be published, in UTC."""
        return _beginning(self.since)

    @property
    def published_before(self) -> datetime | None:
        """The moment before which an episode must be published: the end of a plain date, or just after a moment."""
        try:
            last = self.until
            after = datetime.resolution if isinstance(last, datetime) else timedelta(days=1)
            return _beginning(None if last is None else last + after)
        except OverflowError:  # the end of the calendar's last day restricts nothing
            return None


def _beginning(day: date | None) -> datetime | None:
    """The moment at which a date begins, in UTC."""
    if day is None:
        return None
    return in_utc(day if isinstance(day, datetime) else datetime.combine(day, time_of_day()))


@dataclass(frozen=True, slots=True)
class Scores:
    """Parts of a hit's score, None where not asked for: `vector`, a cosine, and `text` (0 to 1, see `index.scoring`).

    The cosine is on the scale of the default model, whatever the model is (see `index.calibration`). `rerank` is the score of a re-ranking model, where one is set; hits are ordered by it.
    """

    vector: float | None
    text: float | None
    rerank: float | None = None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some sentences of a transcript and who says them; `start` and `end` in seconds, None where unknown.

    Where the speaker changes, each turn is a paragraph that opens with a name and a colon, and `speaker` is the first.
    """

    text: str
    speaker: str
    start: float | None
    end: float | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the words come from: `source` is publisher, model or import, `model` which one; `flag` why not to trust them."""

    source: str
    model: str
    flag: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One passage and, inside it, the `answer`: one to three sentences by one speaker. `play_url` plays from there.

    `id` names the passage for good, whatever becomes of the index (see `index.references`), `address` is where the server
    shows it. `podcast` is the slug, `podcast_title` the name. `turns` are the passage by speakers, `before` and `after`
    the sentences around it, where they were asked for.

    `link`, `audio_url` and `play_url` are web addresses or empty; `link` names the moment where it is a video of YouTube's
    or a file that plays.

    `highlights` are begin and end of the query's words in the passage's text, in characters. `advert`: most of it is a
    sponsor's message, or read aloud in many episodes. `approximate` says that times may be off, since the audio's
    length differs from the feed's (adverts put in at download). Where hits are grouped by episode, `moments` counts
    what was found in this one and `more` are the best of them after this. `language` is the transcript's (`en`), empty
    where it is not known.
    """

    id: str
    address: str
    rank: int
    score: float
    scores: Scores
    podcast: str
    podcast_title: str
    episode_id: str
    key: str
    title: str
    published: str | None
    passage: Excerpt
    answer: Excerpt
    highlights: tuple[tuple[int, int], ...]
    link: str
    audio_url: str
    play_url: str
    approximate: bool
    advert: bool
    provenance: Provenance
    turns: tuple[Excerpt, ...] = ()
    before: tuple[Excerpt, ...] = ()
    after: tuple[Excerpt, ...] = ()
    language: str = ""
    moments: int = 1
    more: "tuple[Hit, ...]" = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many episodes are `indexed`, how many of them the filters leave (`searched`), and how many could not be.

    `pending` and `failed` have no transcript yet; they are those of the podcasts asked for.
    """

    indexed: int
    searched: int
    pending: int
    failed: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a search did: the milliseconds of each stage, and how many chunks were candidates."""

    stages_ms: dict[str, float]
    candidates: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits, best first; `weak` when even the best may not answer the question.

    `suggestion` is the question with typing errors corrected, which was searched for instead; empty where there are none.
    `notes` say in plain words what a person should know of this answer. `cursor` is for the hits after these, empty where
    there are none. `index_version` is the same wherever the same transcripts are indexed in the same way.
    """

    query: str
    mode: Mode
    took_ms: float
    index_version: str
    embedding_model: str
    hits: tuple[Hit, ...]
    coverage: Coverage
    weak: bool = False
    suggestion: str = ""
    notes: tuple[str, ...] = ()
    cursor: str = ""
    explanation: Explanation | None = None
