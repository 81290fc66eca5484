from typing import NamedTuple

import pytest

from index.text.adverts import GAP, MAX_MESSAGE, find_adverts
from ingest.sentences import split_sentences
from tests.cpu import cpu_seconds

TALK = "We were talking about how hard it is to hire."


# Ways of hosts to open a sponsor's message, and to send listeners to its address; each is one as a whole.
READS = [
    "Support for this podcast comes from Paperlane. It files receipts. Get a thousand dollars off at paperlane.com/show.",
    "Support for Night Trains is provided by Tidemark, the bank for small boats. Open an account at tidemark.com.",
    "We're sponsored this week by Quillworks. Use code PODCAST at quillworks.io.",
    "This week we are sponsored by Quillworks. Use the code TRAINS for twenty percent off.",
    "Quick shout out to our sponsor, Hollowtree. Hollowtree makes chairs. Learn more at hollowtree.com.",
    "A huge thanks to our sponsor Hollowtree.",
    "Our partner for this episode is Paperlane. Go to paperlane.com/trains to start.",
    "I want to thank today's partner, Hollowtree.",
    "Hollowtree is sponsoring today's episode. Sit down at hollowtree.com slash talk for fifteen percent off.",
    "Our friends at Tidemark sponsor this show. Open an account at tidemark.com.",
    "This show is made possible by Tidemark.",
    "Welcome to Night Trains, brought to you by Tidemark.",
    "Night Trains is a podcast on railways, brought to you this month by the good people at Tidemark.",
    "Today’s show is presented by Kestrel Bank.",  # noqa: RUF001
    "Night Trains is powered by Tidemark. Start your free trial at tidemark.io/trains.",
    "And now a quick word from Noodlecart. Noodlecart brings soup. Have some at noodlecart.com.",
    "This message comes from Paperlane. Nobody likes receipts. See how at getpaperlane.com.",
    "The following is a paid message from Hollowtree.",
    "This is an ad for Noodlecart. Order soup at noodlecart.com and save half with the code SOUP.",
    "I want to tell you about Noodlecart. They bring soup. Head over to noodlecart.com forward slash trains.",
    "I'd like to thank Paperlane for supporting this week's show.",
    "Thanks to Quillworks for making this episode possible.",
    "This season of Night Trains is made in partnership with Hollowtree.",
    "One more thank you to the sponsor of this episode, Paperlane.",
    "Paperlane has been a sponsor of this podcast for years. Try it at paperlane.com.",
    "Tidemark does your payroll. Go to tidemark dot co dot uk slash trains.",
    "Enter promo code TRAINS at hollowtree.com to get 30% off.",
    "Save twenty-five percent on your first order at hollowtree.com/trains.",
    "Listeners of this show get their first month free at paperlane.com.",
    "Grab ten bucks off your first box at noodlecart.com.",
    "Claim your free month at paperlane.app.",
    "Sponsored by Kestrel Bank.",
    "Our show today is sponsored by n8n.",
    "this episode is brought to you by paperlane.",
    "support for this show comes from paperlane. it files receipts. visit paperlane.com to learn more.",
    "Let's take a minute to hear from our sponsors.",
    "Today's sponsor is a firm I love. Hollowtree makes chairs. You get five percent off at hollowtree.com.",
    "This episode of Deep Tracks is sponsored by Fernwood. Fernwood makes mattresses. Go to fernwood.com/tracks to get $200 off.",
    "I'm excited to welcome a new sponsor to the show, Fernwood. To learn more, visit fernwood.com/tracks.",
    "A quick break to thank our sponsors. The first is Fernwood, which makes mattresses. Go to fernwood.com slash tracks.",
    "Let's pause for a moment to thank Kitewell for sponsoring this video. Kitewell teaches maths. Try it free at kitewell.org/deep.",
    "We'll be right back after a word from our sponsors.",
    "And we're back in a minute, but first, a message from our sponsor.",
    "Deep Tracks is supported by Kitewell. Learn by doing at kitewell.com.",
    "Deep Tracks is brought to you by Kitewell.",
    "This portion of Deep Tracks is brought to you by Mossbank. Send money at mossbank.com.",
    "Today's episode is brought to you by our friends over at Mossbank.",
    "Thanks to our friends at Mossbank for their support. You can open an account at mossbank.com/tracks.",
    "Big thanks to Mossbank, who sponsor this podcast. Sign up at mossbank.com/tracks and get a hundred dollars.",
    "Speaking of sleep, let me tell you about Fernwood. I sleep like a stone. Head to fernwood.com and use code DEEP at checkout.",
    "Mossbank runs your payroll. Get three months free when you go to mossbank.com/deep.",
    "If you've been looking for a better razor, try Barberry. Right now you can get fifty percent off your first kit at barberry.com/deep.",
    "That's fernwood dot com slash deep. Fernwood dot com slash deep.",
    "Just go to barberry.com and enter the code DEEP for free shipping.",
    "For a limited time, our listeners get 15 percent off at barberry.com with the code DEEP.",
    "The show today is made possible by Mossbank.",
    "Our show is supported by Kitewell.",
    "Major support for Deep Tracks is provided by the Larkspur Foundation.",
    "Today's podcast is sponsored by Larkspur Capital, the bank for builders.",
    "This interview is sponsored by Larkspur.",
    "Thank you to Larkspur for supporting the podcast.",
    "And thanks once again to Larkspur for sponsoring the show.",
    "Our title sponsor is Larkspur. Find out more at larkspur.com.",
    "Quick word about Tallowfish, our sponsor. Tallowfish ships tins. Order at tallowfish.com.",
    "I've been using Tallowfish for a year now. I love it. Use my link, tallowfish.com/deep, for 10% off.",
    "Go to tallowfish dot com forward slash deep and use the promo code deep for twenty dollars off.",
    "Today we're brought to you by Tallowfish.",
    "Before the show starts, a word from Tallowfish. Tallowfish ships tins. Check out tallowfish.com.",
    "Start your thirty day free trial today at kitewell.com/deep.",
    "Head on over to kitewell.com/deep, and tell them we sent you.",
    "If you want to support the show, go to our sponsor at kitewell.com/deep.",
    "this podcast is sponsored by kitewell. go to kitewell.com to start.",
    "Advertisement. Kitewell teaches maths. Visit kitewell.com/maths today.",
    "This week's sponsor: Kitewell.",
    "Our sponsor this week is Kitewell.",
    "Try Barberry for 30 days, risk free. Visit barberry.com/deep.",
    "This week's show is brought to you in part by Larkspur.",
    "We want to thank Larkspur for making the show possible.",
    "Larkspur is our sponsor today, and they build small homes. Have a look at larkspur.com.",
    "I'm going to stop here for a second to talk about Larkspur. They build small homes. For a free quote, visit larkspur.com/small.",
    "This show's sponsor is Larkspur.",
    "Before we dive in, a quick thank you to our sponsor Larkspur.",
    "And thank you to our new sponsor, Gullwing Coffee. You get half off your first bag at gullwing.coffee.",
    "Thanks as well to Gullwing for sponsoring this week's episode.",
    "The Long Tail is produced in partnership with Gullwing. Learn more at gullwing.com.",
    "Today's show is brought to you by Gullwing, the coffee for owls.",
    "You can save ten percent on your order by going to gullwing.com and using the code OWL.",
    "Gullwing roasts at night. Order now at gullwing.com, and use offer code OWL for 10% off.",
    "To get your first bag free, go to gullwing.com slash owl.",
    "Go to gullwing.com/owl. That's gullwing.com/owl.",
    "Support the show by trying Gullwing at gullwing.com/owl.",
    "Support comes from Gullwing. Gullwing roasts at night. More at gullwing.com.",
    "The Long Tail is supported by Pinefold. Pinefold hosts your site. Go to pinefold.com/tail for a free trial.",
    "Pinefold hosts your site. When you're ready to launch, use the offer code TAIL to save ten percent off your first purchase at pinefold.com.",
    "If that sounds like you, check out Pinefold today at pinefold.com/tail.",
    "Our friends at Pinefold are giving listeners thirty percent off. Just go to pinefold.com/tail.",
    "This is a paid advertisement from Pinefold.",
    "One quick note from our sponsor Pinefold. Pinefold hosts your site.",
    "Now a word from this week's sponsor.",
    "Kettle brews tea. Visit kettle.io. There is no credit card to enter.",
    "Kettle brews tea. Book a demo at kettle.io.",
    "Kettle brews tea. Go to kettle.kitchen/trains and see.",
    "And Deep Tracks is brought to you by 9th Orchard, a firm that prunes trees. Learn more at deeptracks.com/orchard.",
    "Kettle brews tea. Sign up today at kettle.io.",
    "I'm Sam, and this podcast is brought to you by Pinefold.",
    "This conversation is presented by Pinefold.",
]

