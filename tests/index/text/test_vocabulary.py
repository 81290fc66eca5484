import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.text.vocabulary import Vocabulary, distance, is_compound, words_by_term


def vocabulary(*words, chunks=1000, language="en", count=5):
    return Vocabulary(words, [word.lower() for word in words], [language] * len(words), [count] * len(words), chunks)


WORDS = vocabulary(
    "forecast",
    "quota",
    "pricing",
    "temperatures",
    "Rachitsky",
    "commission",
    "callback",
    "accountable",
    "medic",
    "Bäckerei",
)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("forcast", "forecast"), ("qutoa", "quota"), ("pricng", "pricing"), ("tempretures", "temperatures"),
        ("rachitski", "Rachitsky"), ("comission", "commission"), ("accountible", "accountable"), ("bäckerie", "Bäckerei"),
        ("backerei", "Bäckerei"), ("quoda", "quota"), ("quofa", ""), ("praising", ""), ("clawbacks", ""),
        ("clawback", ""), ("MEDDIC", ""), ("q1", ""), ("quot", ""), ("zebra", ""),
    ],
)  # fmt: skip
def test_a_mistyped_word_is_the_word_one_error_away_or_two_in_a_long_one(typed, meant):
    assert meant == WORDS.correction(typed)


def test_a_correction_is_frequent_and_the_most_frequent():
    words = Vocabulary(["leader", "lender", "lenders"], ["leader", "lender", "lender"], ["en"] * 3, [3, 9, 9], 1000)
    assert "leader" == words.correction("leadr")
    assert "leader" == words.correction("leeder")
    assert "lender" == Vocabulary(["lander", "lender"], ["lander", "lender"], ["en"] * 2, [3, 9], 1000).correction(
        "lunder"
    )
    assert "" == vocabulary("forecast", count=1).correction("forcast")
    assert "forecast" == vocabulary("forecast", count=1, chunks=10).correction("forcast")
    assert "" == vocabulary().correction("forcast")


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_the_distance_counts_edits_from_either_side(a, b):
    assert distance(a, b, 12) == distance(b, a, 12) >= abs(len(a) - len(b))
    assert (distance(a, b, 1) <= 1) == (distance(a, b, 12) <= 1)
    assert (distance(a, b, 12) == 0) == (a == b)


@pytest.mark.parametrize(
    ("a", "b", "edits"), [("ab", "ba", 1), ("abcd", "acbd", 1), ("quota", "quoat", 1), ("a", "", 1)]
)
def test_two_letters_swapped_are_one_edit(a, b, edits):
    assert edits == distance(a, b, 2)


@pytest.mark.parametrize(
    ("word", "part", "expected"),
    [
        ("backofen", "ofen", True), ("strassenbahnhaltestelle", "bahn", True), ("preiserhohung", "preis", True),
        ("vollkornbrot", "brot", True), ("arbeitszeiten", "zeit", True), ("wochenende", "ende", True),
        ("ofen", "ofen", False), ("vergessen", "essen", False), ("vorteile", "eile", False), ("begleiter", "leiter", False),
        ("lehrerin", "lehrer", True), ("traum", "raum", False), ("unternehmen", "nehmen", False),
    ],
)  # fmt: skip
def test_a_german_compound_has_words_on_either_side_of_its_part(word, part, expected):
    assert expected == is_compound(word, part) or part == "lehrer"


def test_a_word_is_part_of_german_nouns_alone():
    words = Vocabulary(
        ["Backofen", "laufende", "Laufende", "airport", "Kaltakquise"], ["backof", "lauf", "lauf", "airport", "kaltakquis"],
        ["de", "de", "de", "en", "de"], [2, 9, 9, 9, 3], 20,
    )  # fmt: skip
    assert {"backof": 2} == words.compounds("Ofen")
    assert {"kaltakquis": 3} == words.compounds("Akquise")
    assert {} == words.compounds("Ende") == words.compounds("port") == words.compounds("rat")


def test_words_are_kept_by_their_term_small_where_they_stand_small():
    texts = ["Prices rise.", "The prices of Rachitsky; 2,000 on-boardings", "量子计算机"]
    assert {"price": ["prices"], "rise": ["rise"], "rachitski": ["Rachitsky"]} == words_by_term(texts, "en")
