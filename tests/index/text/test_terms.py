import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.text.terms import TokenCache, hash_term, highlights, stems


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
    assert expected == stems(text)


def test_the_words_of_a_query_are_highlighted_where_they_stand():
    text = "Ann’s café sells; SELLING well is an art."  # noqa: RUF001 - the typographic one is meant
    [spans] = highlights([text], frozenset({"sell", "cafe", "ann"}))
    assert ["Ann’s", "café", "sells", "SELLING"] == [text[begin:end] for begin, end in spans]  # noqa: RUF001
    assert [[]] == highlights([text], frozenset())


def test_words_are_highlighted_text_by_text():
    assert [[(4, 7), (14, 17)], [], [(0, 5)]] == highlights(["one two three Two", "four", "two’s"], frozenset({"two"}))  # noqa: RUF001


def test_the_cache_answers_however_many_tokens_it_has_seen():
    cache = TokenCache(size=2)
    for _ in range(2):
        assert {"two", "two,"} == set(cache.tokens_with(["two"], ["one", "two", "two,"]))


@given(st.text(st.sampled_from("aeiosty'’_-. é") | st.characters(), max_size=60), st.integers(0, 5))  # noqa: RUF001
def test_words_are_highlighted_exactly_where_their_own_terms_are_wanted(text, which):
    words = list(re.finditer(r"[^\W_]+(?:['’][^\W_]+)*", text))  # noqa: RUF001
    terms = frozenset("".join(stems(word[0])) for word in words[which : which + 2]) - {""}
    assert [[word.span() for word in words if "".join(stems(word[0])) in terms]] == highlights([text], terms)


@given(st.from_regex(r"[A-Za-z]{1,45}", fullmatch=True))
def test_a_word_alone_has_the_term_that_it_has_among_others(word):
    assert stems(word) * 2 == stems(f"{word}, {word}")


def test_a_hashed_term_fits_in_32_bits_with_a_sign():
    assert all(-(1 << 31) <= hash_term(term) < 1 << 31 for term in ("", "price", "é", "x" * 40))
    assert hash_term("price") != hash_term("prices")
