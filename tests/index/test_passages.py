"""What a passage scores is computed a second time here, slowly and one by one, as the module's docstring says it."""

import math
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.chunk import PASSAGE
from index.chunk_arrays import bounds_of, build_arrays
from index.embed.quantize import quantize, run_norms
from index.passages import EPISODE_PENALTY, PassageQuery, rank_passages
from index.scoring import K1, B
from index.sentence_span import SentenceSpan, SentenceTable, pack
from index.text.terms import hash_term

DIMENSION = 4
EIGHT_BITS = 1.5e-2  # what a cosine in so few dimensions loses at most


@dataclass(frozen=True)
class Said:
    """A sentence; its words are its stems unless told otherwise."""

    text: str
    pieces: int = 10
    prominence: float = 1.0
    advert: bool = False
    speaker: str = "ann"
    words: int = 0
    opens: bool = True
    asks: bool = False

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
    title_terms: tuple = ()

    @property
    def windows(self):
        return self.sizes or (len(self.said),)


@dataclass(frozen=True)
class Slow:
    """A passage as it should be scored, and how likely an answer begins with each of its sentences."""

    score: float
    cosine: float
    lexical: float
    answer: list
    advert: bool


def table(parts):
    """The sentences as they are stored."""
    spans = [
        SentenceSpan(
            begin, begin + len(one.text), None, None, None, -1, one.length, one.pieces, one.prominence, one.advert,
            one.opens, one.asks, len(one.stems), hash_term(one.text),
        )
        for part in parts
        for begin, one in zip(bounds_of([len(one.text) + 2 for one in part.said]).tolist(), part.said, strict=False)
    ]  # fmt: skip
    return SentenceTable(pack(spans))


def facts(part):
    """What a hit shows of a chunk."""
    return {"text": ". ".join(one.text for one in part.said), "language": "en"}


def arrays(*parts):
    said = [sentence for part in parts for sentence in part.said]
    vectors = [np.array(part.vectors, np.float32).reshape(-1, DIMENSION) for part in parts]
    quantized, scales = quantize(np.concatenate(vectors))
    return build_arrays(
        table(parts),
        bounds_of([len(part.said) for part in parts]),
        bounds_of([size for part in parts for size in part.windows]),
        np.concatenate([run_norms(each) for each in vectors]),
        episode=np.array([part.episode for part in parts]),
        first_word=np.array([part.first for part in parts]),
        speaker=np.array([hash_term(sentence.speaker) for sentence in said]),
        terms=np.array([hash_term(stem) for sentence in said for stem in sentence.stems]),
        title_terms=np.array([hash_term(stem) for part in parts for stem in part.title_terms], np.int64),
        title_bounds=bounds_of([len(part.title_terms) for part in parts]),
        vectors=quantized,
        scales=scales,
    )


def asked(words="", vector=(1.0, 0.0, 0.0, 0.0), weights=(), **options):
    terms = words.split()
    direction = None if vector is None else np.array(vector, np.float32)
    return PassageQuery(
        [[hash_term(term)] for term in terms], list(weights or [1.0] * len(terms)), 20.0, direction, **options
    )


def spans(passages):
    return [(passage.chunk, passage.begin, passage.end) for passage in passages]


# -- slowly, one by one


def slides(part):
    """Every run of whole sentences that fits and is part of no other, as begin and end, less a thought that is cut off."""
    runs, furthest = [], 0
    for begin in range(len(part.said)):
        end = begin + 1
        while end < len(part.said) and sum(one.pieces for one in part.said[begin : end + 1]) <= PASSAGE:
            end += 1
        if end > furthest:
            runs.append((begin, whole(part, begin, end)))
            furthest = end
    return runs


def whole(part, begin, end):
    """The end, or an earlier one where a thought ends that leaves half of the run."""
    pieces = [one.pieces for one in part.said]
    for last in range(end, begin, -1):
        if last == len(part.said) or part.said[last].opens:
            return last if 2 * sum(pieces[begin:last]) >= sum(pieces[begin:end]) else end
    return end


