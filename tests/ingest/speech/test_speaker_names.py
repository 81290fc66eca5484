"""Names of voices: on the sample all of those that can be known, and nowhere a wrong one."""

import json
from collections import Counter
from itertools import count

import pytest

from ingest.feeds.parse import parse
from ingest.models import Episode, Segment
from ingest.speech.attribution import told_apart
from ingest.speech.diarize import VoiceTurn
from ingest.speech.segments import Word
from ingest.speech.speaker_names import find_names, named
from tests.conftest import ROOT
from tests.sample.host import fill_feed

FOLDER = ROOT / "tests" / "sample"
TIMES = json.loads((FOLDER / "times.json").read_text())
UNNAMED = "Announcer"  # nobody says or writes who reads the sponsor's message


def talk(*turns):
    """Segments of five seconds: `A: text`, `B: text`."""
    starts = count(0.0, 5.0)
    parts = [turn.split(": ", 1) for turn in turns]
    return [
        Segment(start, start + 5, text, f"Speaker {'ABC'.index(who) + 1}")
        for (who, text), start in zip(parts, starts, strict=False)
    ]


def names(segments, **episode):
    found = find_names(segments, Episode("the-quota-room", "g", **{"title": "Calls"} | episode))
    return {"ABC"[int(speaker.split()[1]) - 1]: one.name for one in found for speaker in [one.speaker]}


def sample_words(lines):
    for line in lines:
        said = line["text"].split()
        each = (line["end"] - line["start"]) / len(said)
        yield from (
            Word(line["start"] + i * each, line["start"] + (i + 1) * each, f" {word}") for i, word in enumerate(said)
        )


def sample_episode(stem):
    feed = parse("https://q.example/feed.xml", fill_feed("https://q.example"))
    return next(one for one in feed.episodes if stem in one.audio_url)


@pytest.mark.parametrize("stem", sorted(TIMES))
def test_the_samples_people_are_named_and_nobody_is_misnamed(stem):
    lines = TIMES[stem]
    turns = [VoiceTurn(line["start"], line["end"], f"voice of {line['speaker']}") for line in lines]
    segments, evidence = named(told_apart(list(sample_words(lines)), turns), sample_episode(stem))

    truth = Counter()
    for segment in segments:
        middle = (segment.start + segment.end) / 2
        truth[next(line["speaker"] for line in lines if line["end"] >= middle), segment.speaker] += (
            segment.end - segment.start
        )
    right = sum(
        seconds
        for (who, called), seconds in truth.items()
        if called == who or (who == UNNAMED and called[:8] == "Speaker ")
    )
    assert right / truth.total() >= 0.9
    assert {called for _, called in truth} - {"Speaker 2"} == set(evidence) <= {line["speaker"] for line in lines}
    assert all(one["kind"] and one["quote"] for one in evidence.values())


@pytest.mark.parametrize(
    ("segments", "episode", "expected"),
    [
        (talk("A: My name is Ann Lee, and I sell.", "B: Good for you."), {}, {"A": "Ann Lee"}),
        (talk("A: I’m Ann Lee and you’re listening to Calls.", "B: Hello."), {}, {"A": "Ann Lee"}),  # noqa: RUF001
        (talk("A: I'm Ann.", "B: Hello."), {"people": ("Ann Lee", "Bo Oz")}, {"A": "Ann Lee"}),
        (talk("A: I'm Anne Leigh.", "B: Hello."), {"people": ("Ann Lee",)}, {}),  # not plainly the same
        (talk("A: I'm Pete Kazanji.", "B: Hello."), {"people": ("Pete Kazanjy",)}, {"A": "Pete Kazanjy"}),
        # brought in, with two voices; with three only who answers to the name
        (talk("A: My guest today is Bo Oz.", "B: Thank you."), {}, {"B": "Bo Oz"}),
        (talk("A: My guest today is Bo Oz.", "B: Thank you.", "C: Hello."), {}, {}),
        (talk("A: My guest today is Bo Oz. Bo, what is it?", "B: A boat.", "C: Hello."), {}, {"B": "Bo Oz"}),
        (
            talk("A: My guests are Bo and Cy.", "B: Thank you.", "A: Bo, why?", "B: So."),
            {"people": ("Bo", "Cy")},
            {"B": "Bo"},
        ),
        # the title, with two voices and a known host
        (
            talk("A: I'm Ann Lee and you are listening to Calls.", "B: Thanks for having me."),
            {"title": "Half speed with Pete Kane"},
            {"A": "Ann Lee", "B": "Pete Kane"},
        ),
        (talk("A: Hello there.", "B: Thanks for having me."), {"title": "Half speed with Pete Kane"}, {}),
        (
            talk("A: I'm Ann Lee and you are listening to Calls.", "B: Thanks.", "C: Hello."),
            {"title": "Half speed with Pete Kane"},
            {"A": "Ann Lee"},
        ),
        (
            talk(
                "A: I'm Ann Lee and you are listening to Calls. We try to learn from Pete Kane.",
                "B: Kane is a hard man.",
            ),
            {"title": "Lessons with Pete Kane"},
            {"A": "Ann Lee"},
        ),
        # one person of one voice
        (
            talk("A: Deals take time.", "A: Take yours."),
            {"people": ("Ann Lee",), "hosts": ("Ann Lee",)},
            {"A": "Ann Lee"},
        ),
        (talk("A: Deals take time."), {"people": ("Ann Lee", "Bo Oz"), "hosts": ("Ann Lee",)}, {}),
    ],
)
def test_evidence_gives_a_name(segments, episode, expected):
    assert expected == names(segments, **episode)


