"""Sentences end where a reader would end them."""

# ruff: noqa: RUF001 - marks of all scripts are meant

import pytest

from ingest.sentences import is_ended, is_question, join_sentences, split_sentences, word_count, word_spans

# Of each script three sentences; the second asks
SCRIPTS = {
    "English": ["The weather is good.", "Where are you going?", "I come tomorrow."],
    "Chinese": ["今天天气很好。", "你去哪里？", "我明天来！"],
    "Japanese": ["今日はいい天気です。", "どこへ行きますか。", "明日来ます。"],
    "Japanese, half-width": ["ｵｰﾌﾞﾝを買います｡", "どこですか｡", "明日来ます｡"],
    "Japanese, full-width points": ["価格は３．５倍です．", "どこへ行きますか．", "明日来ます．"],
    "Korean": ["날씨가 좋아요.", "어디 가요?", "내일 올게요."],
    "Hindi": ["मौसम अच्छा है।", "क्या तुम आओगे?", "हम बाज़ार जाते हैं।"],
    "Hindi, double": ["धर्मो रक्षति रक्षितः॥", "तुम कहाँ हो?", "सत्यमेव जयते॥"],
    "Bengali": ["আমি ভাত খাই।", "তুমি কেমন আছো?", "আজ বৃষ্টি হবে।"],
    "Arabic": ["الطقس جميل.", "أين السوق؟", "نذهب غدا."],
    "Persian": ["هوا خوب است.", "کجا می‌روی؟!", "فردا می‌آیم."],
    "Urdu": ["موسم اچھا ہے۔", "آپ کیسے ہیں؟", "ہم بی۔اے کرتے ہیں۔"],
    "Hebrew": ["מזג האוויר טוב.", "לאן אתה הולך?", "אבוא מחר."],
    "Greek": ["Ο καιρός είναι καλός.", "Πού πας;", "Έρχομαι αύριο."],
    "Greek, its own mark": ["Ο καιρός είναι καλός.", "Ξέρεις το YouTube\u037e", "Έρχομαι αύριο."],
    "Armenian": ["Եղանակը լավ է։", "Ո՞ւր ես գնում։", "Վաղը կգամ։"],
    "Burmese": ["ရာသီဥတု ကောင်းတယ်။", "ဘယ်သွားမလဲ။", "မနက်ဖြန် လာမယ်။"],
    "Khmer": ["ខ្ញុំទៅផ្សារ។", "តើអ្នកទៅណា?", "ស្អែកខ្ញុំមក៕"],
    "Amharic": ["ዛሬ ፀሐይ ነው።", "ወዴት ትሄዳለህ፧", "ነገ እመጣለሁ።"],
    "Amharic, typed": ["ዛሬ ፀሐይ ነው፡፡", "ወዴት ትሄዳለህ?", "ነገ እመጣለሁ፡፡"],
    "Tibetan": ["ང་བོད་ཡིག་སྦྱོང་གི་ཡོད།", "སུ་རེད་?", "ང་ལ་དཔེ་ཆ་ཡོད༎"],
    "Russian": ["Погода хорошая.", "Куда ты идёшь?", "Приду завтра!"],
    "Spanish": ["Hace buen tiempo.", "¿Adónde vas?", "¡Vengo mañana!"],
}
UNSPACED = ("Chinese", "Japanese", "Japanese, half-width", "Japanese, full-width points")


@pytest.mark.parametrize("script", SCRIPTS)
def test_sentences_end_in_every_script(script):
    assert SCRIPTS[script] == split_sentences(" ".join(SCRIPTS[script]))


@pytest.mark.parametrize("script", UNSPACED)
def test_where_no_space_parts_sentences_their_marks_do(script):
    assert (
        SCRIPTS[script] == split_sentences("".join(SCRIPTS[script])) == split_sentences(join_sentences(SCRIPTS[script]))
    )


@pytest.mark.parametrize("text", ["वह गया।मैं आया।", "أين؟هناك؟", "ကောင်းတယ်။လာမယ်။", "ខ្ញុំទៅ។ខ្ញុំមក។", "ነው።ነገ።"])
def test_a_space_that_a_writer_left_out_joins_no_sentences(text):
    assert 2 == len(split_sentences(text))
    assert text == "".join(split_sentences(text))


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("marks", ["", '"', "”", "’", "“", "»", "«", " »", "」", "』", "）", "】", ")", "\u200f"])
def test_questions_are_told_in_every_script_whatever_closes_them(script, marks):
    assert [False, True, False] == [is_question(sentence + marks) for sentence in SCRIPTS[script]]
    assert all(is_ended(sentence + marks.strip()) for sentence in SCRIPTS[script])


@pytest.mark.parametrize("text", ["What?!", "Really?...", "Quoi ?", "“Why?’”", "「何？」", "(¿Sí?)", "嗯？……"])
def test_more_marks_after_a_question_leave_it_one(text):
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    ["", "?!a", "He asked why? He did.", "one; two;", "the letter λ;", "“Stop!”", "これとか。", "Ո՛չ։", "so…", "Yes…!"],
)
def test_what_asks_nothing_is_no_question(text):
    assert not is_question(text)


