"""Ranks the passages of candidate chunks: every run of whole sentences is scored at once, and repeats are dropped; pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from index import scoring
from index.calibration import DEFAULT_SCALE, CosineScale
from index.chunk_arrays import BoolArray, ChunkArrays, FloatArray, IntArray, bounds_of, weighted_mean

MAX_OVERLAP = 0.6  # of the shorter passage's words; a lower limit would hide the rest of short episodes
MAX_EQUAL = 0.5  # of the shorter passage's sentences, wherever they stand
REPEATED_EPISODES, REPEATED_WORDS = 3, 6  # a sentence of six words in three episodes is read aloud: trailer, advert
ANSWER_SENTENCES, ANSWER_WORDS = 3, 60  # at most; one sentence may be longer
# Passages of an episode that lose nothing, and what each further one loses, in cosine units. On judged questions ten hits
# come from 6.7 episodes (5.8 without), and nDCG@5 is .510 (.520); a loss from the second passage on costs .04.
FROM_ONE_EPISODE, EPISODE_PENALTY = 3, 0.05
SHORTLIST = 400  # passages among which repeats are looked for


@dataclass(frozen=True, slots=True)
class PassageQuery:
    """Terms, each any of some hashed forms, with a weight each, the query's vector, and which parts of the score count.

    Without a vector the lexical score alone counts; `lexical=False` leaves that out. `adverts` ranks adverts like
    anything else. With `speaks` only passages with one of these sentences are ranked, and such a sentence answers; with
    `allowed` only these passages.
    """

    terms: Sequence[Sequence[int]]
    weights: Sequence[float]
    mean_length: float  # of a passage, in terms
    vector: FloatArray | None
    scale: CosineScale = DEFAULT_SCALE  # of the vector's model
    lexical: bool = True
    lexical_weight: float = scoring.LEXICAL_WEIGHT  # beside the vector; less where the words say little
    adverts: bool = False
    speaks: BoolArray | None = None
    allowed: BoolArray | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences `begin` to `end` of the chunk number `chunk`; those from `answer_begin` to `answer_end` answer the query.

    `cosine` (calibrated) and `lexical` are the parts of the score, None where not asked for.
    """

    chunk: int
    begin: int
    end: int
    answer_begin: int
    answer_end: int
    score: float
    cosine: float | None
    lexical: float | None
    advert: bool


@dataclass(frozen=True, slots=True)
class _Scored:
    """The scores of all passages, and how likely an answer begins with each sentence."""

    score: FloatArray
    cosine: FloatArray | None
    lexical: FloatArray
    advert: BoolArray
    answer: FloatArray


def rank_passages(arrays: ChunkArrays, query: PassageQuery, limit: int) -> list[Passage]:
    """The best passages, best first; one that overlaps a better one, or repeats its sentences, is left out.

    No sentence is in the answers of two. The first passages are the same for every limit.
    """
    scored = _scored(arrays, query)
    order = np.argsort(-scored.score, kind="stable")[:SHORTLIST]
    order = order[np.isfinite(scored.score[order])]
    moments = _moments(arrays, scored, order)
    return [_passage(arrays, query, scored, *one) for one in _spread(moments, scored.score, arrays, limit)]


def _moments(arrays: ChunkArrays, scored: _Scored, order: IntArray) -> Iterator[tuple[int, int, range]]:
    """The passages of this order that show something new: number, chunk, and the sentences that answer."""
    taken = set[int]()
    for i, chunk in _distinct(arrays, order):
        if answer := _answer(arrays, scored, i, taken):
            taken.update(arrays.signature[answer.start : answer.stop].tolist())
            yield i, chunk, answer


def _spread(
    moments: Iterable[tuple[int, int, range]], scores: FloatArray, arrays: ChunkArrays, limit: int
) -> list[tuple[tuple[int, int, range], float]]:
    """The best moments by their score less what further passages of an episode lose; they come in the order of the score.

    None is looked at after one whose whole score is no better than what `limit` others have left of theirs.
    """
    shown = Counter[int]()
    lowered: list[tuple[tuple[int, int, range], float]] = []
    best: list[float] = []  # a heap of the `limit` best scores left
    for moment in moments:
        score, episode = float(scores[moment[0]]), int(arrays.episode[moment[1]])
        if len(best) == limit and score <= best[0]:
            break
        left = score - EPISODE_PENALTY * max(0, shown[episode] + 1 - FROM_ONE_EPISODE)
        shown[episode] += 1
        lowered.append((moment, left))
        heappush(best, left)
        if len(best) > limit:
            heappop(best)
    return sorted(lowered, key=lambda one: -one[1])[:limit]


def _answer(arrays: ChunkArrays, scored: _Scored, i: int, taken: set[int]) -> range:
    """The sentences of a passage that answer: the likeliest start, and what its speaker goes on to say.

    Empty where the start is taken: then a better passage shows this moment.
    """
    sentences = range(int(arrays.begin[i]), int(arrays.end[i]))
    first = sentences.start + int(np.argmax(scored.answer[sentences.start : sentences.stop]))
    if int(arrays.signature[first]) in taken:
        return range(0)
    end, words = first + 1, int(arrays.words[first])
    while end < min(sentences.stop, first + ANSWER_SENTENCES) and arrays.speaker[end] == arrays.speaker[first]:
        words += int(arrays.words[end])
        if words > ANSWER_WORDS or int(arrays.signature[end]) in taken:
            break
        end += 1
    return range(first, end)


