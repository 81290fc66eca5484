"""Which stretches of the chunks found answer best: every run of whole sentences is scored at once; pure.

The score of a passage, in units of a cosine:

    half the cosine of its windows' mean, half that of its best window, + 6 share^3 (see `rank.TRUST`)
    - 0.2 for what is not said by the episode's main voice; half of that for an advert

On 180 judged questions sliding passages and their windows' mean found more than fixed chunks (MRR@10 +.05), and the voice
another .02; all weights are flat around these.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index import scoring as rank
from index.chunk_arrays import Found, mean

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
LOOKED_AT = 400  # best passages among which the moments are chosen


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


def moments(found: Found, question: Question, limit: int) -> list[Passage]:
    """The best passages, best first.

    What overlaps a better one, or says the same in other places, is left out.
    """
    import numpy as np

    if not len(found.words):
        return []
    heard, share = _shares(found, question)
    near, cosine = _cosines(found, question)
    sold = mean(found.advert | _read_out(found), found.words, found.begin, found.end) > 0.5
    score = np.zeros(len(share)) if cosine is None else cosine - VOICE * (1 - found.main)
    if question.by_words:
        score = score + (share if cosine is None else rank.TRUST * share**rank.POWER)
    if not question.adverts:
        score = score - ADVERT * np.abs(score) * sold  # one below zero falls, too
    relevant = share > 0 if cosine is None else np.ones(len(score), bool)
    if question.speaker is not None:
        speaks = found.speaker == question.speaker
        relevant &= mean(speaks, found.words, found.begin, found.end) > 0
    score = np.where(relevant, score, -np.inf)
    order = np.argsort(-score, kind="stable")[:LOOKED_AT]
    order = order[np.isfinite(score[order])]
    closeness = heard if near is None else heard + near
    closeness = closeness * (0.25 + 0.75 * found.voice)
    closeness = closeness if question.speaker is None else np.where(speaks, closeness, -np.inf)
    picked = []
    for i, where in _apart(found, order, limit):
        base, low, high = int(found.sentences[where]), int(found.begin[i]), int(found.end[i])
        picked.append(
            Passage(
                where, low - base, high - base, int(low + np.argmax(closeness[low:high])) - base, float(score[i]),
                None if cosine is None else float(cosine[i]), float(share[i]) if question.by_words else None, bool(sold[i]),
            )
        )  # fmt: skip
    return picked


def _shares(found: Found, question: Question) -> "tuple[Real, Real]":
    """The share of the question's information that each sentence has, and by BM25 that each passage has with its title.

    A passage's is its BM25 over the most any could have: (k1 + 1) times the weights of the question's terms.
    """
    import numpy as np

    begin, end, of = found.begin, found.end, np.diff(found.passages)
    stems, sentences = np.concatenate([found.stems, found.lead]), len(found.words)
    before = _times(stems, np.concatenate([found.spread, found.spread[-1] + found.leads[1:]]), question.terms)
    said, titled = before[:, : sentences + 1], np.diff(before[:, sentences:])
    times = said[:, end] - said[:, begin] + np.repeat(titled, of, axis=1)
    length = found.spread[end] - found.spread[begin] + np.repeat(np.diff(found.leads), of)
    norm = rank.K1 * (1 - rank.B + rank.B * length / max(1.0, question.mean_length))
    weights = np.array(question.weights, np.float32)[:, None]
    gained = (weights * times / (times + norm.astype(np.float32))).sum(0)
    heard = (weights * (np.diff(said) > 0)).sum(0)
    ideal = sum(question.weights) or 1.0
    return heard / ideal, gained / ideal


def _times(stems: "Whole", bounds: "Whole", terms: Sequence[int]) -> "Real":
    """How often each term stands before each bound, [terms, bounds]."""
    import numpy as np

    times = np.zeros((len(terms), len(bounds)), np.float32)
    for own, term in zip(times, terms, strict=True):
        beyond = np.searchsorted(bounds, np.flatnonzero(stems == term), side="right")
        own[:] = np.cumsum(np.bincount(beyond, minlength=len(bounds)))[: len(bounds)]
    return times


def _cosines(found: Found, question: Question) -> "tuple[Real, Real] | tuple[None, None]":
    """The cosine of each sentence's window, and of each passage: half its windows' mean, half its best window."""
    import numpy as np

    if question.vector is None:
        return None, None
    # not by BLAS, whose threads wait for more by spinning: 20 ms of another core for every question
    near = np.einsum("ij,j->i", found.vectors.astype(np.float32), question.vector) * found.scales
    total = np.concatenate([[0.0], np.cumsum(near, dtype=np.float64)])
    middle = (total[found.high] - total[found.low]) / found.length
    best = np.maximum.reduceat(np.append(near, -1.0), np.stack([found.low, found.high], 1).ravel())[::2]
    return near[found.window], (1 - BEST_WINDOW) * middle + BEST_WINDOW * best


def _read_out(found: Found) -> "NDArray[np.bool_]":
    """Which sentences stand in several episodes word for word: trailers, adverts, greetings."""
    import numpy as np

    said = np.sort(found.signature[found.words >= SPOKEN])
    often = said[REPEATED - 1 :][said[REPEATED - 1 :] == said[: 1 - REPEATED]]  # in one episode or several
    if not len(often):
        return np.zeros(len(found.words), bool)
    spoken = np.flatnonzero((found.words >= SPOKEN) & np.isin(found.signature, often))
    episode = np.repeat(found.episode, np.diff(found.sentences))[spoken]
    pairs = np.unique((found.signature[spoken] << 24) + episode)
    signatures, episodes = np.unique(pairs >> 24, return_counts=True)
    return np.isin(found.signature, signatures[episodes >= REPEATED])


def _apart(found: Found, order: "Whole", limit: int) -> Iterator[tuple[int, int]]:
    """The first `limit` passages of this order that are not the same moment as an earlier one, each with its chunk."""
    import numpy as np

    counted = np.concatenate([[0], np.cumsum(found.words)])
    chunk = np.searchsorted(found.passages, order, "right") - 1
    begin, end, before = found.begin[order], found.end[order], found.first[chunk] - counted[found.sentences[chunk]]
    spans = (order, chunk, found.episode[chunk], counted[begin] + before, counted[end] + before, begin, end)
    heard: dict[int, list[tuple[int, int]]] = defaultdict(list)  # stretches of each episode
    quoted: list[frozenset[int]] = []
    for i, where, episode, first, last, low, high in zip(*(span.tolist() for span in spans), strict=True):
        if len(quoted) == limit:
            return
        if any(_overlap(first, last, *other) > SAME for other in heard[episode]):
            continue
        said = frozenset(found.signature[low:high].tolist())
        if any(len(said & other) > COPIED * min(len(said), len(other)) for other in quoted):
            continue
        heard[episode].append((first, last))
        quoted.append(said)
        yield i, where


def _overlap(first: int, last: int, low: int, high: int) -> float:
    """What two stretches share, as a part of the shorter."""
    return (min(last, high) - max(first, low)) / max(1, min(last - first, high - low))
