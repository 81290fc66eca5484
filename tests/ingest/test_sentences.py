"""Sentences end where a reader would end them."""

import pytest

from ingest.sentences import join_sentences, split_sentences, word_count, word_spans


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One thing. Two things! Three?", ["One thing.", "Two things!", "Three?"]),
        ("Ask Dr. Bell about Mr. Reed. He knows.", ["Ask Dr. Bell about Mr. Reed.", "He knows."]),
        ("It grew 3.5 percent. Good.", ["It grew 3.5 percent.", "Good."]),
        ("J. R. Moss sells in the U.S. Today he left.", ["J. R. Moss sells in the U.S. Today he left."]),
        ("We met at 5 p.m. Then we left.", ["We met at 5 p.m.", "Then we left."]),
        ('"Stop!" she said. "Why?" he asked.', ['"Stop!" she said.', '"Why?" he asked.']),
        ("Prices, i.e. the list, e.g. ours. Next.", ["Prices, i.e. the list, e.g. ours.", "Next."]),
        ("no marks at all in what was heard", ["no marks at all in what was heard"]),
        ("So… he waited. (Long.) Then", ["So… he waited.", "(Long.)", "Then"]),
        ("", [""]),
        ("我们开始吧。今天谈价格！好吗？", ["我们开始吧。", "今天谈价格！", "好吗？"]),  # noqa: RUF001
        ("今日は。 価格です。", ["今日は。", "価格です。"]),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text, expected):
    assert expected == split_sentences(text)


def test_scripts_without_spaces_are_parted_at_their_full_stops():
    text = "我们开始吧。今天谈销售。"
    assert ["我们开始吧。", "今天谈销售。"] == [text[a:b] for a, b in word_spans(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("three plain words", 3),
        ("Grüße, ... aus Köln", 3),
        ("去年春天我们搬家", 4),
        ("สวัสดีครับ", 2),
        ("한국어 문장입니다", 2),
        ("AI 很有用。", 3),
        ("", 0),
    ],
)
def test_scripts_without_spaces_have_about_as_many_words_as_their_characters_say(text, words):
    assert words == word_count(text)


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        (["We sell.", "They buy."], "We sell. They buy."),
        (["我们卖东西。", "他们买"], "我们卖东西。他们买"),
        (["我们卖东西", "他们买"], "我们卖东西他们买"),
        (["「売ります。」", "買います。"], "「売ります。」買います。"),
        (["วันนี้เราขาย", "เขาซื้อ"], "วันนี้เราขาย เขาซื้อ"),
        (["한국어 문장입니다.", "다음 문장."], "한국어 문장입니다. 다음 문장."),
        (["我们用 AI", "它很好"], "我们用 AI 它很好"),
        (["它很好", "AI"], "它很好 AI"),
        ([], ""),
    ],
)
def test_sentences_are_joined_as_their_script_joins_them(sentences, expected):
    assert expected == join_sentences(sentences)