@pytest.mark.parametrize(
    "said",
    [
        "I'm sorry, I'm late.", "I'm Happy to be here.", "I'm from Texas.", "I met Ann Lee at work.",
        "He said I'm Ann Lee.", "And he goes, I'm Ann Lee.", "They call me, like, my name is Ann Lee.",
        "Ann Lee wrote a book about it.", "Ann Lee's book is good.", "I'm Ann Lee's brother.", "You think I'm Ann Lee?",
        "This is Ann Lee's idea.", "This episode is brought to you by Acme. Hi, I'm Ann Lee.",
        "Visit acme.com. I'm Ann Lee, founder of Acme.", "My guest last week was Ann Lee.", "Next week my guest is Ann Lee.",
        "I'm Catholic.", "I'm Big Bird.", "Ann said hello.", "I told Ann, stop.",
    ],
)  # fmt: skip
@pytest.mark.parametrize("people", [(), ("Ann Lee", "Bo Oz")])
def test_nobody_gets_a_name_from_words_about_others(said, people):
    assert {} == names(
        talk(f"A: {said}", "B: I see. That is a long story.", "A: It is."), people=people, hosts=people[1:]
    )


def test_evidence_that_disagrees_names_nobody():
    assert {} == names(talk("A: My name is Ann Lee.", "B: Yes.", "A: My name is Bo Oz.", "B: No."))
    assert {} == names(talk("A: My name is Ann Lee.", "B: My name is Ann Lee."))


def test_a_late_or_short_claim_is_none():
    early = [
        Segment(5.0 * n, 5.0 * n + 5, "Words and words and more words go on here.", f"Speaker {n % 2 + 1}")
        for n in range(80)
    ]
    assert {} == names([*early, Segment(400, 405, "My name is Ann Lee.", "Speaker 1")])
    assert {} == names([Segment(0, 1.0, "My name is Ann Lee.", "Speaker 1"), Segment(1, 9, "And so on.", "Speaker 2")])


@pytest.mark.parametrize(("seconds", "expected"), [(0.5, {}), (2.5, {"B": "Bo Oz"}), (30, {"B": "Bo Oz"})])
@pytest.mark.parametrize("title", ["Calls", "Calls with Bo Oz"])
def test_a_voice_that_hardly_speaks_is_no_guest(seconds, expected, title):
    """It may be a sponsor's, and host and guest one voice to the machine."""
    said = "I'm Ann Lee and you are listening to Calls. My guest today is Bo Oz."
    segments = [Segment(0, 20, said, "Speaker 1"), Segment(20, 20 + seconds, "Deals take time.", "Speaker 2")]
    assert names(segments, title=title) == {"A": "Ann Lee"} | expected


def test_one_voice_without_a_name_has_no_label():
    segments, evidence = named(talk("A: Deals take time.", "A: Take yours."), Episode("q", "g", "Calls"))
    assert ({""}, {}) == ({one.speaker for one in segments}, evidence)
