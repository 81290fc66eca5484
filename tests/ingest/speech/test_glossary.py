"""Names: what is listened for, and what is put right after decoding."""

import pytest

from ingest.errors import HomeError
from ingest.models import Episode, Segment
from ingest.speech.glossary import Glossary, correct, hotwords, parse_glossary, read_glossary
from tests.cpu import cpu_seconds


def said(text, **rules):
    glossary = Glossary(corrections=tuple((wrong.replace("_", " "), right) for wrong, right in rules.items()))
    segments, changes = correct([Segment(2.5, 4.0, text, "Mara")], glossary)
    return segments[0].text, changes


def episode(title="An episode", **more):
    return Episode("podcast", "guid", title, **more)


def test_a_glossary_names_terms_and_corrections_and_says_which_lines_it_cannot_read():
    text = "# our names\nHubSpot\n\nhub spot -> HubSpot # heard often\ngong=>Gong\nfore cost → forecast\n-> x\na -> b -> c\nC#\n"
    text += "F# -> F sharp # not `F`\nA# and B#\t# both\n"
    glossary = parse_glossary(text)
    assert glossary.terms == ("HubSpot", "Gong", "forecast", "C#", "F sharp", "A# and B#")
    assert dict(glossary.corrections) == {
        "hub spot": "HubSpot",
        "gong": "Gong",
        "fore cost": "forecast",
        "F#": "F sharp",
    }
    assert [warning[:6] for warning in glossary.warnings] == ["line 7", "line 8"]


def test_a_glossary_that_is_not_there_is_empty_and_one_that_is_no_text_is_an_error(tmp_path):
    assert Glossary() == read_glossary(tmp_path / "none.txt")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(HomeError, match="UTF-8"):
        read_glossary(tmp_path / "bad.txt")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We use hub spot.", "We use HubSpot."),
        ("Hub  Spot's price", "HubSpot's price"),
        ("hub spotted github spot", "hub spotted github spot"),
        ("(hub spot)", "(HubSpot)"),
        ("HUB SPOT", "HubSpot"),
        ("We use HubSpot.", "We use HubSpot."),
        ("", ""),
    ],
)
def test_a_name_is_put_right_at_word_borders_only_and_written_as_the_glossary_has_it(text, expected):
    assert expected == said(text, hub_spot="HubSpot")[0]


@pytest.mark.parametrize(
    ("text", "expected"), [("fourcast", "forecast"), ("Fourcast", "Forecast"), ("FOURCAST", "FORECAST")]
)
def test_a_common_word_keeps_the_case_of_what_it_replaces(text, expected):
    assert expected == said(text, fourcast="forecast")[0]


def test_what_was_put_right_is_recorded_with_both_forms_and_its_time():
    text, changes = said("Ask gong, then Gong, then gong.", gong="Gong")
    assert text == "Ask Gong, then Gong, then Gong."
    assert changes == [{"wrong": "gong", "right": "Gong", "times": [2.5, 2.5]}]


def test_corrections_are_not_chained_and_the_longest_wins():
    assert (
        said("a b x y", a="b", b="c", x_y="z", x="q")[0],
        len(said("a b x y", a="b", b="c", x_y="z")[1]),
    ) == ("b c z", 3)


def test_signs_with_a_meaning_in_patterns_are_taken_literally():
    assert said("the c plus plus course (v.2)", c_plus_plus="C++", **{"(v.2)": "(v2)"})[0] == "the C++ course (v2)"


def test_speaker_and_times_stay():
    segments, _ = correct([Segment(2.5, 4.0, "a", "Mara")], Glossary(corrections=(("a", "b"),)))
    assert (Segment(2.5, 4.0, "b", "Mara"),) == segments


def test_hotwords_are_the_glossary_then_people_and_the_podcast_then_the_guest():
    found = hotwords(
        episode("Selling with Victor Roy", people=("Laura", "Łukasz  Nowak"), author="The Quota Room"),
        parse_glossary("fourcast -> forecast\nGong\nLaura"),
    )
    assert found == ("forecast", "Gong", "Laura", "Łukasz Nowak", "The Quota Room", "Victor Roy")


def test_hotwords_stay_within_their_room():
    people = tuple(f"Person{number}" for number in range(100))
    found = hotwords(episode(people=people), most=50)
    assert people[:5] == found[:5]
    assert sum(len(word) + 2 for word in found) <= 50


def test_an_episode_without_names_gives_no_hotwords():
    assert hotwords(episode("on selling", summary="how Grace Miller sells.")) == ()


@pytest.mark.parametrize("title", ["with A ", "with A de de ", "with Ann' ", "A. ", "with Ann, ", "with " + "A'" * 50])
def test_a_hostile_title_costs_little_time(title):
    assert cpu_seconds(hotwords, episode(title * (20_000 // len(title)))) < 1
    assert cpu_seconds(hotwords, episode("with Ann" + title[4:] * (100_000 // len(title[4:] or " ")))) < 1
