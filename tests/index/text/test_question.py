import pytest

from index.text.question import ask, corrected, lacking, leading_languages, phrases, without_quotes

COUNTS = dict.fromkeys(
    ("followup", "follow", "onboard", "board", "oneonon", "one", "cold", "call", "preis", "price"), 5
)


def forms(text, *languages, counts=COUNTS, **options):
    return [set(term.forms) for term in ask(text, languages or ["en"], counts, **options).terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"product market fit" and why', ["product market fit"]),
        ("“one on one” or „zwei Worte“ or «trois mots»", ["one on one", "zwei Worte", "trois mots"]),
        ('a "b" c "d', ["b"]),
        ('no 5" pipe', []),
        ('"" " " "?"', []),
    ],
)
def test_phrases_stand_in_quotes_and_a_single_quote_is_a_character(text, expected):
    assert expected == phrases(text)


def test_the_quotes_of_phrases_are_taken_away_and_others_stay():
    assert 'why product fit and 5" pipe' == without_quotes('why "product  fit" and 5" pipe')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("follow-up plan", [{"followup"}, {"plan"}]),
        ("follow up plan", [{"follow", "followup"}, {"up"}, {"plan"}]),
        ("on-boarding", [{"onboard"}]),
        ("one-on-one", [{"oneonon"}]),
        ("one on one", [{"oneonon"}]),
        ("cold-calling", [{"cold", "coldcal"}, {"call", "coldcal"}]),
        ("left-over", [{"left"}, {"over"}]),
        ("price prices", [{"price"}]),
        ("10k", [{"10k", "10000"}]),
        ("量子计算", [{"量子"}, {"子计"}, {"计算"}]),
    ],
)
def test_a_thing_asked_for_has_the_forms_it_may_be_written_in(text, expected):
    assert expected == forms(text)[: len(expected)]


def test_a_compound_that_nobody_writes_as_one_word_is_asked_for_in_parts():
    assert [{"one"}] == forms("one-on-one", counts={"one": 3})


def test_the_forms_of_a_word_in_several_languages_are_one_term():
    assert [{"price", "pric"}] == forms("prices", "en", "de")
    assert [{"preis"}] == forms("die Preise", "de", "en")[:1]
    assert [{"die"}, {"hard"}] == forms("die hard", "en")


def test_the_stop_words_of_the_language_asked_in_are_left_out():
    assert ["de"] == leading_languages("wie hoch sind die Preise", ["de", "en"])
    assert ["de", "en"] == leading_languages("Preise", ["de", "en"])


def test_the_most_frequent_form_stands_for_a_term():
    [term] = ask("prices", ["en", "de"], {"price": 2, "pric": 9}).terms
    assert "pric" == term.term


def test_words_that_nobody_says_are_corrected_where_they_stand():
    assert ["forcast"] == lacking('the "price" forcast', ["en"], COUNTS)
    assert 'a "sales forecast", forecast' == corrected('a  "sales forcast", forcast', {"forcast": "forecast", "x": ""})


def test_what_is_a_question_is_no_subject():
    assert [False, False, True] == [term.is_subject for term in ask("how my quota", ["en"], {}).terms]
