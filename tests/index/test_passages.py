"""What a passage scores is computed a second time here, slowly and one by one, as the module's docstring says it."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import scoring as rank
from index.chunk import PASSAGE
from index.chunk_arrays import arranged, hashed, norms, small
from index.passages import Question, moments

DIMENSION = 4
EIGHT_BITS = 1e-2  # what a cosine in so few dimensions loses at most


@dataclass(frozen=True)
class Said:
    """A sentence; its words are its stems unless told otherwise."""

    text: str
    pieces: int = 10
    voice: float = 1.0
    advert: bool = False
    speaker: str = "ann"
    words: int = 0

    @property
    def stems(self):
        return self.text.split()

    @property
    def length(self):
        return self.words or len(self.stems)


@dataclass(frozen=True)
class Part:
    """A chunk; `vectors` are those of windows of `sizes` sentences (one window of all unless told otherwise)."""

    said: tuple
    vectors: tuple = ((1.0, 0.0, 0.0, 0.0),)
    sizes: tuple = ()
    episode: int = 0
    first: int = 0
    lead: tuple = ()

    @property
    def windows(self):
        return self.sizes or (len(self.said),)


@dataclass(frozen=True)
class Slow:
    """A passage as it should be scored, and how close each of its sentences is."""

    score: float
    cosine: float
    share: float
    closeness: list
    advert: bool


def bounds(sizes):
    return np.concatenate([[0], np.cumsum(list(sizes), dtype=np.int64)])


def found(*parts):
    said = [sentence for part in parts for sentence in part.said]
    vectors = [np.array(part.vectors, np.float32).reshape(-1, DIMENSION) for part in parts]
    kept, scales = small(np.concatenate(vectors))
    return arranged(
        episode=np.array([part.episode for part in parts]),
        first=np.array([part.first for part in parts]),
        sentences=bounds(len(part.said) for part in parts),
        words=np.array([sentence.length for sentence in said]),
        pieces=np.array([sentence.pieces for sentence in said]),
        voice=np.array([sentence.voice for sentence in said], np.float32),
        advert=np.array([sentence.advert for sentence in said]),
        signature=np.array([hashed(sentence.text) for sentence in said]),
        speaker=np.array([hashed(sentence.speaker) for sentence in said]),
        stems=np.array([hashed(stem) for sentence in said for stem in sentence.stems]),
        spread=bounds(len(sentence.stems) for sentence in said),
        lead=np.array([hashed(stem) for part in parts for stem in part.lead], np.int64),
        leads=bounds(len(part.lead) for part in parts),
        starts=bounds(size for part in parts for size in part.windows),
        windows=bounds(len(part.windows) for part in parts),
        vectors=kept,
        scales=scales,
        norms=np.concatenate([norms(each) for each in vectors]),
    )


def asked(words="", vector=(1.0, 0.0, 0.0, 0.0), weights=(), **options):
    terms = words.split()
    direction = None if vector is None else np.array(vector, np.float32)
    return Question([hashed(term) for term in terms], list(weights or [1.0] * len(terms)), 20.0, direction, **options)


def spans(passages):
    return [(passage.chunk, passage.begin, passage.end) for passage in passages]


# -- slowly, one by one


def slides(part):
    """Every run of whole sentences that fits and is part of no other, as begin and end."""
    runs, furthest = [], 0
    for begin in range(len(part.said)):
        end = begin + 1
        while end < len(part.said) and sum(one.pieces for one in part.said[begin : end + 1]) <= PASSAGE:
            end += 1
        if end > furthest:
            runs.append((begin, end))
            furthest = end
    return runs


def bm25_share(part, begin, end, question, words):
    terms = [*part.lead, *(stem for one in part.said[begin:end] for stem in one.stems)]
    length = rank.K1 * (1 - rank.B + rank.B * len(terms) / question.mean_length)
    gained = sum(
        weight * (rank.K1 + 1) * terms.count(word) / (terms.count(word) + length)
        for word, weight in zip(words, question.weights, strict=True)
    )
    return gained / ((rank.K1 + 1) * sum(question.weights))


def windows(part):
    """Where sentences and where windows stand in word pieces (their middles), the vectors, and each sentence's window."""
    pieces, edges = bounds(one.pieces for one in part.said), bounds(part.windows)
    middles = [(pieces[a] + pieces[b]) / 2 for a, b in pairwise(edges)]
    vectors = np.array(part.vectors, float).reshape(-1, DIMENSION)
    own = np.repeat(np.arange(len(middles)), part.windows)
    return pieces, middles, vectors, own


