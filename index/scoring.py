"""What sentences and passages score, and the constants of the score; pure.

The score of a passage, in units of the default model's cosine (see `index.calibration`):

    half the cosine of its windows' mean, half that of its best window, + lexical weight * lexical ^ LEXICAL_EXPONENT
    - SPEAKER_WEIGHT * (1 - prominence) - THOUGHT_WEIGHT where it begins within a thought
    - ADVERT_PENALTY of all this for an advert

The weights were chosen on one half of 136 questions typed as managers type them, over 110 episodes, with 3,460 passages
graded blind; on the other half nDCG@5 is .47 against .37 for LanceDB's own hybrid search
(`python -m tests.benchmarks quality`). All weights lie on a plateau.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from index.calibration import CosineScale
from index.chunk_arrays import ChunkArrays, FloatArray, IntArray

K1, B = 1.2, 0.75  # Robertson and Walker's usual values; others gained nothing
# A lexical score below 0.3 adds next to nothing, and the vectors decide; above 0.6 the words do. Rank fusion cannot tell
# the two apart: on judged questions it was worse than BM25 alone.
LEXICAL_WEIGHT, LEXICAL_EXPONENT = 4.0, 3
# The sum of a query's idf from which its words have their full weight, in units of the idf of a word that no passage has:
# `what makes X actually useful` has 0.1 without X, most questions have 1 to 4. Words that everybody says prove nothing.
FULL_INFORMATION = 2.0
COMMON_CHUNKS = 10  # in a small library no term is common
# The evidence of one hit at least, where a question is answered: 1 of 20 answerable questions has less. In it words count a
# quarter of what they count in the score: they put the right passage first, but prove less that there is one (AUC on the
# half for choosing .89 with the default model, .91 with mpnet; by the score itself .87 and .88).
ANSWERED = 0.47
BEST_WINDOW_SHARE = 0.5  # of the cosine
THOUGHT_WEIGHT = 0.03  # cosine units, lost by a passage that begins within a thought
# What makes a sentence the start of an answer, in units of a cosine: its words, who says it, and a logarithm of its length
# (from 40 words on the same). Chosen on 180 questions with a place that answers.
ANSWER_WORDS, ANSWER_SPEAKER, ANSWER_LENGTH, LONG_SENTENCE = 1.25, 0.3, 0.1, 40
HANDED_ON = 0.25
QUESTION_PENALTY = 10  # more than anything else gives: a question begins an answer only where there is nothing else
SPEAKER_WEIGHT = 0.3  # cosine units
ADVERT_PENALTY = 0.5


@dataclass(frozen=True, slots=True)
class TermFrequencies:
    """Collection statistics of BM25: how many passages, their length together (terms), and how many contain each term."""

    passages: int
    length: int
    containing: Mapping[str, int]

    @property
    def mean_length(self) -> float:
        """Terms of a passage."""
        return self.length / max(1, self.passages)

    def idf(self, term: str) -> float:
        """Inverse document frequency as in Lucene; ln(N + 1) for a term that no passage contains."""
        n = self.containing.get(term, 0)
        if n <= 0:
            return math.log(self.passages + 1)
        return math.log(1 + max(0.0, self.passages - n + 0.5) / (n + 0.5))

    def is_common(self, term: str) -> bool:
        """Whether a term says little: it is in more than a third of the chunks, and in more than a handful."""
        return self.containing.get(term, 0) > max(COMMON_CHUNKS, self.passages // 3)

    def lexical_weight(self, terms: Sequence[str]) -> float:
        """What the words of a query with these terms count beside its vector."""
        information = sum(map(self.idf, terms)) / math.log(self.passages + 2)
        return LEXICAL_WEIGHT * min(1.0, information / FULL_INFORMATION)


def document_frequencies(texts: Iterable[str]) -> Counter[str]:
    """In how many texts each term occurs; a text is its terms with spaces between."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(set(text.split()))
    return found