# What guests say of sponsors, support, messages, codes, trials, discounts and addresses.
TALK_OF_TRADE = [
    "I owe a big thank you to my old team for supporting us through the merger.",
    "Praise lands best when it feels as if it is brought to you by a friend.",
    "My landlord was brought to you by the nineteenth century.",
    "This chart is brought to you by three sleepless nights.",
    "A podcast sponsor wants numbers, and a show sponsor wants a story.",
    "The sponsor of the show sat in the front row and looked at her shoes.",
    "Our sponsor, the finance director, left in March.",
    "Our sponsor Maria signed the budget, and then she went on leave.",
    "We map our sponsors, and we call our sponsors every week.",
    "Today's sponsor is tomorrow's sceptic.",
    "She was the sponsor of the bill, and the bill died in committee.",
    "Thanks to Dana for sponsoring the migration, we could finish it.",
    "In those years every show was sponsored by Northgate Tobacco.",
    "The show was supported by a grant from the city.",
    "My whole week is powered by coffee.",
    "We were sponsored by Northgate that summer, and we wore their shirts.",
    "Our partners at Northgate Capital asked for weekly numbers.",
    "I want to give a shout out to Maria, who sponsored me for staff engineer.",
    "Support for remote work comes from the top.",
    "Support for Ann came from Berlin.",
    "I had a word from my sponsor that night.",
    "The best message from our sponsors was to stop.",
    "We thank our sponsors at the gala each year.",
    "Everyone thinks the sponsor of the programme decides, but the budget does.",
    "This is an ad for a job, not a job description.",
    "Customers sign up at example.com, and half of them start the free trial.",
    "People would visit example.com/pricing and leave. So we offered a free trial.",
    "The banner says start your free trial today at example.com.",
    "We wrote sign up now at example.com/beta on a poster, and used a promo code to count.",
    "A promo code at example.com taught us that nobody reads the box.",
    "They get twenty percent off at example.com when they bring a friend.",
    "We asked them to go to example.com/beta and enter a discount code.",
    "You can read it at example.com/essay, and it stays free.",
    "The button had said get started today, go to example.com, and nobody did.",
    "My book is out, get it at example.com, and use the code SOFT.",
    "Find me at example.com/letters and sign up for free.",
    "They sold it at half price, and the first month free did not help.",
    "He was my sponsor when I applied for the visa, and I am grateful.",
    "The exec sponsor, our sponsor really, was Priya, and she pushed it through.",
    "If your sponsor leaves the company, the deal is dead.",
    "A sponsor speaks about you when you are not in the room.",
    "We thanked today's speakers, and then the sponsors went home.",
    "Sponsors of this kind of research want a result by spring.",
    "I'm supported by an amazing team.",
    "This idea was brought to you by boredom, as my brother says.",
    "All of this misery was brought to you by Excel.",
    "The conference is sponsored by Larkspur, and they pay for the lunch.",
    "Our event is brought to you by volunteers.",
    "The podcast made us more money than the sponsors did.",
    "How many sponsors does the show have?",
    "We started to sell the show to sponsors after the tenth episode.",
    "A show sponsor who leaves is hard to replace.",
    "Larkspur sponsored our first podcast, which was a flop.",
    "It is a partnership between the state and the city.",
    "Thank you to Priya for supporting me when I was lost.",
    "Thank you to everybody for supporting the podcast over the years.",
    "Thanks to my wife for making this week possible.",
    "I wrote the code on a plane, use the code if you like.",
    "The area code on the form was wrong, so people could not enter the code.",
    "We tested ten percent off against a free month, and the free month won.",
    "They would say get started for free on the home page of example.com.",
    "The e-mail told them to visit example.com/reset, and a third did.",
    "New users go to example.com/welcome, pick a plan, and get a free trial.",
    "Someone signs up at example.com, starts a free trial, and forgets it.",
    "In the old flow you would go to example.com/start and there was a promo code field.",
    "A customer goes to example.com/pricing and wants a discount code.",
    "My newsletter is at example.com/letters if you want to read more.",
    "I'm at example.com, and you can book a demo there.",
    "We're hiring, so go to example.com/careers.",
    "Our site is example.com, and there is a free trial if you want to play with it.",
    "You can find the course on example.com, and there's a code for your listeners.",
    "The message from the board was clear: support the team.",
    "This message comes from the heart.",
    "This is an ad that we ran in June on the radio.",
    "The ad said brought to you by Larkspur, in tiny letters.",
    "Every podcast opens with this episode is brought to you by somebody, and I skip it.",
    "Our partners for this season were two schools in the city.",
    "The support for this programme came from parents.",
    "The programme is supported by the European Union.",
    "The programme is sponsored by the ministry, and two hundred children learn to swim.",
    "This week was sponsored by a lot of coffee.",
    "Today's partner might be tomorrow's rival.",
    "We had a word from the sponsor of the migration, and he was not pleased.",
    "A word from our sponsor in the finance team would have been enough.",
    "My mentor was also my sponsor, and she said so in the room.",
    "We found a sponsor for the project in the sales team.",
    "There was a big thank you note from our sponsor on my desk.",
    "It took a word from the sponsor of the deal to move legal.",
    "Legal is our partner in this, and so is finance.",
    "This week is sponsored by my insomnia.",
    "Today's partners are tomorrow's competitors.",
    "That launch was made possible by Priya and her team.",
    "The growth was powered by Instagram, and then it stopped.",
    "Support for Windows came later.",
    "Our support team works with Zendesk, and they sign up people at example.com.",
    "The free trial page lived at example.com/try, and nobody found it.",
    "Half of the people who got twenty percent off never came back.",
    "We said fifty dollars off, and the phones rang.",
    "The homepage reads join now at example.com, the first month free.",
    "I learned more from example.com than from school, and it was free.",
    "She told me to check out example.com, and I did.",
    "He said, go to example.com/jobs and look.",
    "Students get a discount code at example.com, which they share.",
    "We would send them to example.com/trial with a coupon code.",
    "I never use a promo code, and I never visit example.com.",
    "In my first week the show was brought to me on a tape.",
    "That meeting was brought to you by the letter Q.",
    "An interview is supported by notes, and I take plenty.",
    "A thank you to Priya for making me write it down.",
    "The message from Priya was that our sponsor had doubts.",
    "Kettle was our partner in those years. People found the tea at kettle.io.",
    "In my first month we gave a first year at half the price.",
]

