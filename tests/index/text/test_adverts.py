import time

import pytest

from index.text.adverts import MAX_MESSAGE, MIN_CALLS, find_adverts


def in_adverts(*sentences, turns=()):
    """The sentences taken for a sponsor's message."""
    numbers = turns or [0] * len(sentences)
    marks = find_adverts(list(zip(sentences, numbers, strict=True)))
    return [text for text, mark in zip(sentences, marks, strict=True) if mark]


@pytest.mark.parametrize(
    "opening",
    [
        "This episode is brought to you by Paperlane.",
        "Today's sponsor, Paperlane, files receipts for you.",
        "The show is supported by Paperlane.",
        "THANKS TO PAPERLANE FOR SPONSORING US.",
        "Let me thank the sponsors of today’s show.",  # noqa: RUF001 - the typographic one is meant
        "And now a word from our sponsor.",
    ],
)
def test_a_message_that_names_its_sponsor_is_one(opening):
    talk = "We were talking about how hard it is to hire."
    assert [opening] == in_adverts(talk, opening, talk)


def test_it_reaches_to_its_last_call_to_act():
    message = [
        "This week is brought to you by Paperlane.",
        "It files receipts.",
        "They never pile up again.",
        "Go to paperlane.com.",
    ]
    assert message == in_adverts("Welcome.", *message, "So, how did you begin?", "I began by selling shoes.")


def test_it_reaches_no_further_than_a_message_lasts():
    filler = [f"Number {n} is about hiring." for n in range(MAX_MESSAGE)]
    opening, call = "Brought to you by Paperlane.", "Go to paperlane.com."
    assert [opening, *filler[1:], call] == in_adverts(opening, *filler[1:], call)
    assert [opening] == in_adverts(opening, *filler, call)


def test_it_ends_with_its_turn():
    opening, reply, call = "Brought to you by Paperlane.", "I use that myself.", "Sign up today at paperlane.com."
    assert [opening] == in_adverts(opening, reply, call, turns=(0, 1, 2))


def test_calls_that_stand_close_are_a_message_without_an_opening():
    calls = ["Try it for free.", "Use code SHOW.", "That is paperlane dot com."]
    assert len(calls) == MIN_CALLS
    between = [calls[0], "It files receipts.", *calls[1:]]
    assert between == in_adverts("We hired three people.", *between, "Then two left.")
    assert [] == in_adverts(*calls, turns=(0, 1, 2))
    assert [] == in_adverts(*calls[:2], "It files receipts.")


def test_calls_that_stand_far_apart_are_none():
    talk = ["People leave.", "Nobody asks why.", "We did ask.", "They told us.", "It helped."]
    assert [] == in_adverts("Try it for free.", *talk, "Use code SHOW.", *talk, "Go to paperlane.com.")


@pytest.mark.parametrize(
    "said",
    [
        "My sponsor in the programme was a patient man.",
        "Every big deal needs a sponsor who has a budget.",
        "Find the sponsor inside the account before you write a proposal.",
        "The sponsors were the people who lost their nerve first.",
        "The sponsor is the one who signs, and the champion is who pushes.",
        "I bought example.com in 1999 and sold it again.",
        "We gave forty percent off and it nearly ruined us.",
        "My view is supported by research, and it was presented by my boss.",
        "The project was sponsored by finance.",
        "Nobody supported by his manager quits.",
        "He thanked us for the support.",
        "",
    ],
)
def test_a_guest_who_speaks_of_sponsors_or_names_a_site_once_is_no_advert(said):
    assert [] == in_adverts("How did it go?", said, "And then we grew for a year.")


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
    ],
)
def test_hostile_input_takes_time_in_proportion(hostile):
    def seconds(times):
        started = time.process_time()
        find_adverts([(hostile * times, 0)] + [(hostile, 0)] * (times // 10))
        return time.process_time() - started

    seconds(100)
    assert seconds(20_000) < 1