def bm25_lexical(part, begin, end, question, words):
    terms = [*part.title_terms, *(stem for one in part.said[begin:end] for stem in one.stems)]
    length = K1 * (1 - B + B * len(terms) / question.mean_length)
    gained = sum(
        weight * (K1 + 1) * terms.count(word) / (terms.count(word) + length)
        for word, weight in zip(words, question.weights, strict=True)
    )
    return gained / ((K1 + 1) * sum(question.weights))


def windows(part):
    """Where sentences and where windows stand in word pieces (their middles), the vectors, and each sentence's window."""
    pieces, edges = bounds_of([one.pieces for one in part.said]), bounds_of(part.windows)
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


def repeated(parts):
    episodes = {}
    for part in parts:
        for one in part.said:
            episodes.setdefault(one.text, set()).add(part.episode)
    return {text for text, where in episodes.items() if len(where) >= 3}


def shared(one, question, words):
    gained = sum(weight for word, weight in zip(words, question.weights, strict=True) if word in one.stems)
    return gained / sum(question.weights)


def handed_on(part, n, question, words):
    return shared(part.said[n - 1], question, words) / 4 if n and part.said[n - 1].asks else 0


def slow(parts, place, question, words):
    where, begin, end = place
    part, everywhere = parts[where], repeated(parts)
    said = part.said[begin:end]
    total = sum(one.length for one in said)
    prominence = sum(one.prominence * one.length for one in said) / total
    adverts = [one.advert or (one.length >= 6 and one.text in everywhere) for one in said]
    advert = sum(one.length for one, advert in zip(said, adverts, strict=True) if advert) / total > 0.5
    lexical = bm25_lexical(part, begin, end, question, words)
    cosine = meaning(part, begin, end, question)
    score = cosine - 0.3 * (1 - prominence) + 4 * lexical**3 - (0 if said[0].opens else 0.03)
    score -= abs(score) / 2 if advert or any(one.advert for one in said) else 0
    _, _, vectors, own = windows(part)
    answer = [
        1.25 * (shared(one, question, words) + handed_on(part, begin + i, question, words))
        + vectors[own[begin + i]] @ question.vector
        + 0.3 * one.prominence
        + 0.1 * math.log(min(40, one.length))
        - 10 * one.asks
        for i, one in enumerate(said)
    ]
    return Slow(score, cosine, lexical, answer, advert)


WORDS = ["price", "rise", "spring", "market", "garden", "frog"]


def drawn(seed):
    """Some chunks of random sentences, and a question."""
    draw = np.random.default_rng(seed)

    def unit(count):
        vectors = draw.normal(size=(count, DIMENSION))
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def sentence():
        text = " ".join(draw.choice(WORDS, draw.integers(1, 9)))
        prominence = float(np.float32(draw.choice([1.0, 0.5, 0.1])))
        return Said(
            text,
            int(draw.integers(1, 130)),
            prominence,
            bool(draw.random() < 0.2),
            str(draw.choice(["ann", "ben"])),
            opens=bool(draw.random() < 0.7),
            asks=bool(draw.random() < 0.2),
        )

    def part(n):
        sizes = tuple(int(size) for size in draw.integers(1, 4, draw.integers(1, 5)))
        said = tuple(sentence() for _ in range(sum(sizes)))
        title_terms = tuple(draw.choice(WORDS, draw.integers(0, 3)))
        return Part(said, unit(len(sizes)), sizes, int(draw.integers(0, 4)), n * 1000, title_terms)

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
    passages = rank_passages(arrays(*parts), question, 100)
    assert passages
    taken, episodes = set(), Counter()
    for one in passages:
        expected = slow(parts, (one.chunk, one.begin, one.end), question, words)
        assert one.cosine == pytest.approx(expected.cosine, abs=EIGHT_BITS)
        assert one.lexical == pytest.approx(expected.lexical, abs=1e-5)
        earlier = episodes[parts[one.chunk].episode]
        episodes[parts[one.chunk].episode] += 1
        assert one.score == pytest.approx(
            expected.score - max(0, earlier - 2) * EPISODE_PENALTY, abs=1.5 * EIGHT_BITS
        )  # an advert below zero loses half more
        assert expected.advert == one.advert
        assert max(expected.answer) == pytest.approx(expected.answer[one.answer_begin - one.begin], abs=EIGHT_BITS)
        answer = parts[one.chunk].said[one.answer_begin : one.answer_end]
        assert taken.isdisjoint(sentence.text for sentence in answer)
        assert 1 == len({sentence.speaker for sentence in answer})
        taken.update(sentence.text for sentence in answer)


