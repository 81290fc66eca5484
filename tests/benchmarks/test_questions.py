import json

import pytest

from ingest.errors import NotFoundError, QueryError
from tests.benchmarks.questions import Judged, Place, plain, read_questions

WORDS = ["ann", "ask", "twice", "ben", "and", "then", "wait"]
GOOD = {"id": "a", "question": "what to do?", "type": "named", "episode_id": "guid/1", "span": "Ask twice."}


def words_of(episode):
    if episode != "guid/1":
        raise NotFoundError(episode, "no such episode in the library")
    return WORDS


def read(*rows):
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    return read_questions(lines, "judged.jsonl", words_of)


def test_a_place_is_told_by_its_words_by_numbers_of_words_or_by_seconds():
    bare = {"question": "q", "type": "t", "episode_id": "guid/1"}

    assert [
        Place("guid/1", "Ask twice."),
        Place("guid/1", "ask twice ben"),
        Place("guid/1", seconds=(1, 2.5)),
    ] == [
        read({**bare, **place})[0].places[0]
        for place in ({"span": "Ask twice."}, {"first": 1, "last": 3}, {"start": 1, "end": 2.5})
    ]


def test_further_places_answer_too_and_nothing_answers_where_none_is_given():
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
        ("{", "is not JSON"),
        ("[]", "is not an object"),
        ("[" * 100_000, "recursion"),
        ({**GOOD, "question": " ?"}, "`question` must be"),
        ({**GOOD, "question": "why " * 300}, "`question` must be"),
        ({**GOOD, "question": 5}, "`question` must be text, not 5"),
        ({**GOOD, "question": "why \ud800?"}, "surrogates not allowed"),
        ({**GOOD, "type": "all"}, "the type 'all' means something else"),
        ({**GOOD, "span": ""}, "names the episode 'guid/1' but no `span`"),
        ({**GOOD, "span": "…"}, "`span` holds no words"),
        ({**GOOD, "episode_id": ""}, "not in which `episode_id`"),
        ({**GOOD, "alt_spans": "Ask."}, "`alt_spans` must be a list"),
        ({**GOOD, "alt_spans": [{"span": "Ask."}]}, "not in which `episode_id`"),
        ({**GOOD, "first": 1}, "`first` and `last` must both be numbers"),
        ({**GOOD, "first": 3, "last": 1}, "`first` and `last` must both be numbers"),
        ({**GOOD, "first": 0, "last": 7}, "ends at word 7 of 'guid/1', which has 7"),
        ({**GOOD, "episode_id": "guid/9", "first": 0, "last": 1}, "guid/9: no such episode"),
        ({**GOOD, "start": float("nan"), "end": 2}, "`start` and `end` must both be numbers"),
        ({**GOOD, "id": "z"}, "the id 'z' is taken"),
    ],
)
def test_a_bad_line_is_one_plain_error_that_names_it(line, reason):
    with pytest.raises(QueryError) as caught:
        read({**GOOD, "id": "z"}, line)

    told = str(caught.value)
    assert told.startswith("judged.jsonl:2: "), told
    assert reason in told
    assert "\n" not in told


def test_no_questions_are_an_error():
    with pytest.raises(QueryError, match=r"judged\.jsonl: holds no questions"):
        read("", "  ")
