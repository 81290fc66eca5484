"""A passage by its permanent name: what is said there now, whether that has changed since, and how to cite it."""

from dataclasses import dataclass

from index.hits import PASSAGES
from index.query import Excerpt, Provenance
from index.references import Reference, State, refer, resolve
from index.spoken import Spoken, spoken
from ingest.identity import slug
from ingest.links import moment, playing, web_address
from ingest.models import Transcript
from ingest.times import iso
from search_api.citations import Citation, Source, cite, cited_address

VERSION_DIGITS = 12  # of a transcript's SHA-256
LEAD = 2.0  # seconds by which playing starts before the first word, as in hits


@dataclass(frozen=True, slots=True)
class PassageDocument:
    """One passage. `state` is `same`, `moved` (the same words elsewhere in the transcript) or `changed` since it was named.

    Where it is changed these are the words that stand at its place now; `current_id` names what is shown. `text` has no
    names of speakers, `turns` have. `before` and `after` are the sentences around it.
    """

    id: str
    state: State
    current_id: str
    address: str
    podcast: str
    podcast_title: str
    key: str
    episode_id: str
    title: str
    published: str | None
    text: str
    speaker: str
    start: float | None
    end: float | None
    turns: tuple[Excerpt, ...]
    before: tuple[Excerpt, ...]
    after: tuple[Excerpt, ...]
    link: str
    audio_url: str
    play_url: str
    approximate: bool
    provenance: Provenance
    transcript_version: str
    audio_sha256: str
    citation: Citation


def passage_document(
    reference: Reference, transcript: Transcript, version: str, podcast_title: str, context: int
) -> PassageDocument:
    """The passage that a name means in this transcript, whose content has the SHA-256 `version`, with sentences around it.

    Raises `PassageNotFoundError` where the transcript has no words.
    """
    words = spoken(transcript)
    place = resolve(reference, words)
    current = refer(reference.key, words, place.first, place.last)
    said = words.excerpt(place.first, place.last)
    first, last = words.around(place.first, place.last, context)
    episode, provenance = transcript.episode, transcript.provenance
    start = None if said.start is None else max(0.0, said.start - LEAD)
    return PassageDocument(
        id=str(reference), state=place.state, current_id=str(current), address=f"{PASSAGES}/{current}",
        podcast=slug(episode.podcast), podcast_title=podcast_title, key=episode.key, episode_id=episode.guid,
        title=episode.title, published=iso(episode.published_at),
        text=said.text, speaker=said.speaker, start=said.start, end=said.end,
        turns=words.by_turns(place.first, place.last),
        before=words.by_turns(first, place.first), after=words.by_turns(place.last, last),
        link=moment(episode.link, start), audio_url=web_address(episode.audio_url),
        play_url=playing(episode.audio_url, start, said.end),
        approximate=is_approximate(transcript), provenance=provenance_of(transcript),
        transcript_version=version[:VERSION_DIGITS], audio_sha256=str(provenance.get("audio_sha256") or ""),
        citation=cite(source_of(transcript, words, (place.first, place.last), version, podcast_title)),
    )  # fmt: skip


def source_of(
    transcript: Transcript, words: Spoken, place: tuple[int, int], version: str, podcast_title: str
) -> Source:
    """What a citation says of the words from the first to before the last of `place`."""
    episode, said = transcript.episode, words.excerpt(*place)
    return Source(
        quote=said.text,
        speaker=" and ".join(dict.fromkeys(turn.speaker for turn in words.by_turns(*place) if turn.speaker)),
        title=episode.title,
        podcast=podcast_title,
        published=episode.published_at,
        start=said.start,
        approximate=is_approximate(transcript),
        address=cited_address(episode.link, episode.audio_url, said.start),
        passage=str(refer(episode.key, words, *place)),
        transcriber=transcriber(provenance_of(transcript)),
        version=version[:VERSION_DIGITS],
        audio_sha256=str(transcript.provenance.get("audio_sha256") or ""),
    )


def transcriber(provenance: Provenance) -> str:
    """Who wrote the transcript down, in words."""
    if provenance.source == "publisher":
        return "by the publisher"
    return f"by a machine ({provenance.model})" if provenance.model else "imported"


def is_approximate(transcript: Transcript) -> bool:
    """Whether its times may be off, since adverts were put in at download."""
    return transcript.provenance.get("times") == "approximate"


def provenance_of(transcript: Transcript) -> Provenance:
    """Where a transcript's words come from, in short; a model's directory by its name alone."""
    source, model, flag = (str(transcript.provenance.get(name) or "") for name in ("source", "model", "flag"))
    return Provenance(source, model.replace("\\", "/").rstrip("/").rpartition("/")[2], flag)