@seeds
@thorough
def test_the_best_of_all_runs_of_sentences_comes_first(seed):
    parts, words, question = drawn(seed)
    scores = [slow(parts, (n, *run), question, words).score for n, part in enumerate(parts) for run in slides(part)]
    passages = rank_passages(arrays(*parts), question, 100)
    assert max(scores) == pytest.approx(passages[0].score, abs=EIGHT_BITS)
    assert sorted((one.score for one in passages), reverse=True) == [one.score for one in passages]


@seeds
@thorough
def test_passages_are_as_many_whole_sentences_as_fit(seed):
    parts, _, question = drawn(seed)
    for one in rank_passages(arrays(*parts), question, 100):
        assert (one.begin, one.end) in slides(parts[one.chunk])
        assert one.begin <= one.answer_begin < one.answer_end <= one.end


def test_every_sentence_can_be_shown():
    words = [f"word{n}" for n in range(40)]
    part = Part(tuple(Said(word, pieces=30) for word in words))
    for n, word in enumerate(words):
        (best, *_) = rank_passages(arrays(part), asked(word, None), 5)
        assert best.begin <= n < best.end
        assert n == best.answer_begin


def test_a_sentence_longer_than_a_passage_is_one_alone():
    part = Part((Said("short"), Said("long", pieces=PASSAGE + 1), Said("short again")))
    assert [(0, 1, 2)] == spans(rank_passages(arrays(part), asked("long", None), 5))


# -- what ranks before what


def test_the_run_that_fits_the_question_wins_over_its_neighbours():
    said = tuple(Said(f"a{n} b{n} c{n}", pieces=50) for n in range(12))
    across = (0.0, 1.0, 0.0, 0.0)
    vectors = [across, across, (0.9, 0.436, 0.0, 0.0), (0.95, 0.312, 0.0, 0.0), across, across]
    best = rank_passages(arrays(Part(said, tuple(vectors), (2,) * 6)), asked(), 1)[0]
    assert (4, 8) == (best.begin, best.end)


def test_the_main_speaker_ranks_before_who_asks():
    guest, host = (
        Part((Said(text, prominence=prominence),), episode=n)
        for n, (text, prominence) in enumerate([("a", 1.0), ("b", 0.3)])
    )
    best, second = rank_passages(arrays(host, guest), asked(), 5)
    assert (1, 0) == (best.chunk, second.chunk)
    assert best.score - second.score == pytest.approx(0.3 * 0.7)


def test_an_advert_ranks_low_unless_adverts_are_asked_for():
    advert = Part((Said("buy", advert=True),), ((1.0, 0.0, 0.0, 0.0),))
    told = Part((Said("tell"),), ((0.9, 0.436, 0.0, 0.0),), episode=1)
    low = rank_passages(arrays(advert, told), asked(), 5)
    assert [(1, False), (0, True)] == [(one.chunk, one.advert) for one in low]
    plain = rank_passages(arrays(advert, told), asked(adverts=True), 5)
    assert [(0, True), (1, False)] == [(one.chunk, one.advert) for one in plain]
    assert plain[0].score / 2 == pytest.approx(low[1].score)


def test_an_advert_that_is_far_from_the_question_does_not_rise():
    far = ((-0.5, 0.866, 0.0, 0.0),)
    advert, told = Part((Said("buy", advert=True),), far), Part((Said("tell"),), far, episode=1)
    assert [1, 0] == [one.chunk for one in rank_passages(arrays(advert, told), asked(), 5)]


def test_half_an_advert_is_none_but_ranks_low():
    half = Part((Said("buy this now", advert=True), Said("we grew fast")), ((1.0, 0.0, 0.0, 0.0),))
    told = Part((Said("tell"),), ((0.9, 0.436, 0.0, 0.0),), episode=1)
    low = rank_passages(arrays(half, told), asked(), 5)
    assert [(1, False), (0, False)] == [(one.chunk, one.advert) for one in low]
    plain = rank_passages(arrays(half, told), asked(adverts=True), 5)
    assert plain[0].score / 2 == pytest.approx(low[1].score)


