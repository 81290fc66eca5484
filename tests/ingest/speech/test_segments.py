"""Segments are sentences of speakable length with their words' times."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.models import Segment
from ingest.speech.segments import MAX_CHARACTERS, MAX_SECONDS, Word, in_order, sentences


def words(text, start=0.0, each=0.3, gap=0.1):
    """The words of a text, one after the other."""
    made = []
    for token in text.split():
        made.append(Word(round(start, 3), round(start + each, 3), f" {token}"))
        start += each + gap
    return made


def texts(found):
    return [segment.text for segment in found]


def test_sentences_are_cut_at_their_ends_and_keep_their_times():
    found = sentences(words("We sell a lot. Do you sell as much? They do."))
    assert [
        Segment(0.0, 1.5, "We sell a lot."),
        Segment(1.6, 3.5, "Do you sell as much?"),
        Segment(3.6, 4.3, "They do."),
    ] == found


def test_abbreviations_initials_and_numbers_end_no_sentence():
    text = "Dr. Miller and J. Clark paid 3.5 million, i.e. a lot, to the U.S. office."
    assert [text] == texts(sentences(words(text)))


def test_full_width_marks_end_sentences_too():
    made = [Word(0, 1.5, "我们卖很多。"), Word(1.6, 3, "他们也是。")]
    assert texts(sentences(made)) == ["我们卖很多。", "他们也是。"]


@pytest.mark.parametrize(
    "said",
    [
        ["मौसम बहुत अच्छा है।", "क्या तुम आज आओगे?", "हम बाज़ार जाते हैं।"],
        ["Ο καιρός είναι καλός.", "Πού πας τόσο νωρίς;", "Έρχομαι αύριο το πρωί."],  # noqa: RUF001 - Greek is meant
        ["موسم بہت اچھا ہے۔", "آپ آج کیسے ہیں؟", "ہم بازار جاتے ہیں۔"],  # noqa: RUF001 - Urdu is meant
        ["Sie sagte z.B. „Nein.“", "Dann kam Nr. 5 herein.", "Am 3. Mai war Schluss."],
        ["« Il fait très beau. »", "« Où vas-tu ? »", "Mme. Petit ne vient pas."],
    ],
)
def test_sentences_end_in_every_script(said):
    assert said == texts(sentences(words(" ".join(said))))


def test_a_bracket_that_is_a_word_of_its_own_closes_the_sentence_before():
    made = [
        Word(n, n + 1, part) for n, part in enumerate(["「", "売ります。", "」", "「", "買います。", "」", "次です。"])
    ]
    assert ["「売ります。」", "「買います。」", "次です。"] == texts(sentences(made))


def characters(text, each=0.2, language="zh"):
    """A text as Whisper gives it in scripts without spaces: a character is a word, a mark belongs to the one before."""
    parts = re.findall(r" ?\w[\u0e31-\u0e4e]*[^\w\s]*", text)
    return [Word(each * n, each * (n + 1), part, language=language) for n, part in enumerate(parts)]


@pytest.mark.parametrize(
    "sentences_",
    [
        ["我们卖很多东西。", "他们也是这样吗？", "今天我们谈谈价格！"],  # noqa: RUF001
        ["営業チームは毎日話します。", "価格は問題ではありません。"],
    ],
)
def test_sentences_end_at_full_width_marks_and_get_no_spaces(sentences_):
    assert sentences_ == texts(sentences(characters("".join(sentences_))))


def test_a_long_thai_sentence_is_cut_at_a_space():
    phrases = ["วันนี้เราจะพูดถึงวิธีที่ทีมขายเตรียมตัว", " สำหรับการประชุมครั้งแรกของเราในปีนี้ด้วย", " และเหตุใดราคาจึงไม่ใช่คำถามสำคัญ"]
    found = texts(sentences(characters("".join(phrases), 0.25, "th")))
    assert len(found) > 1
    assert {text.strip() for text in found} <= {
        "".join(phrases[a:b]).strip() for a in range(3) for b in range(a + 1, 4)
    }


def test_a_segment_is_in_one_language():
    made = [Word(0, 1, " We sell", language="en"), Word(1, 2, " wir verkaufen", language="de")]
    assert [("We sell", "en"), ("wir verkaufen", "de")] == [(one.text, one.language) for one in sentences(made)]


def test_a_long_pause_parts_a_sentence():
    made = [*words("So I thought"), *words("and then he came", start=5)]
    assert texts(sentences(made)) == ["So I thought", "and then he came"]


def test_a_very_short_sentence_joins_its_neighbour_but_not_over_a_pause():
    assert texts(sentences(words("Yes. That is what we do."))) == ["Yes. That is what we do."]
    assert texts(sentences([*words("Yes."), *words("That is what we do.", start=1.2)])) == [
        "Yes.",
        "That is what we do.",
    ]


def test_a_long_sentence_is_cut_in_its_best_pause():
    made = [*words("one two three four, " * 6), *words("five six seven " * 6, start=10.5)]
    assert [len(text.split()) for text in texts(sentences(made))] == [24, 18]


def test_without_punctuation_segments_are_still_speakable():
    found = sentences(words("word " * 500))
    assert all(segment.end - segment.start <= MAX_SECONDS and len(segment.text) <= MAX_CHARACTERS for segment in found)
    assert sum(len(text.split()) for text in texts(found)) == 500


def test_no_words_give_no_segments():
    assert sentences([]) == []


def test_times_never_run_backwards():
    made = [Word(1, 2, " a"), Word(1.5, 1.4, " b"), Word(0.5, 3, " c")]
    assert [(word.start, word.end) for word in in_order(made)] == [(1, 2), (2, 2), (2, 3)]


@given(
    st.lists(st.tuples(st.sampled_from(["a", "word.", "no,", "Yes!", "x" * 300]), st.floats(0, 20), st.floats(0, 3)))
)
def test_every_word_is_kept_once_and_in_order(drawn):
    made, now = [], 0.0
    for token, pause, length in drawn:
        made.append(Word(now + pause, now + pause + length, f" {token}"))
        now += pause + length
    found = sentences(made)
    assert [token for token, _, _ in drawn] == " ".join(texts(found)).split()
    assert all(segment.start <= segment.end for segment in found)
