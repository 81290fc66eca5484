"""Which stretches of the chunks found answer best: every run of whole sentences is scored at once; pure.

The score of a passage, in units of a cosine:

    half the cosine of its windows' mean, half that of its best window, + 6 share^3 (see `rank.TRUST`)
    - 0.2 for what is not said by the episode's main voice; half of that for an advert

On 180 judged questions sliding passages and their windows' mean found more than fixed chunks (MRR@10 +.05), and the voice
another .02; all weights are flat around these.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

from index import rank
from index.chunk import PASSAGE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Real = NDArray[np.float32]

BEST_WINDOW = 0.5  # share of the best window in the vectors' part
VOICE = 0.2  # cosine units
ADVERT = 0.5  # of its score is lost
SAME = 0.6  # passages that share more than this of the shorter one's words are one moment; less would lose the rest of short episodes
COPIED = 0.5  # and so are those whose sentences are mostly the same, wherever they stand
REPEATED, SPOKEN = 3, 6  # a sentence of six words or more in three episodes is read out, not said
RUNS = 8  # windows that a passage may touch: two in a row are longer than `WINDOW`
LOOKED_AT = 400  # best passages among which the moments are chosen


@dataclass(frozen=True, slots=True)
class Found:
    """The chunks that may answer, as flat arrays over all of them.

    `episode` and `first` (word of the episode) are one a chunk. `words`, `pieces`, `voice`, `advert`, `signature` and
    `speaker` (a hashed name) are one a sentence; `sentences` [chunks + 1] says which belong to which chunk. `stems` are the hashed terms, `spread` [n + 1]
    which belong to which sentence; `lead` those of a chunk's title, `leads` [chunks + 1] likewise. `windows` are the
    sentences' numbers where windows begin, and the end of the last; `within` [chunks + 1] says which belong to which
    chunk. Their vectors are `vectors` int8 [windows, dimension] times `scales` [windows] (see `small`), and `norms`
    [windows, RUNS] the lengths of the sums of one, two, ... of them from each on.
    """

    episode: "Whole"
    first: "Whole"
    sentences: "Whole"
    words: "Whole"
    pieces: "Whole"
    voice: "Real"
    advert: "NDArray[np.bool_]"
    signature: "Whole"
    speaker: "Whole"
    stems: "Whole"
    spread: "Whole"
    lead: "Whole"
    leads: "Whole"
    windows: "Whole"
    within: "Whole"
    vectors: "NDArray[np.int8]"
    scales: "Real"
    norms: "Real"

    def take(self, rows: "Whole") -> "Found":
        """Some of the chunks."""
        said, sentences = _parts(self.sentences, rows)
        stems, spread = _pieces(self.stems, self.spread[self.sentences], rows), _bounds(self.spread, said)
        led, leads = _parts(self.leads, rows)
        inner, within = _parts(self.within, rows)
        one = {name: getattr(self, name)[said] for name in _OF_SENTENCES}
        return Found(
            episode=self.episode[rows], first=self.first[rows], sentences=sentences, stems=stems,
            spread=spread, lead=self.lead[led], leads=leads, windows=_bounds(self.windows, inner),
            within=within, vectors=_pieces(self.vectors, self.within, rows), scales=self.scales[inner], norms=self.norms[inner], **one,
        )  # fmt: skip


_OF_SENTENCES = ("words", "pieces", "voice", "advert", "signature", "speaker")


def _parts(bounds: "Whole", rows: "Whole") -> "tuple[Whole, Whole]":
    """The places that lie within these rows of the bounds, and the bounds of those places."""
    import numpy as np

    ends = _bounds(bounds, rows)
    return np.arange(ends[-1]) + np.repeat(bounds[rows] - ends[:-1], np.diff(ends)), ends


def _bounds(bounds: "Whole", rows: "Whole") -> "Whole":
    """The bounds of these rows, put one after the other."""
    import numpy as np

    return np.concatenate([[0], np.cumsum(bounds[rows + 1] - bounds[rows])])


def _pieces(values: Any, bounds: "Whole", rows: "Whole") -> Any:
    """What lies within these rows of the bounds; copied row by row, which for long rows is faster than place by place."""
    import numpy as np

    edges = zip(bounds[rows].tolist(), bounds[rows + 1].tolist(), strict=True)
    return np.concatenate([values[:0], *(values[begin:end] for begin, end in edges)])


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences `begin` to `end` of the chunk number `chunk`; `nearest` is the sentence closest to the question.

    `cosine` is the vectors' part of the score and `share` the words' part, None where not asked for.
    """

    chunk: int
    begin: int
    end: int
    nearest: int
    score: float
    cosine: float | None
    share: float | None
    advert: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: hashed terms with the weight of each, the vector (None to go by words alone), whether words count."""

    terms: Sequence[int]
    weights: Sequence[float]
    mean_length: float  # of a passage, in terms
    vector: "Real | None"
    by_words: bool = True
    adverts: bool = False  # rank them like anything else
    speaker: int | None = None  # hashed: only passages where this one speaks


def hashed(term: str) -> int:
    """A term as a number of 32 bits: two of a language's words share one less than once in a thousand libraries."""
    return crc32(term.encode()) - (1 << 31)


