"""What a model left out, repeated or invented is noticed, and bad figures become a reason in plain words."""

import pytest

from ingest.speech.decoding import find_problems, is_silence, loops
from ingest.speech.decoding import missing as missing_from
from ingest.speech.segments import Word
from ingest.speech.transcribe import verdict
from ingest.speech.windows import PADDING, Span

GOOD = {
    "speech": 600.0,
    "coverage": 0.97,
    "windows": 30,
    "failed": 1,
    "damaged": 2,
    "truncated": False,
    "words": 1500,
    "mean_log_prob": -0.3,
}


def missing(speech, said):
    """What of bare speech is missing; spans have a padding around it."""
    return missing_from([Span(span.start - PADDING, span.end + PADDING) for span in speech], said)


def words(text, start=0.0, each=0.3, gap=0.1):
    made = []
    for token in text.split():
        made.append(Word(start, start + each, f" {token}"))
        start += each + gap
    return made


def test_words_that_cover_the_speech_leave_nothing_out():
    assert missing([Span(0, 4)], words("we sell more every year than they do now", each=0.35)) == []


def test_speech_before_between_and_after_words_is_left_out():
    spans = missing([Span(0, 20)], [*words("we sell", start=5), *words("they buy", start=10)])
    assert [(round(span.start, 1), round(span.end, 1)) for span in spans] == [(0, 4.7), (6.0, 9.7), (11.0, 20)]


def test_pauses_and_breaths_are_not_left_out():
    assert missing([Span(0, 1), Span(9, 10)], [Word(0, 1, " hello"), Word(9.2, 10, " again")]) == []


def test_a_word_stretched_over_what_was_dropped_hides_nothing():
    assert sum(span.length for span in missing([Span(0, 10)], [Word(0, 10, " hello")])) > 8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no no no", False),
        ("no no no no", True),
        ("thank you very much " * 4, True),
        ("Thank you. Thank you. Thank you.", False),
        ("we asked ten buyers what they need and eight of them said that the price did not matter at all", False),
        ("and so on and on " * 20, True),
        ("", False),
    ],
)
def test_loops_are_told_from_emphasis(text, expected):
    assert expected == loops(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("谢谢大家谢谢大家谢谢大家谢谢大家", True),
        ("今天我们谈谈销售团队怎样准备第一次会议，以及为什么价格不是最重要的问题。", False),  # noqa: RUF001
        ("ご視聴ありがとうございました" * 4, True),
        ("今日は営業チームがどのように最初の会議を準備するかについて話します。", False),
        ("ขอบคุณมากครับ" * 6, True),
        ("วันนี้เราจะพูดถึงวิธีที่ทีมขายเตรียมตัวสำหรับการประชุมครั้งแรก และเหตุใดราคาจึงไม่ใช่คำถามที่สำคัญที่สุด", False),
    ],
)
def test_loops_are_told_from_speech_in_scripts_without_spaces(text, expected):
    assert expected == loops(text)


@pytest.mark.parametrize(
    ("said", "left_out"),
    [("好", True), ("我们今天谈谈销售", False), ("ありがとうございます", False), ("no", True)],
)
def test_a_character_of_chinese_or_japanese_lasts_as_long_as_a_syllable(said, left_out):
    assert left_out == bool(missing([Span(0, 3.5)], [Word(0, 3.5, said)]))


@pytest.mark.parametrize(
    ("speech", "said", "log_prob", "expected"),
    [
        ([Span(0, 3)], words("we sell more every year now"), -0.2, ()),
        ([Span(0, 9)], words("we sell more every year now"), -0.2, ("speech left out",)),
        ([Span(0, 3)], words("no no no no no", each=0.5), -0.2, ("loop",)),
        ([Span(0, 3)], words("we sell more every year now"), -1.2, ("unsure",)),
        ([Span(0, 3)], [], 0.0, ("speech left out",)),
        ([], [], 0.0, ()),
    ],
)
def test_a_window_is_judged_by_what_is_wrong_with_it(speech, said, log_prob, expected):
    assert expected == find_problems(sum(gap.length for gap in missing(speech, said)), said, log_prob)


@pytest.mark.parametrize(
    ("no_speech", "log_prob", "said", "expected"),
    [
        (0.78, -0.98, "Thank you.", True),  # as tiny.en hears music
        (0.85, -0.47, "2 cm x 2 cm x 2 cm x 2 cm x 2 cm", True),  # as base hears hiss
        (0.9, -0.3, "we sell more", False),
        (0.44, -0.75, "we sell more", False),  # as base hears speech in loud noise
        (0.1, -1.5, "no no no no no", False),
    ],
)
def test_what_is_invented_where_nobody_speaks_is_told_from_speech(no_speech, log_prob, said, expected):
    assert expected == is_silence(no_speech, log_prob, words(said))


def test_good_figures_raise_no_flag():
    assert not verdict(GOOD)


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"truncated": True}, "the audio ends early"),
        ({"damaged": 300}, "300 parts of the audio are damaged"),
        ({"speech": 0.0}, "no speech was found"),
        ({"coverage": 0.71}, "only 71% of the speech became words"),
        ({"failed": 6}, "6 of 30 windows look wrong"),
        ({"mean_log_prob": -0.95}, "the model was unsure of most words"),
        ({"truncated": True, "coverage": 0.5}, "the audio ends early; only 50% of the speech became words"),
    ],
)
def test_bad_figures_say_why(figures, reason):
    assert reason == verdict(GOOD | figures)
