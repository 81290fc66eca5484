import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import scoring as rank

PASSAGES = ["sell car", "sell hous", "buy hous hous", "rain"]
KNOWN = rank.Frequencies(4, 8, rank.containing(PASSAGES))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The sellers were selling", ["seller", "were", "sell"]),
        ("Lenny's café DON\u2019T 2,000", ["lenni", "cafe", "dont", "2", "000"]),
        ("to be or not to be", []),
        ("' ; --", []),
        ("x" * 100, ["x" * 40]),
    ],
)
def test_terms_are_stems_without_stop_words_case_and_accents(text, expected):
    assert expected == rank.stems(text)


def test_frequencies_count_passages_not_occurrences():
    assert {"sell": 2, "hous": 2, "car": 1, "buy": 1, "rain": 1} == KNOWN.containing


def test_rare_terms_weigh_more_and_unheard_ones_as_if_all_passages_lacked_them():
    assert KNOWN.weight("rain") > KNOWN.weight("sell") > 0
    assert math.log(5) == KNOWN.weight("never")


def test_the_words_of_a_question_are_marked_where_they_stand():
    text = "Ann’s café sells; SELLING well is an art."  # noqa: RUF001 - the typographic one is meant
    [marked] = rank.marked([text], frozenset({"sell", "cafe", "ann"}))
    assert ["Ann’s", "café", "sells", "SELLING"] == [text[begin:end] for begin, end in marked]  # noqa: RUF001
    assert [[]] == rank.marked([text], frozenset())


def test_words_are_marked_text_by_text():
    assert [[(4, 7), (14, 17)], [], [(0, 5)]] == rank.marked(["one two three Two", "four", "two’s"], frozenset({"two"}))  # noqa: RUF001


def test_words_are_known_however_many_were_met():
    heard = rank.Heard(most=2)
    for _ in range(2):
        assert {"two", "two,"} == set(heard.holding(["one", "two", "two,"], ["two"]))


@given(st.text(st.sampled_from("aeiosty'’_-. é") | st.characters(), max_size=60), st.integers(0, 5))  # noqa: RUF001
def test_words_are_marked_exactly_where_their_own_terms_are_asked_for(text, which):
    words = list(re.finditer(r"[^\W_]+(?:['’][^\W_]+)*", text))  # noqa: RUF001
    terms = frozenset("".join(rank.stems(word[0])) for word in words[which : which + 2]) - {""}
    assert [[word.span() for word in words if "".join(rank.stems(word[0])) in terms]] == rank.marked([text], terms)


@given(st.from_regex(r"[A-Za-z]{1,45}", fullmatch=True))
def test_a_word_alone_has_the_term_that_it_has_among_others(word):
    assert rank.stems(word) * 2 == rank.stems(f"{word}, {word}")
