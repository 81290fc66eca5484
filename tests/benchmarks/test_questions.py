import json

import pytest

from tests.benchmarks.questions import Judged, Place, plain, read_questions

WORDS = ["ann", "ask", "twice", "ben", "and", "then", "wait"]
GOOD = {"id": "a", "question": "what to do?", "type": "named", "episode_id": "guid/1", "span": "Ask twice."}


@pytest.fixture
def read(tmp_path):
    def read(*entries):
        path = tmp_path / "judged.jsonl"
        path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in entries))
        return read_questions(path, lambda _: WORDS)

    return read


def test_a_place_is_told_by_its_words_by_numbers_of_words_or_by_seconds(read):
    bare = {"question": "q", "type": "t", "episode_id": "guid/1"}

    assert [
        Place("guid/1", "Ask twice."),
        Place("guid/1", "ask twice ben"),
        Place("guid/1", seconds=(1, 2.5)),
    ] == [
        read({**bare, **place})[0].places[0]
        for place in ({"span": "Ask twice."}, {"first": 1, "last": 3}, {"start": 1, "end": 2.5})
    ]


def test_further_places_answer_too_and_nothing_answers_where_none_is_given(read):
    first, second, third = read(
        {**GOOD, "alt_spans": [{"episode_id": "guid/2", "span": "Twice, ask."}]},
        "",
        {"id": "b", "question": "why?", "type": "unanswerable", "episode_id": "", "span": "", "alt_spans": []},
        {"question": "when?", "episode_id": None, "span": None},
    )

    assert first.places == (Place("guid/1", "Ask twice."), Place("guid/2", "Twice, ask."))
    assert Judged("b", "why?", "unanswerable", ()) == second
    assert Judged("line 4", "when?", "question", ()) == third


def test_plain_words_know_letters_of_any_alphabet():
    assert plain("Où — c’est «Naïve» №5_x?") == " où cest naïve 5 x "  # noqa: RUF001


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "Expecting"),
        ("[]", "list indices"),
        ({**GOOD, "question": " ?"}, "`question` holds no words"),
        ({**GOOD, "question": 5}, "int"),
        ({**GOOD, "span": ""}, "names the episode 'guid/1' but no `span`"),
        ({**GOOD, "span": "…"}, "`span` holds no words"),
        ({**GOOD, "episode_id": ""}, "not in which `episode_id`"),
        ({**GOOD, "alt_spans": [{"span": "Ask."}]}, "not in which `episode_id`"),
        ({**GOOD, "first": 1}, "'last'"),
        ({**GOOD, "first": 0, "last": 7}, "words 0 to 7 are not in 'guid/1', which has 7"),
        ({**GOOD, "span": "", "start": 3, "end": 2}, "must be seconds, in order"),
        ({**GOOD, "id": "z"}, "the id 'z' is taken"),
    ],
)
def test_a_bad_line_is_one_error_that_names_it(read, line, reason):
    with pytest.raises(ValueError, match=r"judged\.jsonl:2: ") as caught:
        read({**GOOD, "id": "z"}, line)

    assert reason in str(caught.value)


def test_no_questions_are_an_error(read):
    with pytest.raises(ValueError, match="holds no questions"):
        read("", "  ")
