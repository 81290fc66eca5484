from typing import NamedTuple

import pytest

from index.text.adverts import GAP, HANDED, MAX_MESSAGE, find_adverts
from tests.cpu import cpu_seconds

TALK = "We were talking about how hard it is to hire."


class Said(NamedTuple):
    text: str
    turn: int = 0
    speaker: str = ""


def adverts(said):
    """The sentences taken for a sponsor's message."""
    return [one.text for one, mark in zip(said, find_adverts(said), strict=True) if mark]


def in_one_turn(*sentences):
    return adverts([Said(text) for text in sentences])


def in_turns(*said):
    """Of (speaker, sentence, …) for each turn."""
    return adverts([Said(text, n, speaker) for n, (speaker, *texts) in enumerate(said) for text in texts])


@pytest.mark.parametrize(
    "opening",
    [
        "This episode is brought to you by Paperlane.",
        "Today's sponsor, Paperlane, files receipts for you.",
        "The show is supported by Paperlane.",
        "THANKS TO PAPERLANE FOR SPONSORING US.",
        "Let me thank the sponsors of today’s show.",  # noqa: RUF001 - the typographic one is meant
        "And now a word from our sponsor.",
        "I am glad to have Paperlane here, one of our podcast sponsors.",
    ],
)
def test_a_message_that_names_its_sponsor_is_one(opening):
    assert [opening] == in_one_turn(TALK, opening, TALK)


@pytest.mark.parametrize(
    ("opening", "last"),
    [
        ("This week is brought to you by Paperlane.", "Go to paperlane.com."),
        ("This week is brought to you by Paper Lane.", "Paper Lane files receipts."),
        ("This week is brought to you by our friends at Paperlane, who file receipts.", "File them with Paperlane."),
        ("Brought to you by Paperlane.", "Get $100 off your first year."),
        ("Brought to you by paperlane.", "That is P-A-P-E-R dot C-O slash show."),
    ],
)
def test_it_reaches_to_where_it_last_names_its_sponsor_or_calls_to_act(opening, last):
    message = [opening, "They never pile up again.", last]
    assert message == in_one_turn("Welcome.", *message, "So, how did you begin?", "I began by selling shoes.")


def test_it_reaches_no_further_than_a_message_lasts():
    opening, call = "Brought to you by Paperlane.", "Go to paperlane.com."

    def filler(count):
        return [f"number {n} is about hiring." for n in range(count)]

    assert [opening, *filler(MAX_MESSAGE - 1), call] == in_one_turn(opening, *filler(MAX_MESSAGE - 1), call)
    assert [opening] == in_one_turn(opening, *filler(MAX_MESSAGE), call)
    other = "Go to elsewhere.com."  # names another site, so only a near one counts
    assert [opening, *filler(GAP - 1), other] == in_one_turn(opening, *filler(GAP - 1), other)
    assert [opening] == in_one_turn(opening, *filler(GAP), other)


def test_it_ends_with_its_turn():
    opening, reply, call = "Brought to you by Paperlane.", "I use that myself.", "Sign up today at paperlane.com."
    assert [opening, call] == adverts([Said(opening, 0), Said(reply, 1), Said(call, 2)])


def test_who_introduces_the_guest_before_the_message_is_not_in_it():
    handing = "With that I bring you Ann after a short word from our sponsor."
    assert len(handing.split()) > HANDED
    message = ["Receipts pile up.", "Nobody likes that.", "Send them to Paperlane.", "Visit paperlane.com/show."]
    assert message == in_one_turn(TALK, handing, *message, "Ann, welcome.")
    house = "Please subscribe in your podcast app."
    assert message[2:] == in_one_turn(TALK, handing, house, *message, "Ann, welcome.")


@pytest.mark.parametrize(
    "message",
    [
        ["Paperlane files receipts.", "They never pile up again.", "Check it out at paperlane.com/show."],
        ["Paperlane files receipts.", "They never pile up again.", "Go to paperlane dot com slash show."],
        [
            "Paperlane files receipts.",
            "They never pile up again.",
            "Visit paperlane.com.",
            "Again, that's paperlane.com.",
        ],
        ["Paperlane files receipts.", "Use code SHOW.", "That is paperlane dot com."],
        ["Paperlane files receipts.", "Sign up at paperlane.com for 20% off."],
        [
            "Meet Paperlane Ledger, for receipts.",
            "No more piles.",
            "See Paperlane Ledger today.",
            "Try it at lane.io/show.",
        ],
    ],
)
def test_a_message_without_an_opening_is_told_by_how_it_gives_the_address(message):
    assert message == in_one_turn("We hired three people.", *message, "Then two left.")