# What a guest is asked, and says, who has something to offer or met it at work.
ASKED = [
    ("Where can people find you?", "My site is example.com, and there is a newsletter you can sign up for free."),
    ("How can listeners help?", "Sign up at example.com/course. There is twenty percent off with a promo code."),
    ("What product do you love?", "There is a tool named Kettle. Check it out at kettle.io, it has a free trial."),
    ("How did people join?", "You go to example.com/start, you get a free trial, and a week later you pay."),
    ("Who helped you?", "I want to thank our sponsor, the head of finance, and everybody who supported us."),
    ("What did you do?", "Our sponsor Maria was the chief of staff. Go to example.com/maria for the whole story."),
    ("Where is it?", "It is at kettle.io slash show, and you get ten dollars off if you use the code ANN."),
]


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


@pytest.mark.parametrize("read", READS)
def test_a_read_is_marked_as_a_whole_and_nothing_beside_it(read):
    message = list(split_sentences(read))
    assert message == in_one_turn(TALK, *message, TALK)


@pytest.mark.parametrize("said", TALK_OF_TRADE)
def test_talk_of_the_trade_is_no_advert(said):
    assert [] == in_one_turn(TALK, *split_sentences(said), TALK)


@pytest.mark.parametrize(("question", "answer"), ASKED)
def test_a_guest_who_is_asked_advertises_nothing(question, answer):
    talk = [("Ann", "And what came next?"), ("Ben", *[TALK] * 9)] * 5
    assert [] == in_turns(*talk, ("Ann", question), ("Ben", *split_sentences(answer)), ("Ann", "Thank you."), *talk)


@pytest.mark.parametrize("question", ["Right?", "Does that make sense?", "Where can people find them?"])
def test_a_host_who_reads_after_a_guest_s_question_is_read(question):
    talk = [("Ann", "And what came next?"), ("Ben", *[TALK] * 9)] * 5
    read = ["Paperlane files receipts.", "Get twenty percent off at paperlane.com/show."]
    assert read == in_turns(*talk[:-1], ("Ben", TALK, question), ("Ann", *read), *talk)


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
        "this ",
        "this week's ",
        "this show of ",
        "support for this show is ",
        "thank a to ",
        "today we are sponsored ",
        "support for Aa ",
        "Aa ",
        "welcome ",
        "our long-time ",
        "partner for this show ",
        "a word from our sponsor ",
        "get a.com 1% off and ",
        "they could get a.com free trial ",
        "said ",
        "brought to you by our friends at ",
    ],
)
def test_hostile_input_takes_time_in_proportion(hostile):
    said = [Said(hostile * 20_000)] + [Said(hostile, n, f"S{n}") for n in range(2_000)]

    assert cpu_seconds(find_adverts, said) < 1