def lexical_scores(
    arrays: ChunkArrays, terms: Sequence[Sequence[int]], weights: Sequence[float], mean_length: float
) -> tuple[FloatArray, FloatArray]:
    """How much of the query's information each sentence, and each passage with its title, contains: 0 to 1.

    A sentence scores the weights of the terms in it over those of all terms; a passage its BM25 over the most that any
    could have, (k1 + 1) times the weights.
    """
    begin, end, passages = arrays.begin, arrays.end, np.diff(arrays.passage_bounds)
    bounds = np.concatenate([arrays.term_bounds, arrays.term_bounds[-1] + arrays.title_bounds[1:]])
    before = _counts_before(np.concatenate([arrays.terms, arrays.title_terms]), bounds, terms)
    sentences = len(arrays.words)
    in_sentences, in_titles = before[:, : sentences + 1], np.diff(before[:, sentences:])
    times = in_sentences[:, end] - in_sentences[:, begin] + np.repeat(in_titles, passages, axis=1)
    length = arrays.term_bounds[end] - arrays.term_bounds[begin] + np.repeat(np.diff(arrays.title_bounds), passages)
    norm = (K1 * (1 - B + B * length / max(1.0, mean_length))).astype(np.float32)
    column = np.array(weights, np.float32)[:, None]
    ideal = sum(weights) or 1.0
    passage = (column * times / (times + norm)).sum(0) / ideal
    return (column * (np.diff(in_sentences) > 0)).sum(0) / ideal, passage


def _counts_before(terms: IntArray, bounds: IntArray, wanted: Sequence[Sequence[int]]) -> FloatArray:
    """How often any form of each wanted term stands before each bound, [wanted, bounds]."""
    counts = np.zeros((len(wanted), len(bounds)), np.float32)
    for row, term in zip(counts, wanted, strict=True):
        beyond = np.searchsorted(
            bounds, np.flatnonzero(np.logical_or.reduce([terms == form for form in term])), side="right"
        )
        row[:] = np.cumsum(np.bincount(beyond, minlength=len(bounds)))[: len(bounds)]
    return counts


def cosines(arrays: ChunkArrays, vector: FloatArray, scale: CosineScale) -> tuple[FloatArray, FloatArray]:
    """The cosine of each sentence's window, and of each passage: half its windows' mean, half its best window.

    Both are calibrated, so that the weights of the score hold for any model.
    """
    # einsum, not BLAS: its threads spin while they wait, 20 ms of another core for every query
    window = np.einsum("ij,j->i", arrays.vectors.astype(np.float32), vector) * arrays.scales
    total = np.concatenate([[0.0], np.cumsum(window, dtype=np.float64)])
    mean = (total[arrays.window_end] - total[arrays.window_begin]) / arrays.norm
    edges = np.stack([arrays.window_begin, arrays.window_end], 1).ravel()
    best = np.maximum.reduceat(np.append(window, -1.0), edges)[::2]
    passage = (1 - BEST_WINDOW_SHARE) * mean + BEST_WINDOW_SHARE * best
    return scale.calibrated(window[arrays.window]), scale.calibrated(passage)


def evidence(cosine: float | None, lexical: float | None) -> float:
    """How much a passage tells that its question is answered, in units of a cosine."""
    return (cosine or 0.0) + float((lexical or 0.0) ** LEXICAL_EXPONENT)


def answer_scores(arrays: ChunkArrays, lexical: FloatArray, cosine: FloatArray | None) -> FloatArray:
    """How likely an answer begins with each sentence, by its lexical score and the cosine of its window, if there is one.

    A question that somebody else asks begins none, but hands a part of its words on to what follows.
    """
    asked = np.append(0.0, (lexical * arrays.asks)[:-1])
    asked[arrays.sentence_bounds[:-1]] = 0  # another chunk's
    length = np.log(np.clip(arrays.words, 1, LONG_SENTENCE))
    words = ANSWER_WORDS * (lexical + HANDED_ON * asked)
    score = words + ANSWER_SPEAKER * arrays.prominence + ANSWER_LENGTH * length - QUESTION_PENALTY * arrays.asks
    return (score if cosine is None else score + cosine).astype(np.float32)
