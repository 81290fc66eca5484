"""How near a hit's answer is to the judged one: when playing starts, and whether the marked sentences overlap it.

Looked at are the first ten hits of a question that hold the start of a judged answer. Judged are the spans of the
questions' file and, for questions as managers ask them, what assessors who did not see ours named in 284 useful hits: the
sentence where a listener should start to play, and the one to three sentences that answer best (`managers.moments`:
`question episode start first-last`, words counted as in `managers.qrels`). Two assessors of 80 hits named the same start
in 89 %, and sentences that overlap in 96 %.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, median

from index.chunk import LEAD
from index.query import Hit, Query
from index.text.timing import word_times
from ingest.library import Library
from ingest.models import Transcript
from ingest.sentences import word_spans
from ingest.transcripts.document import text_body
from tests.benchmarks.corpus import Corpus
from tests.benchmarks.evaluation import DEPTH
from tests.benchmarks.graded import FOLDER
from tests.benchmarks.questions import Judged, tokens

NEAR = 5.0  # seconds of other talk that a listener bears before the answer

Times = list[tuple[float, float] | None]
Span = tuple[float, float]  # start and end, seconds
Place = tuple[str, float, Span]  # an episode, where to start to play (seconds), and the span of what answers


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds from where playing starts to the judged answer, and whether the marked sentences overlap it."""

    wait: float
    overlaps: bool


class TimedTokens:
    """The tokens of transcripts as the judges count them, names of speakers included, and when each is spoken."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._read: dict[str, tuple[list[str], Times]] = {}

    def of(self, episode: str) -> tuple[list[str], Times]:
        """Tokens and times; None for the name of a speaker."""
        if episode not in self._read:
            self._read[episode] = _timed(self._library.read(self._library.find(episode).name))
        return self._read[episode]

    def spans(self, episode: str, text: str) -> list[Span]:
        """When a text is said, wherever it is."""
        said, (whole, times) = tokens(text), self.of(episode)
        starts = [i for i in range(len(whole) - len(said) + 1) if whole[i : i + len(said)] == said]
        return [_span(times[i : i + len(said)]) for i in starts]


def _timed(transcript: Transcript) -> tuple[list[str], Times]:
    words = [
        text[begin:end]
        for turn in transcript.turns
        for text in (" ".join(part.split()) for part in turn.text.split("\n\n"))
        for begin, end in word_spans(text)
    ]
    spoken = [
        (token, span)
        for word, span in zip(words, word_times(words, transcript.segments), strict=True)
        for token in tokens(word)
    ]
    whole: list[str] = []
    times: Times = []
    place = 0
    for part in map(tokens, text_body(transcript.turns).split("\n\n")):
        said = spoken[place : place + len(part)]
        is_said = part == [token for token, _ in said]
        whole += part
        times += [span for _, span in said] if is_said else [None] * len(part)
        place += len(said) if is_said else 0
    return whole, times


def _span(times: Times) -> Span:
    known = [span for span in times if span]
    return known[0][0], known[-1][1]


def of_judged(given: Corpus, questions: Iterable[Judged]) -> list[Moment]:
    """The moments of questions with spans of words."""
    timed = TimedTokens(given.library)
    asked = [
        (
            one.question,
            [(place.episode, span[0], span) for place in one.places for span in timed.spans(place.episode, place.span)],
        )
        for one in questions
    ]
    return _moments(given, asked)


def of_managers(given: Corpus, questions: Iterable[tuple[str, str]]) -> list[Moment]:
    """The moments of questions, given as id and text, whose answers `managers.moments` lists."""
    timed, places = TimedTokens(given.library), dict[str, list[Place]]()
    for line in (FOLDER / "managers.moments").read_text().splitlines():
        question, episode, start, answer = line.split()
        first, last = map(int, answer.split("-"))
        times = timed.of(episode)[1]
        begins = _span(times[int(start) : last + 1])[0]
        places.setdefault(question, []).append((episode, begins, _span(times[first : last + 1])))
    return _moments(given, [(text, places.get(name, [])) for name, text in questions])


def _moments(given: Corpus, asked: Iterable[tuple[str, list[Place]]]) -> list[Moment]:
    return [
        _moment(hit, held)
        for question, places in asked
        if places
        for hit in given.searcher.search(Query(question, DEPTH)).hits
        if (held := [one for one in places if one[0] in {hit.episode_id, hit.key} and _holds(hit, one[1])])
    ]


def _holds(hit: Hit, start: float) -> bool:
    passage = hit.passage
    return passage.start is not None and passage.end is not None and passage.start <= start < passage.end


def _moment(hit: Hit, places: list[Place]) -> Moment:
    assert hit.answer.start is not None
    assert hit.answer.end is not None
    begin, end = hit.answer.start, hit.answer.end
    waits = [start - max(0.0, begin - LEAD) for _, start, _ in places]
    return Moment(
        min(waits, key=lambda wait: max(-wait, wait - NEAR, 0.0)),
        any(first < end and begin < last for _, _, (first, last) in places),
    )


def figures(moments: list[Moment]) -> dict[str, float]:
    """The share of moments from which the answer is at most `NEAR` away, that overlap it, and the median wait (seconds)."""
    return {
        "hits": len(moments),
        "near": fmean(0 <= one.wait <= NEAR for one in moments),
        "overlap": fmean(one.overlaps for one in moments),
        "wait": median(one.wait for one in moments),
    }
