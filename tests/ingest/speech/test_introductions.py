"""Who a sentence names as speaking, present, or spoken to; and the many sentences that name nobody."""

import pytest

from ingest.speech.speaker_names import introduced, own_name, plain, spoken_to, title_guest, title_names


@pytest.mark.parametrize(
    ("sentence", "name", "opens"),
    [
        ("My name is Anna Berg.", "Anna Berg", True),
        ("Hello everyone, my name's Tom.", "Tom", True),
        ("I'm Laura, and you are listening to the Quota Room.", "Laura", True),
        ("Good morning, I’m Ruth O'Hara from Acme.", "Ruth O'Hara", True),  # noqa: RUF001
        ("I'm your host, Jan van Dyk.", "Jan van Dyk", True),
        ("Hi, I'm Dr. Mary Ann Fox and this is the Long Walk.", "Mary Ann Fox", True),
        ("This is Ada Kern, and you're listening to Bridges.", "Ada Kern", True),
        ("I'm Ada Kern. You've been listening to Bridges.", "Ada Kern", True),
        ("And I'm Tom.", "Tom", False),
        ("Hallo, mein Name ist Jürgen Groß.", "Jürgen Groß", True),
        ("Je m'appelle Élodie Martin.", "Élodie Martin", True),
        ("Well, my name is J. R. Moss, and I bake.", "J R Moss", True),
    ],
)
def test_a_speaker_says_who_they_are(sentence, name, opens):
    assert (name, opens) == own_name(plain(sentence), "")


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        ("", "I'm sorry."),
        ("", "I'm Sorry about that."),
        ("", "I'm Happy to be here."),
        ("", "I'm from Texas."),
        ("", "Hello, I'm Irish American, and you are listening to the show."),
        ("", "I'm Team Edward."),
        ("", "I'm not John Smith."),
        ("", "He said I'm John Smith."),
        ("", "He said, I'm John Smith."),
        ("And then he says.", "I'm John Smith."),
        ("So she goes:", "My name is Anna Berg."),
        ("", "“I'm John Smith.”"),
        ("", "My name is John Smith, he said."),
        ("", "I'm John Smith, says the man at the door."),
        ("", "I'm John Smith?"),
        ("", "Hello, I'm John Smith?!"),
        ("", "My name is John Smith, okay?)"),
        ("", "I'm John Smith's brother."),
        ("", "If I'm Jeff Bezos, I sell."),
        ("", "People think I'm John Smith."),
        ("", "This is Anna Berg, our guest."),
        ("", "This is Anna Berg and this is her second time here."),
        ("", "Hi, I'm Ryan Cole, founder of Acme, brought to you by Acme."),
        ("Now a word from our sponsor.", "Hi, I'm Ryan Cole."),
        ("Go to acme.com today.", "I'm Ryan Cole."),
        ("", "My name is on the door."),
        ("", "I'm Microsoft certified."),
        ("", "I'm Anna Berg fan number one."),
        ("", "In the film he goes, my name is Inigo Montoya."),
        ("", "John Smith is my name for him."),
    ],
)
def test_nobody_is_named_by_words_that_may_mean_something_else(before, sentence):
    assert own_name(sentence, before) is None


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("My guest today is Clara Stern.", "Clara Stern"),
        ("I'm your host Laura, and today my guest is Ben.", "Ben"),
        ("We are very happy to be joined today by Dr. Omar Haddad, who builds boats.", "Omar Haddad"),
        ("Joining me in the studio is Lena Fischer.", "Lena Fischer"),
        ("Please welcome Ole Dahl!", "Ole Dahl"),
        ("Welcome to the show, Pete Moran.", "Pete Moran"),
        ("I'm here with Ines Costa, and I am glad.", "Ines Costa"),
        # nobody, or not for certain
        ("My guest last week was Clara Stern.", ""),
        ("Next week my guest is Clara Stern.", ""),
        ("We're joined by Clara Stern and Ben Hart.", ""),
        ("I'm talking to people every day.", ""),
        ("My guest today is the biographer of Steve Jobs.", ""),
        ("My guest today is Steve Jobs's biographer.", ""),
        ("He said my guest is Clara Stern.", ""),
        ("Today we are not joined by Clara Stern.", ""),
        ("I'm glad to be here with Clara Stern.", "Clara Stern"),
        ("Our first guest on the programme is Clara Stern.", "Clara Stern"),
        ("Is my guest Clara Stern?", ""),
        ("My guest today is Clara Stern, right?!", ""),
        ("Today we are talking about dealing with Donald Trump.", ""),
    ],
)
def test_who_is_brought_in(sentence, name):
    assert name == introduced(sentence)


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("Ben, how do you review a pipeline?", "Ben"),
        ("So, Ben, what is it?", "Ben"),
        ("Thank you very much, Ben.", "Ben"),
        ("Welcome, Ben!", "Ben"),
        ("Ben Hart, welcome to the show.", "Ben Hart"),
        ("Dr. Haddad, what did you find?", "Haddad"),
        ("And what came next, Zoë?", "Zoë"),
        # of them, not to them
        ("Ben said that he would come.", ""),
        ("Ben, Anna and Tom were there.", ""),
        ("Ben, my brother, was there.", ""),
        ("Have you met my boss, Ben?", ""),
        ("And here is our producer, Ben.", ""),
        ("I asked Ben.", ""),
        ("And she goes, thanks, Ben.", ""),
        ("What is it, a boat?", ""),
    ],
)
def test_who_is_spoken_to(sentence, name):
    assert name == spoken_to(sentence)


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("90. Why your org is moving at half speed with Pete Kane", ["Pete Kane"]),
        ("Bridges, with Ada Kern of Kern & Co", ["Ada Kern"]),
        ("Bread (feat. Ole Dahl)", ["Ole Dahl"]),
        ("Ole Dahl: How to bake", ["Ole Dahl"]),
        ("Ole Dahl on bread and butter", ["Ole Dahl"]),
        ("How to bake bread | Ole Dahl (Kern & Co)", ["Ole Dahl"]),
        ("Bread - Ole Dahl", ["Ole Dahl"]),
        ("#12: Dr. Mary Ann Fox on foxes", ["Mary Ann Fox"]),
        ("J. R. Moss — bread", ["J R Moss"]),
        ("Bread with Ole Dahl, Ada Kern", ["Ole Dahl", "Ada Kern"]),
        ("Bread with Ole Dahl, baker", ["Ole Dahl"]),
        ("Boats with Ada Kern and Ole Dahl", ["Ada Kern", "Ole Dahl"]),
        ("Хлеб | Анна Петрова", ["Анна Петрова"]),
        ("Selling with Zig Kane's ghost", []),
        ("How to Work with Difficult People", []),
        ("Winning with Data Science", []),
        ("A chat with Ada", []),
        ("Bread and butter", []),
        ("", []),
    ],
)
def test_what_may_be_names_in_a_title(title, found):
    assert found == title_names(title)
    assert title_guest(title) == (found[0] if len(found) == 1 else "")
