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
        # the title knows a name, and nothing else
        (
            talk("A: I'm Ann Lee and you are listening to Calls. Pete, what is it?", "B: A boat."),
            {"title": "Half speed with Pete Kane", "people": ("Ann Lee",)},
            {"A": "Ann Lee", "B": "Pete Kane"},
        ),
        (talk("A: Welcome to the show, Pete.", "B: Hello."), {"title": "Pete Kane: Half speed"}, {"B": "Pete Kane"}),
        (
            talk("A: Pete, why half?", "B: It is enough.", "C: Hello."),
            {"title": "Pete Kane on speed"},
            {"B": "Pete Kane"},
        ),
        (talk("A: Hello there.", "B: Thanks for having me."), {"title": "Half speed with Pete Kane"}, {}),
        (
            talk("A: I'm Ann Lee and you are listening to Calls.", "B: Thanks for having me."),
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
        # one voice
        (talk("A: I'm Ann.", "A: Deals take time."), {"people": ("Ann Lee",)}, {"A": "Ann Lee"}),
        (talk("A: Deals take time.", "A: Take yours."), {"people": ("Ann Lee",), "hosts": ("Ann Lee",)}, {}),
    ],
)
def test_evidence_gives_a_name(segments, episode, expected):
    assert expected == names(segments, **episode)


TOM = "A: Welcome back to the Quota Room. I'm your host Tom. Today we talk about deals."
TALK = ("B: I say that it is one, and people laugh.", "A: What comes after that?", "B: I name one problem, and wait.")


