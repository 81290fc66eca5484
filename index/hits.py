"""Builds hits from ranked passages: their words by speakers, their names, and what stands around them; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise, takewhile
from typing import Any

from index.chunk_arrays import ChunkArrays
from index.passages import Passage
from index.query import Excerpt, Hit, Provenance, Scores
from index.references import Reference, digest, parse_reference
from index.sentence_span import SentenceSpan
from index.store.sentences import StoredSentence
from ingest.links import moment, playing, web_address
from ingest.sentences import join_sentences

PASSAGES = "/v1/passages"  # where the server shows them


def build_hits(
    passages: Sequence[Passage], arrays: ChunkArrays, rows: Sequence[dict[str, Any]], titles: Mapping[str, str]
) -> list[Hit]:
    """Hits of passages in their order; `rows` are the facts of their chunks, `titles` the names of podcasts by slug."""
    return [_hit(rank, *one, arrays, titles) for rank, one in enumerate(zip(passages, rows, strict=True), 1)]


def with_context(hit: Hit, sentences: Mapping[str, Sequence[StoredSentence]], count: int) -> Hit:
    """The hit, and those folded into it, with `count` sentences before and after; `sentences` are by the episode's key.

    A sponsor's message is no context of what is said: none of it is given, nor what lies beyond it.
    """
    place = parse_reference(hit.id)
    known = sentences.get(hit.key, ())
    earlier = [one for one in reversed(known) if one.last <= place.first]
    later = [one for one in known if one.first >= place.first + place.count]
    sides = (list(takewhile(lambda one: hit.advert or not one.advert, side))[:count] for side in (earlier, later))
    before, after = next(sides)[::-1], next(sides)
    more = tuple(with_context(one, sentences, count) for one in hit.more)
    return replace(hit, before=_turns(before), after=_turns(after), more=more)


def places_of(hits: Iterable[Hit]) -> dict[str, list[tuple[int, int]]]:
    """Where hits, and those folded into them, stand: words, first to before last, by the episode's key."""
    places: dict[str, list[tuple[int, int]]] = {}
    for hit in (one for each in hits for one in (each, *each.more)):
        place = parse_reference(hit.id)
        places.setdefault(hit.key, []).append((place.first, place.first + place.count))
    return places


def _turns(sentences: Iterable[StoredSentence]) -> tuple[Excerpt, ...]:
    runs = [list(run) for _, run in groupby(sentences, key=lambda one: one.speaker)]
    return tuple(
        Excerpt(join_sentences([one.text for one in run]), run[0].speaker, run[0].start, run[-1].end) for run in runs
    )


def _excerpt(row: dict[str, Any], spans: Sequence[SentenceSpan], text: str) -> Excerpt:
    names = [*row["speakers"], ""]  # nobody is number -1
    return Excerpt(text, names[spans[0].speaker], spans[0].start, spans[-1].stop)


def _joined(text: str, spans: Sequence[SentenceSpan]) -> str:
    """The sentences with what stands between them, without labels."""
    gaps = ["", *(text[before.end : after.begin] for before, after in pairwise(spans))]
    return "".join(
        (gap if len(gap) <= 1 else "\n\n") + text[span.begin : span.end] for gap, span in zip(gaps, spans, strict=True)
    )


def _spoken(row: dict[str, Any], spans: Sequence[SentenceSpan]) -> Excerpt:
    return _excerpt(row, spans, _joined(row["text"], spans))


def _hit(rank: int, passage: Passage, row: dict[str, Any], arrays: ChunkArrays, titles: Mapping[str, str]) -> Hit:
    base = int(arrays.sentence_bounds[passage.chunk])
    begin, end = base + passage.begin, base + passage.end
    spans = arrays.sentences.spans(begin, end)
    answer = spans[passage.answer_begin - passage.begin : passage.answer_end - passage.begin]
    whole = _excerpt(row, spans, row["text"][spans[0].begin : spans[-1].end])
    label = f"{whole.speaker}: " if whole.speaker else ""
    first = int(arrays.first_word[passage.chunk] + arrays.words[base:begin].sum())
    words = int(arrays.words[begin:end].sum())
    name = str(Reference(row["key"], first, words, digest(_joined(row["text"], spans))))
    return Hit(
        id=name,
        address=f"{PASSAGES}/{name}",
        rank=rank,
        score=round(passage.score, 4),
        scores=Scores(rounded(passage.cosine), rounded(passage.lexical)),
        podcast=row["podcast"],
        podcast_title=titles.get(row["podcast"]) or row["podcast_title"],
        episode_id=row["guid"],
        key=row["key"],
        title=row["title"],
        published=row["published"],
        passage=replace(whole, text=label + whole.text),
        answer=_spoken(row, answer),
        highlights=(),
        link=moment(row["link"], answer[0].lead),
        audio_url=web_address(row["audio_url"]),
        play_url=playing(row["audio_url"], answer[0].lead, whole.end),
        approximate=row["approximate"],
        advert=passage.advert,
        provenance=Provenance(row["source"], row["model"], row["flag"]),
        turns=tuple(_spoken(row, list(run)) for _, run in groupby(spans, key=lambda span: span.speaker)),
        language=row["language"],
    )


def rounded(value: float | None) -> float | None:
    """Four decimals; None for None."""
    return None if value is None else round(value, 4)
