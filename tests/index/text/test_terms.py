import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.text.terms import hash_term, spoken, stems, terms_of, tokens, without_accents


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The sellers were selling", ["seller", "were", "sell"]),
        ("Lenny's café DON\u2019T 2,000", ["lenni", "cafe", "dont", "2000"]),
        ("to be or not to be", []),
        ("' ; --", []),
        ("x" * 100, ["x" * 40]),
    ],
)
def test_terms_are_stems_without_stop_words_case_and_accents(text, expected):
    assert expected == stems(text)


@pytest.mark.parametrize(
    "spellings",
    [
        ("follow-up", "follow up", "followup", "follow-ups"),
        ("on-boarding", "on boarding", "onboarding", "Onboarding"),
        ("one-on-one", "one on one", "1-on-1", "1:1", "1:1s", "one-on-ones", "One on ones"),
        ("e-mail", "email", "E mail", "e-mails"),
        ("check-in", "check in", "check-ins", "checkin"),
        ("sign-up", "sign up", "signup"),
        ("go-to-market", "gotomarket"),
        ("road-map", "roadmap"),
    ],
)
def test_the_spellings_of_a_compound_share_a_term(spellings):
    assert set.intersection(*(set(stems(spelling)) for spelling in spellings))


@pytest.mark.parametrize(
    ("one", "other"), [("on board", "onboarding"), ("get in the car", "getin"), ("board of directors", "on-boarding")]
)
def test_words_beside_each_other_are_no_compound(one, other):
    assert stems(other)[0] not in stems(one)


def test_the_parts_of_a_compound_are_found_by_themselves():
    assert {"cold", "call"} <= set(stems("cold-calling"))
    assert ["go", "market"] == stems("go-to-market")[:2]
    assert ["30", "60", "90"] == stems("30-60-90")


@pytest.mark.parametrize(
    ("spellings", "term"),
    [
        (("1,000", "1000", "1.000", "1k"), "1000"),
        (("$5 million", "$5M", "5,000,000", "5m", "5000000"), "5000000"),
        (("2.5 billion", "2.5bn", "2,500,000,000"), "2500000000"),
        (("10k", "10,000", "10 thousand"), "10000"),
        (("90 days", "90-day", "90 day's"), "90"),
        (("2.5", "2,5"), "2.5"),
        (("007",), "007"),
        (("10:30",), "30"),
    ],
)
def test_a_number_is_one_term_however_it_is_written(spellings, term):
    assert all(term in stems(spelling) for spelling in spellings)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "die Straßen STRASSE", ["strass", "strass"]),
        ("en", "die hard", ["die", "hard"]),
        ("de", "Züge Zuege", ["zug", "zug"]),
        ("fr", "L’entreprise, d'une réunion", ["entrepris", "reunion"]),  # noqa: RUF001
        ("ru", "Квантовые компьютеры", ["квантов", "компьютер"]),
        ("", "Running prices", ["running", "prices"]),
        ("xx", "Running", ["running"]),
        ("hi", "हिन्दी", ["हिन्द"]),
        ("ar", "مَرْحَبًا", ["مرحب"]),
    ],
)
def test_words_are_stemmed_as_their_language_does(language, text, expected):
    assert expected == [term for term in stems(text, language) if term != "zueg"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("量子计算机在未来十年", "计算机"), ("新しいオーブンは一晩で", "オーブン"), ("양자 컴퓨터는 십 년", "컴퓨터"),
        ("เตาอบใหม่อบขนมปัง", "ขนมปัง"), ("带足够的水。", "水"), ("ｵｰﾌﾞﾝ", "オーブン"), ("用iPhone买", "iPhone"),
        ("パン-屋", "屋"), ("ກ-ເ", "ກ"), ("1,0量", "量"),
    ],
)  # fmt: skip
def test_words_are_found_in_scripts_without_spaces(text, word):
    assert set(stems(word)) <= set(stems(text))


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("IŞIK", "ışık", "tr"), ("ıstakoz", "Istakoz", "tr"),  # noqa: RUF001
        ("oeuvre", "œuvre", "fr"), ("coeur", "Cœur", "fr"),
        ("dien", "điện", "vi"), ("smorrebrod", "smørrebrød", "da"), ("lodz", "Łódź", "pl"), ("aegypten", "Ægypten", "de"),
    ],
)  # fmt: skip
def test_a_word_is_found_by_its_plain_letters(one, other, language):
    assert set(stems(one, language)) & set(stems(other, language))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Do not give in", ["do", "_not", "give", "_in"]),
        ("state-of-the-art, it’s 10k", ["state", "_of", "_the", "art", "_it", "10k"]),  # noqa: RUF001
        ("to-do: follow-up 30-60", ["todo", "followup", "30", "60"]),
        ("量子计算 now", ["量子", "子计", "计算", "now"]),
    ],
)
def test_what_is_said_has_its_stop_words(text, expected):
    assert expected == [term.text for term in spoken(text)]
    assert all(text[term.begin : term.end] for term in spoken(text))


def test_marks_that_tell_letters_apart_stay():
    assert ["ガ", "カ", "й", "Cafe"] == [without_accents(text) for text in ("ガ", "カ", "й", "Café")]


@given(st.from_regex(r"[A-Za-z]{2,45}", fullmatch=True))
def test_a_word_alone_has_the_term_that_it_has_among_others(word):
    assert stems(word) * 2 == [term for term in stems(f"{word}, {word}") if len(term) <= 40][: 2 * len(stems(word))]


@given(
    st.text(st.sampled_from("aeiost1,.:'’_-. é量が") | st.characters(), max_size=40),  # noqa: RUF001
    st.sampled_from(["en", "de", "fr", ""]),
)
def test_any_text_has_terms_without_spaces_that_lie_in_their_token(text, language):
    assert all(term and " " not in term for term in stems(text, language))
    for token in (match[0] for match in tokens(text)):
        assert all(0 <= term.begin < term.end <= len(token) for term in terms_of(token, language))


def test_a_hashed_term_fits_in_32_bits_with_a_sign():
    assert all(-(1 << 31) <= hash_term(term) < 1 << 31 for term in ("", "price", "é", "x" * 40))
    assert hash_term("price") != hash_term("prices")
