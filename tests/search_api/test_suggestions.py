import pytest

from ingest.models import Episode, Transcript, Turn
from search_api.suggestions import asked_in, standing_alone, suggestions


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("Victor, how do you open a cold call?", "How do you open a cold call?"),
        ("So when is the best time to call?", "When is the best time to call?"),
        ("What makes a good pipeline review?", "What makes a good pipeline review?"),
        ("Why do people leave a growing team?", "Why do people leave a growing team?"),
        ("What comes after that?", ""),
        ("How do you do it?", ""),
        ("What do you think about the price?", ""),
        ("How did you get into selling shoes?", ""),
        ("Is there a better way to sell?", ""),
        ("What is the future of Acme Corporation?", ""),
    ],
)
def test_a_question_is_offered_only_where_it_can_be_understood_alone(sentence, question):
    assert standing_alone(sentence) == question


def test_the_questions_of_a_transcript_that_say_most_come_first():
    turns = (
        Turn("Hello. How do you sell well? What is that?", "Ann"),
        Turn("How do you price a discount for a loyal buyer? Yes."),
    )
    found = asked_in(Transcript(Episode("p", "g", "On discounts"), turns))
    assert found == ["How do you price a discount for a loyal buyer?", "How do you sell well?"]


THERE = {
    "questions": ["How do you price a discount?"],
    "speakers": ["Maria Prime", "Victor"],
    "episodes": [("k1", "Prices and other lies"), ("k2", "First calls")],
    "podcasts": [("selling-well", "Selling Well")],
}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("pri", [("question", "/?q=How+do+you+price+a+discount%3F"), ("speaker", "/?speaker=Maria+Prime"), ("episode", "/episodes/k1")]),
        ("PRICES li", [("episode", "/episodes/k1")]),
        ("sell", [("podcast", "/?podcast=selling-well")]),
        ("p", []),
        ("", []),
        ("zzz", []),
    ],
)  # fmt: skip
def test_what_begins_with_the_typed_words_is_suggested(typed, found):
    assert [(one.kind, one.address) for one in suggestions(typed, **THERE)] == found


def test_suggestions_are_few():
    episodes = [(f"k{n}", f"Prices, part {n}") for n in range(50)]
    assert len(suggestions("prices", [], [], episodes, [])) == 8