@pytest.mark.parametrize(
    "text", ["no end", "a comma,", "one; two;", "他说，", "और फिर", '"', "", "an AI", "Ինչպե՞ս", "πράγμα,"]
)
def test_what_has_no_mark_at_its_end_is_not_ended(text):
    assert not is_ended(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Er sagte: „Gut.“ Ja.", ["Er sagte: „Gut.“", "Ja."]),
        ("»Gut.« Dann kam sie.", ["»Gut.«", "Dann kam sie."]),
        ("‚Gut.‘ Dann kam sie.", ["‚Gut.‘", "Dann kam sie."]),
        ("„Warum?“ fragte sie.", ["„Warum?“ fragte sie."]),
        ("»Ja.« »nein.«", ["»Ja.« »nein.«"]),
        ("Il dit : «Bonjour.» Elle part.", ["Il dit : «Bonjour.»", "Elle part."]),
        ("« Bonjour. » Elle part.", ["« Bonjour. »", "Elle part."]),
        ("« Ça va ? » Elle part.", ["« Ça va ? »", "Elle part."]),
        ("« Ça va ? » demande-t-elle.", ["« Ça va ? » demande-t-elle."]),
        ("Un « mot » Ici.", ["Un « mot » Ici."]),
        ("‹Bien.› Puis rien.", ["‹Bien.›", "Puis rien."]),
        ("«Погода хорошая.» Он ушёл.", ["«Погода хорошая.»", "Он ушёл."]),
        ("«Գնա՛։» Նա գնաց։", ["«Գնա՛։»", "Նա գնաց։"]),
        ("उसने कहा “चलो।” हम गए।", ["उसने कहा “चलो।”", "हम गए।"]),
        ("「買います。」『売ります。』次です。", ["「買います。」", "『売ります。』", "次です。"]),
        ("「買います。」と言った。次です。", ["「買います。」と言った。", "次です。"]),
        ("本当です（たぶん。）。次です。", ["本当です（たぶん。）。", "次です。"]),
        ("【注意。】次です。えっ？！はい。", ["【注意。】", "次です。", "えっ？！", "はい。"]),
        ("他说：“好。”她说：“不好。”", ["他说：“好。”", "她说：“不好。”"]),
        ('他说:"好。" 她来了。', ['他说:"好。"', "她来了。"]),
        ('他来了。"好。"', ["他来了。", '"好。"']),
    ],
)
def test_what_closes_a_sentence_belongs_to_it(text, expected):
    assert expected == split_sentences(text)


@pytest.mark.parametrize(
    "text",
    [
        "Wir sahen z.B. Anna, d.h. Frau Bell, bzw. Nr. 5 usw. Am 3. Mai, im 19. Jahrhundert, ggf. Später.",
        "Es kostet 3.5 Mio. Euro, vgl. Dr. Bell, ca. Tausend inkl. Porto.",
        "Vers 50 v. Chr. Lebte er, z. B. Hier.",
        "M. Martin, Mme. Petit et Mlle. Roux, p.ex. Anne, en janv. Avec J.-C. Roux.",
        "El Sr. Ruiz, la Sra. Gil y la Srta. Paz, p.ej. Ana, de EE.UU. Con RR.HH. Y la pág. X.",
        "En EE. UU. Hay más que en los JJ. OO. de ayer.",
        "डॉ. शर्मा कल आए।",
        "One; Two; Three; and λόγος; Then four; “five”; Six.",
        "For α; For β; Next.",
        "See 3．5 and ３．５ here.",
        "Ինչո՞ւ Աննա, Օ՜ Աննա։",
        "他说…好",
        "It cost 3.5; Mr. Bell, e.g., paid... but no… not all.",
    ],
)
def test_abbreviations_numbers_and_semicolons_end_no_sentence(text):
    assert [text] == split_sentences(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We were 19. Then we left.", ["We were 19.", "Then we left."]),
        ("Er ist 3. Maria ist 5.", ["Er ist 3.", "Maria ist 5."]),
        ("Ask HR. Ask Max. Mind the art. No. Mm. Yes.", ["Ask HR.", "Ask Max.", "Mind the art.", "No.", "Mm.", "Yes."]),
        ("Ξέρεις το YouTube; Ναι; Όχι.", ["Ξέρεις το YouTube;", "Ναι;", "Όχι."]),
        ("Ναι; ρώτησε εκείνη. Όχι.", ["Ναι; ρώτησε εκείνη.", "Όχι."]),
        ("रुको। iPhone लाओ।", ["रुको।", "iPhone लाओ।"]),
        ("བཀྲ་ཤིས། ། བདེ་ལེགས།", ["བཀྲ་ཤིས། །", "བདེ་ལེགས།"]),
    ],
)
def test_what_looks_like_an_abbreviation_may_end_one(text, expected):
    assert expected == split_sentences(text)


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
        ("我们开始吧。今天谈价格！好吗？", ["我们开始吧。", "今天谈价格！", "好吗？"]),
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
        (["売ります。", "「買います。」", "次"], "売ります。「買います。」次"),
        (["他说：“好。”", "她来。", "“不。”"], "他说：“好。”她来。“不。”"),
        (["He said “hi”", "你好"], "He said “hi” 你好"),
        (["價格．", "次です．"], "價格．次です．"),
        (["मौसम अच्छा है।", "ठीक।"], "मौसम अच्छा है। ठीक।"),
        (["วันนี้เราขาย", "เขาซื้อ"], "วันนี้เราขาย เขาซื้อ"),
        (["한국어 문장입니다.", "다음 문장."], "한국어 문장입니다. 다음 문장."),
        (["我们用 AI", "它很好"], "我们用 AI 它很好"),
        (["它很好", "AI"], "它很好 AI"),
        ([], ""),
    ],
)
def test_sentences_are_joined_as_their_script_joins_them(sentences, expected):
    assert expected == join_sentences(sentences)