def meaning(part, begin, end, question):
    pieces, middles, vectors, own = windows(part)
    inside = [vectors[i] for i, middle in enumerate(middles) if pieces[begin] <= middle < pieces[end]]
    inside = np.array(inside or [vectors[own[begin]]])
    mean = inside.sum(0) / np.linalg.norm(inside.sum(0))
    return mean @ question.vector / 2 + max(inside @ question.vector) / 2


def read_out(parts):
    episodes = {}
    for part in parts:
        for one in part.said:
            episodes.setdefault(one.text, set()).add(part.episode)
    return {text for text, where in episodes.items() if len(where) >= 3}


def slow(parts, place, question, words):
    where, begin, end = place
    part, everywhere = parts[where], read_out(parts)
    said = part.said[begin:end]
    total = sum(one.length for one in said)
    voice = sum(one.voice * one.length for one in said) / total
    sells = [one.advert or (one.length >= 6 and one.text in everywhere) for one in said]
    sold = sum(one.length for one, sell in zip(said, sells, strict=True) if sell) / total > 0.5
    share = bm25_share(part, begin, end, question, words)
    cosine = meaning(part, begin, end, question)
    score = cosine - 0.2 * (1 - voice) + 6 * share**3
    score -= abs(score) / 2 if sold else 0
    _, _, vectors, own = windows(part)
    closeness = [
        (
            sum(w for word, w in zip(words, question.weights, strict=True) if word in one.stems) / sum(question.weights)
            + vectors[own[begin + i]] @ question.vector
        )
        * (0.25 + 0.75 * one.voice)
        for i, one in enumerate(said)
    ]
    return Slow(score, cosine, share, closeness, sold)


WORDS = ["price", "rise", "spring", "market", "garden", "frog"]


def drawn(seed):
    """Some chunks of random sentences, and a question."""
    draw = np.random.default_rng(seed)

    def unit(count):
        vectors = draw.normal(size=(count, DIMENSION))
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def sentence():
        text = " ".join(draw.choice(WORDS, draw.integers(1, 9)))
        voice = float(np.float32(draw.choice([1.0, 0.5, 0.1])))
        return Said(
            text, int(draw.integers(1, 130)), voice, bool(draw.random() < 0.2), str(draw.choice(["ann", "ben"]))
        )

    def part(n):
        sizes = tuple(int(size) for size in draw.integers(1, 4, draw.integers(1, 5)))
        said = tuple(sentence() for _ in range(sum(sizes)))
        lead = tuple(draw.choice(WORDS, draw.integers(0, 3)))
        return Part(said, unit(len(sizes)), sizes, int(draw.integers(0, 4)), n * 1000, lead)

    words = list(dict.fromkeys(draw.choice(WORDS, 3)))
    parts = [part(n) for n in range(draw.integers(1, 6))]
    vector = unit(1)[0].astype(np.float32)
    weights = [float(weight) for weight in draw.uniform(0.5, 5, len(words))]
    return parts, words, asked(" ".join(words), vector, weights)


seeds = given(st.integers(0, 1 << 32))
thorough = settings(max_examples=60, deadline=None)