def test_one_address_given_twice_is_one_message():
    between = [f"number {n} of the many reasons to try it." for n in range(GAP + 3)]
    first, last = "Head over to paperlane.com/show.", "Once more, go to paperlane.com/show."
    assert [first, *between, last] == in_one_turn(TALK, first, *between, last, TALK)


@pytest.mark.parametrize("offer", ["Use the code quota at checkout.", "Get $20 off.", "There is a free trial for you."])
@pytest.mark.parametrize(("voice", "marked"), [("Speaker 3", True), ("Carl", False), ("", False)])
def test_a_voice_without_a_name_that_is_heard_once_and_makes_an_offer_reads_a_message(offer, voice, marked):
    talk = [("Speaker 1", *[TALK] * 6), ("Speaker 2", *[f"A Speaker 3 said {TALK}"] * 6)] * 3
    message = [(voice, "Paperlane keeps your notes.", offer)]
    assert (list(message[0][1:]) if marked else []) == in_turns(*talk, *message, *talk)
    assert [] == in_turns(*talk, (voice, "Paperlane keeps your notes."), *talk)
    assert [] == in_turns(*talk, *message, (voice, *[TALK] * 9), *talk)  # a guest says more


def test_a_voice_heard_only_there_is_an_interview_with_the_sponsor():
    talk = [("Ann", *[TALK] * 8), ("Ben", *[TALK] * 8)] * 4
    interview = [
        ("Ann", "Hey Carl from Paperlane."),
        ("Carl", "Hey Ann."),
        ("Ann", "What is new?"),
        ("Carl", "We now file bills, too."),
        ("Ann", "That is great.", "Learn more at paperlane.com."),
    ]
    said = [text for _, *texts in interview for text in texts]
    assert said == in_turns(*talk, *interview, *talk)
    assert [] == in_turns(*talk, *interview[:4], ("Ann", "That is great."), *talk)  # a caller, who gives no address
    assert [] == in_turns(*talk[:2], *[*interview[:4], ("Carl", *[TALK] * 8), interview[4]], *talk[:2])  # a guest


@pytest.mark.parametrize(
    "said",
    [
        "My sponsor in the programme was a patient man.",
        "Every big deal needs a sponsor who has a budget.",
        "Find the sponsor inside the account before you write a proposal.",
        "The sponsors were the people who lost their nerve first.",
        "The sponsor is the one who signs, and the champion is who pushes.",
        "It works for a lot of our sponsors and for some of yours.",
        "I bought example.com in 1999 and sold it again.",
        "We gave forty percent off and it nearly ruined us.",
        "My view is supported by research, and it was presented by my boss.",
        "The project was sponsored by finance.",
        "Nobody supported by his manager quits.",
        "He thanked us for the support.",
        "If you look at example.com today, it looks like all the others.",
        "You can find me at example.com, and on most platforms.",
        "We wrote it down, go to example.com/handbook and read it.",
        "Check out the video at youtube.com/watch.",
        "You can find all past episodes or learn more about the show at example.com/show.",
        "",
    ],
)
def test_talk_of_sponsors_and_sites_is_no_advert(said):
    assert [] == in_one_turn("How did it go?", said, "And then we grew for a year.")


@pytest.mark.parametrize(
    "answer",
    ["Go to example.com, and for jobs go to example.com/careers.", "That's example.com.", "Visit example.com/book."],
)
def test_who_is_asked_where_to_be_found_and_says_so_is_no_advert(answer):
    question, thanks = ("Ann", "Where can people find you?"), ("Ann", "Thank you.")
    assert [] == in_turns(question, ("Ben", answer, "I would love that."), thanks)
    assert [] == in_turns(question, ("", answer), thanks)


@pytest.mark.parametrize("question", ["“Where can people find you?”", "Πού σε βρίσκουμε;", "أين نجدك؟", "(Where?!)"])
def test_a_question_is_one_in_any_script_and_within_quotation_marks(question):
    answer = ("Ben", "Go to example.com, and for jobs go to example.com/careers.")
    assert [] == in_turns(("Ann", question), answer, ("Ann", "Thank you."))
    assert [answer[1]] == in_turns(("Ann", "And now this."), answer, ("Ann", "Thank you."))


def test_nothing_said_is_nothing_in_adverts():
    assert [] == find_adverts([])


@pytest.mark.parametrize(
    "hostile",
    [
        "a-",
        "a.",
        "thanks to ",
        "companies like ",
        "go to a",
        "head on over to ",
        "1 ",
        "the sponsor ",
        "today's sponsors ",
        "check a ",
        "try a ",
        "A ",
        "a.com ",
        "brought to you by ",
        "visit a.com/a ",
    ],
)
def test_hostile_input_takes_time_in_proportion(hostile):
    said = [Said(hostile * 20_000)] + [Said(hostile, n, f"S{n}") for n in range(2_000)]

    assert cpu_seconds(find_adverts, said) < 1