@pytest.mark.parametrize(("words", "episodes", "expected"), [(6, 3, True), (6, 2, False), (5, 3, False)])
def test_what_is_repeated_in_three_episodes_counts_as_an_advert(words, episodes, expected):
    trailer = Said(" ".join(f"word{n}" for n in range(words)))
    parts = [Part((trailer,), episode=n) for n in range(episodes)]
    assert expected == rank_passages(arrays(*parts), asked(), 1)[0].advert


def test_what_one_episode_repeats_is_not_repeated():
    refrain = Said("one two three four five six")
    assert not rank_passages(arrays(*[Part((refrain,), first=n * 100) for n in range(5)]), asked(), 1)[0].advert


# -- what is one passage


def test_what_overlaps_in_two_chunks_of_an_episode_is_one_passage():
    said = tuple(Said(f"a{n} b{n} c{n} d{n}", pieces=50) for n in range(6))
    early, late = Part(said[:4]), Part(said[1:5], first=4)
    assert [(0, 0, 4)] == spans(rank_passages(arrays(early, late), asked(), 5))
    apart = replace(late, said=tuple(replace(one, text=one.text.upper()) for one in said[1:5]), first=16)
    assert [(0, 0, 4), (1, 0, 4)] == spans(rank_passages(arrays(early, apart), asked(), 5))
    elsewhere = replace(apart, first=8, episode=1)
    assert 2 == len(rank_passages(arrays(early, elsewhere), asked(), 5))


def test_the_same_words_elsewhere_are_one_passage():
    said = tuple(Said(f"a{n} b{n}") for n in range(4))
    copy = Part((*said[:3], Said("something else")), episode=1)
    half = Part((*said[:2], Said("new"), Said("words")), episode=2)
    passages = rank_passages(arrays(Part(said), copy, half), asked("new", adverts=True), 5)
    assert {(0, 0, 4), (2, 0, 4)} == set(spans(passages))


def test_a_moment_is_shown_once():
    parts = [Part((Said("price rise"), Said(f"x{n}"), Said(f"y{n}"), Said(f"z{n}")), episode=n) for n in range(3)]
    assert [0] == [one.chunk for one in rank_passages(arrays(*parts), asked("price rise"), 5)]
    assert 3 == len(rank_passages(arrays(*parts), asked("z0 z1 z2"), 5))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((Said("x"), Said("price"), Said("y"), Said("z"), Said("w")), (1, 4)),  # three sentences at most
        ((Said("x"), Said("price", words=40), Said("y", words=15), Said("z", words=9)), (1, 3)),  # 60 words at most
        ((Said("price", words=90), Said("y")), (0, 1)),  # but one sentence whole
        ((Said("price"), Said("y"), Said("z", speaker="ben")), (0, 2)),  # one speaker
        ((Said("x"), Said("y"), Said("price")), (2, 3)),  # within the passage
    ],
)
def test_an_answer_is_up_to_three_sentences_by_one_speaker(said, expected):
    (hit,) = rank_passages(arrays(Part(said)), asked("price"), 5)
    assert expected == (hit.answer_begin, hit.answer_end)


def test_what_the_guest_says_answers_before_the_question_of_the_host():
    question = Said("when does the price rise", prominence=0.1, speaker="host", asks=True)
    said = (Said("in autumn days"), question, Said("always in spring"), Said("never in the summer of that year"))
    (hit,) = rank_passages(arrays(Part(said)), asked("price rise in"), 5)
    assert (2, 4) == (hit.answer_begin, hit.answer_end)
    (alone,) = rank_passages(arrays(Part((question,))), asked("price rise"), 5)
    assert (0, 1) == (alone.answer_begin, alone.answer_end)


def test_a_passage_begins_and_ends_with_a_thought_where_it_can():
    said = tuple(Said(f"a{n} b{n}", pieces=50) for n in range(7))

    def best(words, within):
        parts = tuple(replace(one, opens=n not in within) for n, one in enumerate(said))
        return spans(rank_passages(arrays(Part(parts)), asked(words), 1))

    assert [(0, 0, 4)] == best("a0 a1", {})
    assert [(0, 0, 2)] == best("a0 a1", {3, 4})  # the fourth and fifth sentence go on with what the third says
    assert [(0, 0, 4)] == best("a0 a1", {2, 3, 4})  # less than half would be left
    assert [(0, 2, 6)] == best("a2", {0, 1})