@pytest.mark.parametrize(
    "title",
    [
        "Dealing with Imposter Syndrome", "How Tom fell out with Elon Musk", "Why Tom disagrees with Grant Cardone",
        "Growing with Less Effort", "Calls (not with Jane Smith)", "Breaking up with Jane Smith", "Lunch with Warren Kane: a plan",
        "Coffee with Milk Chocolate", "What is wrong with Salesforce Lightning", "Competing with Google Cloud",
        "Best of: with Jane Smith", "Coming soon: Jane Smith", "Next week: with Jane Smith", "Guest: Jane Smith",
        "My interview with Jane Smith, cancelled", "Chatting with Chat Robots", "Live with Front Row Seats",
        "A review of the book of Jane Smith", "Jane Smith: a life", "Jane Smith on calls", "With Great Power", "Calls | Jane Smith",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("asks", "people", "expected"),
    [
        ("So how do you open one?", ("Tom",), {"A": "Tom"}),  # the title alone is nobody's name
        ("Victor, how do you open one? Be brief, Victor. Do tell.", ("Tom",), {"A": "Tom"}),
        ("Our own Victor is here. So, Victor, how do you open one?", ("Tom", "Victor Adams"), {"A": "Tom", "B": "Victor Adams"}),
    ],
)  # fmt: skip
def test_a_title_alone_names_nobody(title, asks, people, expected):
    assert expected == names(talk(TOM, f"A: {asks}", *TALK), title=title, people=people, hosts=("Tom",))


@pytest.mark.parametrize(
    ("turns", "episode", "expected"),
    [
        # the only voice says who it is, or is several people's
        (["A: Coming soon to this feed. I'm Laura, and it is great."], {"people": ("Jane Smith",)}, {}),
        (["A: Hello, my name is Bob Miller. A word on Jane Smith."], {"people": ("Jane Smith",)}, {"A": "Bob Miller"}),
        (["A: Hello, my name is Bob. A word on Jane Smith."], {"people": ("Jane Smith",)}, {}),
        (["A: My guest today is Clara. First I listen, and I wait."], {"people": ("Clara",)}, {}),
        (["A: I'm Tom, and you are listening to Calls. It was good to have Clara. Thank you, Clara."], {"people": ("Tom", "Clara")}, {}),
        (["A: I'm Tom, and here is Clara. Clara, what do you do? First I listen."], {"people": ("Tom", "Clara")}, {}),
        # two people taken for one voice, and a sponsor's reader for the other
        (
            ["A: I'm Tom, and my guest is Clara. Clara, what do you do? I listen. Thanks for having me.", "B: Mugs and more mugs."],
            {"people": ("Tom", "Clara")},
            {},
        ),
        (["A: I'm Tom, and my guest today is Clara. First I listen."], {"people": ("Tom", "Clara")}, {}),
        (
            [TOM, "A: My guest today is Clara.", "B: Welcome to the show. Thanks for having me.", "C: A boat."],
            {"people": ("Tom",)},
            {"A": "Tom"},
        ),
        # what anybody may follow
        ([TOM, "B: Ask for one thing back.", "A: Thank you, Maria.", "C: Recorded in Bern."], {"people": ("Tom", "Maria")}, {"A": "Tom"}),
        ([TOM, "B: Ask for one thing.", "A: See you next week, Maria.", "C: And now the news."], {"people": ("Tom", "Maria")}, {"A": "Tom"}),
        # a sponsor's reader
        ([TOM, "A: My guest today is Clara.", "B: This is brought to you by Acme. Use promo code calls."], {"people": ("Tom",)}, {"A": "Tom"}),
        ([TOM, "A: Clara, what is it?", "B: This episode is brought to you by Acme."], {"people": ("Tom", "Clara")}, {"A": "Tom"}),
        # the voice has another name, or is asked by one
        ([TOM, "A: My guest today is Clara.", "B: And I'm Ruth. I help out."], {}, {}),
        ([TOM, "A: My guest today is Clara. Our own Ruth is here, too. Ruth, what is new?", "B: Little."], {}, {}),
        ([TOM, "A: So, Clara, what is it?", "B: I'm Ruth, and you are listening to Calls."], {"people": ("Tom", "Clara")}, {"A": "Tom"}),
        # the voice speaks to or of the person, or as a host
        ([TOM, "A: My guest today is Clara.", "B: Clara, how are you?", "A: Fine."], {}, {}),
        ([TOM, "A: My guest today is Clara Stern.", "B: Clara Stern is a hard one."], {}, {}),
        ([TOM, "A: My guest today is Clara.", "B: Welcome to the show."], {}, {}),
        (["A: I'm Tom and you are listening to Calls.", "A: Thank you, Tom."], {"people": ("Tom",)}, {}),
        (["A: I'm Tom and you are listening to Calls.", "A: Thank you, Tom.", "B: Bye."], {"people": ("Tom",)}, {}),
        # a word with a capital that is no name
        (["A: My guest today is Bo Oz.", "B: A boat.", "A: Fantastic, what next?", "B: Two."], {}, {"B": "Bo Oz"}),
        # a person of the feed who is elsewhere
        ([TOM, "A: Clara is away today. Do you know my co-host, Clara?", "B: I do."], {"people": ("Tom", "Clara")}, {"A": "Tom"}),
        ([TOM, "A: Next week my guest is Clara Stern.", "B: I see."], {"people": ("Tom", "Clara Stern")}, {"A": "Tom"}),
        ([TOM, "A: My guest last year was Clara Stern.", "B: I see."], {"people": ("Tom", "Clara Stern")}, {"A": "Tom"}),
        # a person whom the question is about, or one who interrupts
        ([TOM, "A: Elon Musk, what is his plan?", "B: I do not know."], {"title": "Elon Musk: a plan", "people": ("Tom",)}, {"A": "Tom"}),
        ([TOM, "A: So, Imposter Syndrome, what is it?", "B: A fear."], {"title": "On with Imposter Syndrome", "people": ("Tom",)}, {"A": "Tom"}),
        ([TOM, "A: So, Ann, what is new?", "B: Can I add one thing?", "C: Do."], {"people": ("Tom", "Ann Lee")}, {"A": "Tom"}),
        (["A: I'm Laura and you are listening to Calls. That is a great result, Ben."], {"people": ("Laura",)}, {}),
        # panels: each by their own name; none where two voices answer to one, or two people have one
        (
            ["A: Ann, what is new?", "B: A boat.", "A: Bo, what about you?", "C: Two.", "A: Well, Ann?", "B: Three."],
            {"people": ("Ann Lee", "Bo Oz")},
            {"B": "Ann Lee", "C": "Bo Oz"},
        ),
        (["A: Ann, what is new?", "B: A boat.", "A: Ann, what else?", "C: Two."], {"people": ("Ann Lee", "Bo Oz")}, {}),
        (["A: Ann, what is new?", "B: A boat.", "A: Ann, what else?", "C: I'm Ruth, and I know."], {"people": ("Ann Lee", "Bo Oz")}, {}),
        (["A: Ann, what is new?", "B: A boat.", "A: Hm."], {"people": ("Ann Lee", "Ann Oz")}, {}),
        (["A: We are joined by Ann Lee and Bo Oz.", "B: Hello.", "A: Hello."], {}, {}),
        # a host whom the feed lists as one of the guests
        (["A: I'm Ann Lee and you are listening to Calls. Bo, why?", "B: So."], {"people": ("Bo Oz", "Ann Lee")}, {"A": "Ann Lee", "B": "Bo Oz"}),
        # other scripts, initials, titles before a name
        (["A: Ruth, what is new?", "B: A boat."], {"people": ("רות כהן", "Иван Петров")}, {}),
        (["A: So, Анна, what is new?", "B: A boat."], {"people": ("Анна Петрова", "Bo Oz")}, {"B": "Анна Петрова"}),
        (["A: Привет, Анна, как дела?", "B: Хорошо."], {"people": ("Анна Петрова", "Bo Oz")}, {}),  # an unknown greeting
        (["A: 田中, what is new?", "B: A boat."], {"people": ("田中", "Bo Oz")}, {"B": "田中"}),
        (["A: My guest today is Dr. Clara Stern. Dr. Stern, what is new?", "B: A boat."], {}, {"B": "Clara Stern"}),
        (["A: Hello, my name is J. R. Moss.", "B: Good."], {"people": ("J R Moss",)}, {"A": "J R Moss"}),
        # what no person is called
        (["A: I'm Laura.", "B: Good."], {"people": ("Laura <b>Kane</b>", "")}, {}),
        (["A: I'm Laura.", "B: Good."], {"people": ("Laura: the host",)}, {}),
        (["A: I'm Laura.", "B: Good."], {"people": ("Laura 7", "Speaker 2")}, {}),
    ],
)  # fmt: skip
def test_what_speaks_against_a_name_removes_it(turns, episode, expected):
    assert expected == names(talk(*turns), **episode)


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


@pytest.mark.parametrize(("seconds", "expected"), [(1.5, {}), (2.5, {}), (20, {"B": "Bo Oz"})])
def test_who_answers_in_a_word_or_hardly_ever_speaks_may_be_another(seconds, expected):
    """The edges of a turn of a second are not sure, and a sponsor's message may follow the question."""
    segments = [Segment(0, 40, "So, Bo, what is new?", "Speaker 1"), Segment(40, 40 + seconds, "A boat.", "Speaker 2")]
    assert names(segments, people=("Ann Lee", "Bo Oz")) == expected
    more = (
        [Segment(60, 70, "Go on.", "Speaker 1"), Segment(70, 99, "It is all new.", "Speaker 2")] if seconds < 2 else []
    )
    assert names([*segments, *more], people=("Ann Lee", "Bo Oz")) == expected


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