def moments(found: Found, question: Question, limit: int) -> list[Passage]:
    """The best passages, best first.

    What overlaps a better one, or says the same in other places, is left out.
    """
    import numpy as np

    if not len(found.words):
        return []
    begin, end, chunk = _slides(found)
    heard, share = _shares(found, question, begin, end, chunk)
    near, cosine = _cosines(found, question, begin, end)
    voice = _mean(found.voice, found.words, begin, end)
    sold = _mean(found.advert | _read_out(found, chunk_of(found)), found.words, begin, end) > 0.5
    score = np.zeros(len(begin)) if cosine is None else cosine - VOICE * (1 - voice)
    if question.by_words:
        score = score + (share if cosine is None else rank.TRUST * share**rank.POWER)
    if not question.adverts:
        score = score - ADVERT * np.abs(score) * sold  # one below zero falls, too
    allowed = np.ones(len(found.words)) if question.speaker is None else found.speaker == question.speaker
    relevant = (_mean(allowed, found.words, begin, end) > 0) & ((share > 0) | (cosine is not None))
    score = np.where(relevant, score, -np.inf)
    order = np.argsort(-score, kind="stable")[:LOOKED_AT]
    order = order[np.isfinite(score[order])]
    closeness = heard if near is None else heard + near
    closeness = closeness * (0.25 + 0.75 * found.voice)
    closeness = np.where(allowed, closeness, -np.inf)
    chosen = _apart(found, ((int(chunk[i]), int(begin[i]), int(end[i])) for i in order), limit)
    picked = []
    for n, (where, low, high) in chosen:
        i, base = order[n], int(found.sentences[where])
        picked.append(
            Passage(
                where, low - base, high - base, int(low + np.argmax(closeness[low:high])) - base, float(score[i]),
                None if cosine is None else float(cosine[i]), float(share[i]) if question.by_words else None, bool(sold[i]),
            )
        )  # fmt: skip
    return picked


def chunk_of(found: Found) -> "Whole":
    """The chunk of each sentence."""
    import numpy as np

    return np.repeat(np.arange(len(found.first)), np.diff(found.sentences))


def _slides(found: Found) -> "tuple[Whole, Whole, Whole]":
    """Begin, end and chunk of every passage that is as long as `PASSAGE` allows and part of no other."""
    import numpy as np

    place = np.concatenate([[0], np.cumsum(found.pieces)])
    begin, chunk = np.arange(len(found.pieces)), chunk_of(found)
    end = np.searchsorted(place, place[:-1] + PASSAGE, side="right") - 1
    end = np.maximum(np.minimum(end, found.sentences[chunk + 1]), begin + 1)
    longest = np.append(True, (end[1:] > end[:-1]) | (chunk[1:] != chunk[:-1]))
    return begin[longest], end[longest], chunk[longest]


def _mean(values: Any, weights: "Whole", begin: "Whole", end: "Whole") -> "Real":
    import numpy as np

    total = np.concatenate([[0.0], np.cumsum(values * weights)])
    weight = np.concatenate([[0.0], np.cumsum(weights)])
    mean: Real = (total[end] - total[begin]) / np.maximum(weight[end] - weight[begin], 1)
    return mean


def _shares(found: Found, question: Question, begin: "Whole", end: "Whole", chunk: "Whole") -> "tuple[Real, Real]":
    """The share of the question's information that each sentence has, and by BM25 that each passage has with its title.

    A passage's is its BM25 over the most any could have: (k1 + 1) times the weights of the question's terms.
    """
    import numpy as np

    said = _times(found.stems, found.spread, question.terms)
    times = said[:, end] - said[:, begin] + np.diff(_times(found.lead, found.leads, question.terms))[:, chunk]
    length = found.spread[end] - found.spread[begin] + np.diff(found.leads)[chunk]
    norm = rank.K1 * (1 - rank.B + rank.B * length / max(1.0, question.mean_length))
    weights = np.array(question.weights, np.float32)[:, None]
    gained = (weights * times / (times + norm.astype(np.float32))).sum(0)
    heard = (weights * (np.diff(said) > 0)).sum(0)
    ideal = sum(question.weights) or 1.0
    return heard / ideal, gained / ideal