@seeds
@thorough
def test_a_passage_scores_what_its_definition_says(seed):
    parts, words, question = drawn(seed)
    passages = moments(found(*parts), question, 100)
    assert passages
    for one in passages:
        expected = slow(parts, (one.chunk, one.begin, one.end), question, words)
        assert one.cosine == pytest.approx(expected.cosine, abs=EIGHT_BITS)
        assert one.share == pytest.approx(expected.share, abs=1e-5)
        assert one.score == pytest.approx(expected.score, abs=EIGHT_BITS)
        assert expected.advert == one.advert
        assert max(expected.closeness) == pytest.approx(expected.closeness[one.nearest - one.begin], abs=EIGHT_BITS)


@seeds
@thorough
def test_the_best_of_all_runs_of_sentences_comes_first(seed):
    parts, words, question = drawn(seed)
    scores = [slow(parts, (n, *run), question, words).score for n, part in enumerate(parts) for run in slides(part)]
    passages = moments(found(*parts), question, 100)
    assert max(scores) == pytest.approx(passages[0].score, abs=EIGHT_BITS)
    assert sorted((one.score for one in passages), reverse=True) == [one.score for one in passages]


@seeds
@thorough
def test_passages_are_as_many_whole_sentences_as_fit(seed):
    parts, _, question = drawn(seed)
    for one in moments(found(*parts), question, 100):
        assert (one.begin, one.end) in slides(parts[one.chunk])
        assert one.begin <= one.nearest < one.end


def test_every_sentence_can_be_shown():
    words = [f"word{n}" for n in range(40)]
    part = Part(tuple(Said(word, pieces=30) for word in words))
    for n, word in enumerate(words):
        (best, *_) = moments(found(part), asked(word, None), 5)
        assert best.begin <= n < best.end
        assert n == best.nearest


def test_a_sentence_longer_than_a_passage_is_one_alone():
    part = Part((Said("short"), Said("long", pieces=PASSAGE + 1), Said("short again")))
    assert [(0, 1, 2)] == spans(moments(found(part), asked("long", None), 5))


# -- what ranks before what


def test_the_run_that_fits_the_question_wins_over_its_neighbours():
    said = tuple(Said(f"a{n} b{n} c{n}", pieces=50) for n in range(12))
    across = (0.0, 1.0, 0.0, 0.0)
    vectors = [across, across, (0.9, 0.436, 0.0, 0.0), (0.95, 0.312, 0.0, 0.0), across, across]
    best = moments(found(Part(said, tuple(vectors), (2,) * 6)), asked(), 1)[0]
    assert (4, 8) == (best.begin, best.end)


def test_the_main_voice_ranks_before_who_asks():
    guest, host = (
        Part((Said(text, voice=voice),), episode=n) for n, (text, voice) in enumerate([("a", 1.0), ("b", 0.3)])
    )
    best, second = moments(found(host, guest), asked(), 5)
    assert (1, 0) == (best.chunk, second.chunk)
    assert best.score - second.score == pytest.approx(0.2 * 0.7)


def test_an_advert_ranks_low_unless_adverts_are_asked_for():
    sold = Part((Said("buy", advert=True),), ((1.0, 0.0, 0.0, 0.0),))
    told = Part((Said("tell"),), ((0.9, 0.436, 0.0, 0.0),), episode=1)
    low = moments(found(sold, told), asked(), 5)
    assert [(1, False), (0, True)] == [(one.chunk, one.advert) for one in low]
    plain = moments(found(sold, told), asked(adverts=True), 5)
    assert [(0, True), (1, False)] == [(one.chunk, one.advert) for one in plain]
    assert plain[0].score / 2 == pytest.approx(low[1].score)


def test_an_advert_that_is_far_from_the_question_does_not_rise():
    far = ((-0.5, 0.866, 0.0, 0.0),)
    sold, told = Part((Said("buy", advert=True),), far), Part((Said("tell"),), far, episode=1)
    assert [1, 0] == [one.chunk for one in moments(found(sold, told), asked(), 5)]


def test_half_an_advert_is_none():
    half = Part((Said("buy this now", advert=True), Said("we grew fast")))
    assert not moments(found(half), asked(), 1)[0].advert