def _scored(arrays: ChunkArrays, query: PassageQuery) -> _Scored:
    in_sentence, lexical = scoring.lexical_scores(arrays, query.terms, query.weights, query.mean_length)
    near, cosine = (None, None) if query.vector is None else scoring.cosines(arrays, query.vector, query.scale)
    is_advert = arrays.advert | _repeated(arrays)
    advert = weighted_mean(is_advert, arrays.words, arrays.begin, arrays.end) > 0.5
    if cosine is None:
        score = lexical if query.lexical else np.zeros(len(lexical))
    else:
        score = cosine - scoring.SPEAKER_WEIGHT * (1 - arrays.passage_prominence)
        score = score - scoring.THOUGHT_WEIGHT * ~arrays.opens[arrays.begin]
        if query.lexical:
            score = score + query.lexical_weight * lexical**scoring.LEXICAL_EXPONENT
    if not query.adverts:
        partly = weighted_mean(arrays.advert, arrays.words, arrays.begin, arrays.end) > 0  # another has the talk alone
        score = score - scoring.ADVERT_PENALTY * np.abs(score) * (advert | partly)  # a score below zero falls, too
    relevant = lexical > 0 if cosine is None else np.ones(len(score), bool)
    answer = scoring.answer_scores(arrays, in_sentence, near)
    if query.allowed is not None:
        relevant &= query.allowed
    if query.speaks is not None:
        relevant &= weighted_mean(query.speaks, arrays.words, arrays.begin, arrays.end) > 0
        answer = np.where(query.speaks, answer, -np.inf)
    return _Scored(np.where(relevant, score, -np.inf), cosine, lexical, advert, answer)


def _passage(
    arrays: ChunkArrays, query: PassageQuery, scored: _Scored, place: tuple[int, int, range], score: float
) -> Passage:
    i, chunk, answer = place
    base, begin, end = (int(n) for n in (arrays.sentence_bounds[chunk], arrays.begin[i], arrays.end[i]))
    return Passage(
        chunk=chunk,
        begin=begin - base,
        end=end - base,
        answer_begin=answer.start - base,
        answer_end=answer.stop - base,
        score=score,
        cosine=None if scored.cosine is None else float(scored.cosine[i]),
        lexical=float(scored.lexical[i]) if query.lexical else None,
        advert=bool(scored.advert[i]),
    )


def _repeated(arrays: ChunkArrays) -> BoolArray:
    """Which sentences stand in several episodes word for word: trailers, adverts, greetings."""
    long = arrays.words >= REPEATED_WORDS
    ordered = np.sort(arrays.signature[long])
    last = ordered[REPEATED_EPISODES - 1 :]
    often = last[last == ordered[: 1 - REPEATED_EPISODES]]  # in one episode or several
    if not len(often):
        return np.zeros(len(arrays.words), bool)
    sentence = np.flatnonzero(long & np.isin(arrays.signature, often))
    episode = np.repeat(arrays.episode, np.diff(arrays.sentence_bounds))[sentence]
    pairs = np.unique((arrays.signature[sentence] << 24) + episode)
    signatures, episodes = np.unique(pairs >> 24, return_counts=True)
    return np.isin(arrays.signature, signatures[episodes >= REPEATED_EPISODES])


def _distinct(arrays: ChunkArrays, order: IntArray) -> Iterator[tuple[int, int]]:
    """The passages of this order that repeat no earlier one, each with its chunk."""
    spans: dict[int, list[tuple[int, int]]] = defaultdict(list)  # of words, by episode
    sizes: list[int] = []  # sentences of the passages given
    having: dict[int, list[int]] = defaultdict(list)  # which of them have a sentence
    for i, chunk, episode, first, last, begin, end in _places(arrays, order):
        near = [span for span in spans[episode] if first < span[1] and span[0] < last]
        if near and any(_overlap(first, last, *span) > MAX_OVERLAP for span in near):
            continue
        sentences = set(arrays.signature[begin:end].tolist())
        shared = Counter(number for sentence in sentences for number in having.get(sentence, ()))
        if any(n > MAX_EQUAL * min(len(sentences), sizes[number]) for number, n in shared.items()):
            continue
        spans[episode].append((first, last))
        for sentence in sentences:
            having[sentence].append(len(sizes))
        sizes.append(len(sentences))
        yield i, chunk


def _places(arrays: ChunkArrays, order: IntArray) -> Iterator[tuple[int, ...]]:
    """For each passage: its number, chunk, episode, first and last word in the episode, first and last sentence."""
    words = bounds_of(arrays.words)
    chunk = np.searchsorted(arrays.passage_bounds, order, "right") - 1
    begin, end = arrays.begin[order], arrays.end[order]
    before = arrays.first_word[chunk] - words[arrays.sentence_bounds[chunk]]
    columns = (order, chunk, arrays.episode[chunk], words[begin] + before, words[end] + before, begin, end)
    return zip(*(column.tolist() for column in columns), strict=True)


def _overlap(first: int, last: int, low: int, high: int) -> float:
    """What two spans share, as a part of the shorter."""
    return (min(last, high) - max(first, low)) / max(1, min(last - first, high - low))