def test_a_limit_changes_nothing_but_where_the_list_ends():
    parts = [Part((Said(f"price {n}"), Said(f"x{n}")), episode=n) for n in range(30)]
    every = rank_passages(arrays(*parts), asked("price"), 30)
    for limit in (1, 5, 20):
        assert every[:limit] == rank_passages(arrays(*parts), asked("price"), limit)


@pytest.mark.parametrize("episodes", [1, 3, 8])
def test_a_limit_changes_nothing_where_episodes_give_way_to_others(episodes):
    angles = np.random.default_rng(episodes).uniform(0, 0.7, 40)  # so that many differ by less than is lost
    parts = [
        Part((Said(f"x{n}"),), ((math.cos(angle), math.sin(angle), 0.0, 0.0),), episode=n % episodes, first=n * 100)
        for n, angle in enumerate(angles)
    ]
    every = rank_passages(arrays(*parts), asked(), 40)
    assert 40 == len(every)
    assert every == sorted(every, key=lambda one: -one.score)
    for limit in (1, 3, 10, 39):
        assert every[:limit] == rank_passages(arrays(*parts), asked(), limit)


def test_other_episodes_come_before_an_equal_passage_of_the_same_episode():
    def part(n, words, episode):
        return Part(tuple(Said(f"{words} {n} {k}", pieces=60) for k in range(3)), episode=episode, first=n * 1000)

    parts = [*(part(n, "price", 0) for n in range(5)), part(5, "price", 1), part(6, "frog", 2)]
    passages = rank_passages(arrays(*parts), asked("price", None), 9)
    assert [0, 1, 2, 5, 3, 4] == [one.chunk for one in passages]
    lost = [passages[0].score - one.score for one in passages]
    assert lost == pytest.approx([0, 0, 0, 0, EPISODE_PENALTY, 2 * EPISODE_PENALTY])


def test_a_much_better_passage_of_the_same_episode_comes_first():
    near, far = ((0.9, 0.436, 0.0, 0.0),), ((0.0, 1.0, 0.0, 0.0),)
    parts = [
        Part((Said("a"),)), Part((Said("b"),), near, first=100), Part((Said("c"),), far, episode=1),
    ]  # fmt: skip
    assert [0, 1, 2] == [one.chunk for one in rank_passages(arrays(*parts), asked(), 5)]


def test_the_limit_limits_after_what_is_the_same_is_left_out():
    said = tuple(Part((Said(f"word{n // 2}"),), episode=n) for n in range(8))
    assert [0, 2, 4] == [one.chunk for one in rank_passages(arrays(*said), asked(), 3)]


# -- what is no answer


def test_only_passages_where_the_speaker_asked_for_speaks_count():
    ann, ben, both = Said("price rise"), Said("price fall", speaker="ben"), Said("price stay", speaker="ben")
    parts = [Part((ann,)), Part((ben,), episode=1), Part((replace(ann, text="price"), both), episode=2)]
    passages = rank_passages(arrays(*parts), asked("price", speaks=np.array([False, True, False, True])), 5)
    assert {(1, 0), (2, 1)} == {(one.chunk, one.answer_begin) for one in passages}
    assert [] == rank_passages(arrays(*parts), asked("price", speaks=np.zeros(4, bool)), 5)


def test_without_a_vector_only_shared_words_count():
    parts = [Part((Said("price rise"),)), Part((Said("frog"),), episode=1)]
    (hit,) = rank_passages(arrays(*parts), asked("price", None), 5)
    assert (0, None) == (hit.chunk, hit.cosine)
    assert hit.lexical == hit.score > 0
    assert [] == rank_passages(arrays(*parts), asked("zebra", None), 5)
    assert [] == rank_passages(arrays(*parts), asked("", None), 5)


def test_without_words_only_the_meaning_counts():
    parts = [Part((Said("price"),)), Part((Said("frog"),), ((0.0, 1.0, 0.0, 0.0),), episode=1)]
    passages = rank_passages(arrays(*parts), asked("frog", lexical=False), 5)
    assert [(0, None, 1.0), (1, None, 0.0)] == [(one.chunk, one.lexical, one.score) for one in passages]