@pytest.mark.parametrize(("words", "episodes", "expected"), [(6, 3, True), (6, 2, False), (5, 3, False)])
def test_what_is_read_out_in_three_episodes_counts_as_an_advert(words, episodes, expected):
    trailer = Said(" ".join(f"word{n}" for n in range(words)))
    parts = [Part((trailer,), episode=n) for n in range(episodes)]
    assert expected == moments(found(*parts), asked(), 1)[0].advert


def test_what_one_episode_repeats_is_not_read_out():
    refrain = Said("one two three four five six")
    assert not moments(found(*[Part((refrain,), first=n * 100) for n in range(5)]), asked(), 1)[0].advert


# -- what is one moment


def test_what_overlaps_in_two_chunks_of_an_episode_is_one_moment():
    said = tuple(Said(f"a{n} b{n} c{n} d{n}", pieces=50) for n in range(6))
    early, late = Part(said[:4]), Part(said[1:5], first=4)
    assert [(0, 0, 4)] == spans(moments(found(early, late), asked(), 5))
    apart = replace(late, said=tuple(replace(one, text=one.text.upper()) for one in said[1:5]), first=16)
    assert [(0, 0, 4), (1, 0, 4)] == spans(moments(found(early, apart), asked(), 5))
    elsewhere = replace(apart, first=8, episode=1)
    assert 2 == len(moments(found(early, elsewhere), asked(), 5))


def test_the_same_words_elsewhere_are_one_moment():
    said = tuple(Said(f"a{n} b{n}") for n in range(4))
    copy = Part((*said[:3], Said("something else")), episode=1)
    half = Part((*said[:2], Said("new"), Said("words")), episode=2)
    assert [(0, 0, 4), (2, 0, 4)] == spans(moments(found(Part(said), copy, half), asked(), 5))


def test_the_limit_limits_after_what_is_the_same_is_left_out():
    said = tuple(Part((Said(f"word{n // 2}"),), episode=n) for n in range(8))
    assert [0, 2, 4] == [one.chunk for one in moments(found(*said), asked(), 3)]


# -- what is no answer


def test_only_passages_where_the_speaker_asked_for_speaks_count():
    ann, ben, both = Said("price rise"), Said("price fall", speaker="ben"), Said("price stay", speaker="ben")
    parts = [Part((ann,)), Part((ben,), episode=1), Part((replace(ann, text="price"), both), episode=2)]
    passages = moments(found(*parts), asked("price", speaker=hashed("ben")), 5)
    assert {(1, 0), (2, 1)} == {(one.chunk, one.nearest) for one in passages}
    assert [] == moments(found(*parts), asked("price", speaker=hashed("eve")), 5)


def test_without_a_vector_only_shared_words_count():
    parts = [Part((Said("price rise"),)), Part((Said("frog"),), episode=1)]
    (hit,) = moments(found(*parts), asked("price", None), 5)
    assert (0, None) == (hit.chunk, hit.cosine)
    assert hit.share == hit.score > 0
    assert [] == moments(found(*parts), asked("zebra", None), 5)
    assert [] == moments(found(*parts), asked("", None), 5)


def test_without_words_only_the_meaning_counts():
    parts = [Part((Said("price"),)), Part((Said("frog"),), ((0.0, 1.0, 0.0, 0.0),), episode=1)]
    passages = moments(found(*parts), asked("frog", by_words=False), 5)
    assert [(0, None, 1.0), (1, None, 0.0)] == [(one.chunk, one.share, one.score) for one in passages]


def test_nothing_found_gives_no_moments():
    assert [] == moments(found(Part((Said("price"),))).take(np.zeros(0, np.int64)), asked("price"), 5)


def test_a_selection_of_chunks_is_scored_like_those_chunks_alone():
    parts, _, question = drawn(7)
    parts = [*parts, *drawn(8)[0], *drawn(9)[0]]
    rows = np.array([len(parts) - 1, 0, 2])
    alone = moments(found(*[parts[n] for n in rows]), question, 100)
    assert alone == moments(found(*parts).take(rows), question, 100)