def _times(stems: "Whole", bounds: "Whole", terms: Sequence[int]) -> "NDArray[np.int32]":
    """How often each term stands before each bound, [terms, bounds]."""
    import numpy as np

    times = np.zeros((len(terms), len(bounds)), np.int32)
    for own, term in zip(times, terms, strict=True):
        beyond = np.searchsorted(bounds, np.flatnonzero(stems == term), side="right")
        own[:] = np.cumsum(np.bincount(beyond, minlength=len(bounds)))[: len(bounds)]
    return times


def _cosines(found: Found, question: Question, begin: "Whole", end: "Whole") -> "tuple[Real, Real] | tuple[None, None]":
    """The cosine of each sentence's window, and of each passage: half its windows' mean, half its best window."""
    import numpy as np

    if question.vector is None:
        return None, None
    # not by BLAS, whose threads wait for more by spinning: 20 ms of another core for every question
    near = np.einsum("ij,j->i", found.vectors.astype(np.float32), question.vector) * found.scales
    place = np.concatenate([[0], np.cumsum(found.pieces)])
    middles = (place[found.windows[:-1]] + place[found.windows[1:]]) / 2
    own = np.repeat(np.arange(len(near)), np.diff(found.windows))  # the window of each sentence
    low, high = np.searchsorted(middles, place[begin]), np.searchsorted(middles, place[end])
    low = np.where(high > low, low, own[begin])
    high = np.minimum(np.maximum(high, low + 1), low + RUNS)
    total = np.concatenate([[0.0], np.cumsum(near, dtype=np.float64)])
    mean = (total[high] - total[low]) / np.maximum(found.norms[low, high - low - 1], 1e-9)
    best = np.maximum.reduceat(np.append(near, -1.0), np.stack([low, high], 1).ravel())[::2]
    return near[own], (1 - BEST_WINDOW) * mean + BEST_WINDOW * best


def small(vectors: "Real") -> "tuple[NDArray[np.int8], Real]":
    """Vectors [windows, dimension] at 8 bits each, and what to multiply them with; cosines keep four digits."""
    import numpy as np

    scales = np.maximum(np.abs(vectors).max(1, initial=0), 1e-9).astype(np.float32) / 127
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales


def norms(vectors: "Real") -> "Real":
    """The lengths of the sums of 1 to `RUNS` vectors from each on, [windows, RUNS]; as far as there are any."""
    import numpy as np

    sums = np.concatenate([np.zeros((1, vectors.shape[1]), np.float32), np.cumsum(vectors, 0)])
    starts = np.arange(len(vectors))
    ends = np.minimum(starts[:, None] + np.arange(1, RUNS + 1), len(vectors))
    lengths: Real = np.linalg.norm(sums[ends] - sums[starts][:, None], axis=2)
    return lengths


def _read_out(found: Found, chunk: "Whole") -> "NDArray[np.bool_]":
    """Which sentences stand in several episodes word for word: trailers, adverts, greetings."""
    import numpy as np

    often = np.sort(found.signature[found.words >= SPOKEN])
    often = often[REPEATED - 1 :][
        often[REPEATED - 1 :] == often[: 1 - REPEATED]
    ]  # also in one episode, or in chunks that overlap
    if not len(often):
        return np.zeros(len(found.words), bool)
    spoken = np.flatnonzero((found.words >= SPOKEN) & np.isin(found.signature, often))
    pairs = np.unique((found.signature[spoken] << 24) + found.episode[chunk[spoken]])
    signatures, episodes = np.unique(pairs >> 24, return_counts=True)
    return np.isin(found.signature, signatures[episodes >= REPEATED])


def _apart(
    found: Found, spans: Iterable[tuple[int, int, int]], limit: int
) -> Iterator[tuple[int, tuple[int, int, int]]]:
    """The first `limit` spans that are not the same moment as an earlier one, with their places."""
    import numpy as np

    counted = np.concatenate([[0], np.cumsum(found.words)])
    kept: list[tuple[int, int, int, frozenset[int]]] = []
    for n, (chunk, begin, end) in enumerate(spans):
        if len(kept) == limit:
            return
        episode, offset = int(found.episode[chunk]), int(found.first[chunk] - counted[found.sentences[chunk]])
        first, last = int(counted[begin]) + offset, int(counted[end]) + offset
        if any(episode == its and _overlap(first, last, low, high) > SAME for its, low, high, _ in kept):
            continue
        said = frozenset(found.signature[begin:end].tolist())
        if any(len(said & quoted) > COPIED * min(len(said), len(quoted)) for _, _, _, quoted in kept):
            continue
        kept.append((episode, first, last, said))
        yield n, (chunk, begin, end)


def _overlap(first: int, last: int, low: int, high: int) -> float:
    """What two stretches share, as a part of the shorter."""
    return (min(last, high) - max(first, low)) / max(1, min(last - first, high - low))
