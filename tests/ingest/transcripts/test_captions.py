# ruff: noqa: RUF001 - other scripts are meant
"""Any bytes give segments that can be relied on, or one clear error, and quickly."""

import json
import math
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import TranscriptError
from ingest.models import Segment
from ingest.transcripts.captions import Kind, kind_of, parse
from ingest.transcripts.cues import join_words, strip_markup, timed
from ingest.transcripts.decoding import decode
from tests.cpu import cpu_seconds

KINDS = get_args(Kind)
DATA = Path(__file__).parents[2] / "data"
AWKWARD = sorted(
    path
    for folder in ("captions", "transcripts")
    for path in (DATA / folder).iterdir()
    if not path.name.endswith(".expected.json")
)


@pytest.mark.parametrize("path", AWKWARD, ids=lambda path: path.name)
def test_an_awkward_file_gives_what_stands_beside_it(path):
    expected = json.loads(path.with_name(f"{path.name}.expected.json").read_text("utf-8"))
    data = path.read_bytes()
    kind = kind_of("", path.name, data)
    assert expected["kind"] == kind
    if "error" in expected:
        with pytest.raises(TranscriptError) as caught:
            parse(data, kind, path.name)
        assert expected["error"] == str(caught.value)
    else:
        found = [
            [segment.start, segment.end, segment.speaker, segment.text] for segment in parse(data, kind, path.name)
        ]
        assert expected["segments"] == found


# Pieces that formats are made of, so that random files come near real ones
PIECES = st.sampled_from([
    "WEBVTT", "NOTE", "STYLE", "\n", "\n\n", "\r\n", "\ufeff", "1\n", "00:00:01.000 --> 00:00:02.000\n", "99:99:99,9 --> 1:1,1\n",
    "<v Anna>", "</v>", "<", ">", "&lt;", "&#0;", "&#x1F;", "-->", "Anna: ", "Ben (0:01): ", "[00:00:02] ", "{\\an8}", "**", "# A\n",
    '{"segments": [', '{"startTime": 1, "body": "a"}', '"endTime": -1e999,', "]}", "<p>", "<cite>", "<time>", "<!--", "<script>", "words",
    '{"words": [', '{"text": "a", "start": 1},', "<tt><p begin='1s'>", "<span begin='2t'>", "</p></tt>", "start\ttext\n", "1\tb\n", "0:01,0:02\n",
    "[Script Info]\n", "Format: Start, End, Text\n", "Dialogue: 0:01,0:02,b\n", "[ar:x]", "| a |", "**", "### B\n", "0:05 ", "0:01 - 0:09\n",
    "X-TIMESTAMP-MAP=MPEGTS:9,LOCAL:0:00\n", "\u2028", "\x00", "---\n", "::", "Speaker 1:\n",
])  # fmt: skip
BYTES = st.one_of(
    st.binary(max_size=300),
    st.lists(PIECES, max_size=40).map(lambda pieces: "".join(pieces).encode()),
    st.lists(PIECES, max_size=40).map(lambda pieces: "".join(pieces).encode("utf-16")),
)


def assert_settled(segments):
    assert segments
    assert [segment.start for segment in segments] == sorted(segment.start for segment in segments)
    for segment in segments:
        assert 0 <= segment.start <= segment.end < math.inf
        for text in (segment.text, segment.speaker):
            assert " ".join(text.split()) == text
            assert not any(character < " " or "\x7f" <= character < "\xa0" for character in text)
        assert any(character.isalnum() for character in segment.text)


def test_any_bytes_give_settled_segments_or_a_transcript_error(capsys):
    outcomes = {"segments": 0, "error": 0}

    @settings(max_examples=300, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
    @given(BYTES, st.sampled_from(KINDS))
    def attempt(data, kind):
        try:
            assert_settled(parse(data, kind, "subject"))
            outcomes["segments"] += 1
        except TranscriptError:
            outcomes["error"] += 1

    attempt()
    assert min(outcomes.values()) > 20
    with capsys.disabled():
        print(f"\n{sum(outcomes.values())} hostile caption files tried: {outcomes}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("piece", [
    "<", "<a", "<!--", "<![", "<script>", "<p>", "<cite>", "<v ", "&", "&#", "{\\", "[", "(", "[[", "](", "**", ":", " ", "a ", "A: ",
    "a:", "\n", "\n\n", "1\n", "0:0 ", "(0:00", "[0:00] ", "A (0:01): x\n", "00:01.0 --> ", "00:00:01.000 --> 00:00:02.000\nA: b\n",
    "-", "\t", ">>", "# ", "| a ", "|-", "**a** ", "0:00 a\n", "A 0:00 b\n", "[0:00] A\nb\n", "<tt>", "<p begin='1s'>a</p>", '{"text":"a"}\n', "a\tb\n",
    "start,text\n", '"', "0:00,0:01\na\n", "[0:00]a\n", "Dialogue: ", "<li><a>", "<li ", "\\[", "[A] b\n", "(00:00:00)", "---\n", "a\nb\n\n", "\xe9", '{"a":', '[{"body":"a"},',
])  # fmt: skip
def test_time_grows_no_faster_than_the_file(kind, piece):
    data = (piece * 40_000)[:40_000].encode()

    def read():
        with suppress(TranscriptError):
            parse(data, kind, "subject")

    assert cpu_seconds(read) < 2


@pytest.mark.parametrize(("media_type", "name", "data", "kind"), [
    ("text/vtt; charset=utf-8", "x.srt", b"", "vtt"),
    ("application/x-subrip", "", b"", "srt"),
    ("application/json", "", b"", "json"),
    ("text/html", "x", b"", "html"),
    ("text/plain", "https://example.org/a.vtt?token=x.srt#y", b"", "vtt"),
    ("", "A.SRT", b"", "srt"),
    ("application/octet-stream", "download", b"\xef\xbb\xbfWEBVTT\n", "vtt"),
    ("text/plain", "a.txt", b"1\n00:00:01,000 --> 00:00:02,000\nHi\n", "srt"),
    ("", "a.txt", "1\n00:00:01,000 --> 00:00:02,000\nHi\n".encode("utf-16"), "srt"),
    ("", "a", b'  {"version": "1.0.0"}', "json"),
    ("", "a", b"[00:00:01] Not JSON", "txt"),
    ("", "a", b"<!DOCTYPE html><p>Hi", "html"),
    ("", "a", b"# Title\n", "md"),
    ("", "a", b"---\ntitle: x\n---\n", "md"),
    ("", "a", b"", "txt"),
])  # fmt: skip
def test_the_kind_goes_by_type_then_suffix_then_content(media_type, name, data, kind):
    assert kind == kind_of(media_type, name, data)


def test_a_file_beyond_the_limit_is_refused_unread():
    with pytest.raises(TranscriptError, match="larger than 10 bytes"):
        parse(b"words and words", "txt", "big.txt", limit=10)


def test_an_unknown_kind_is_named():
    with pytest.raises(TranscriptError, match="'pdf'"):
        parse(b"words", "pdf", "a.pdf")


def test_bytes_that_no_encoding_names_are_still_read():
    assert decode(b"caf\xe9 \x81", "a.txt") == "caf\xe9 \x81"


def test_segments_of_a_file_without_times_are_told_apart():
    assert timed(parse(b"Only words.", "txt", "a")) == ()
    assert (Segment(0.0, 0.8, "Two words."),) == timed(parse(b"[0:00] Two words.", "txt", "a"))


@pytest.mark.parametrize(("charset", "text"), [
    ("windows-1251", "Река поднялась ночью."), ("Shift_JIS", "川が夜に増水しました。"), ("iso-8859-7", "Το ποτάμι."), ("koi8-r", "Мы ушли."),
    ("gb2312", "河水昨晚涨了。"), ("iso-8859-1", "“Straße”"),
])  # fmt: skip
def test_the_declared_charset_is_believed_where_the_bytes_are_not_utf_8(charset, text):
    data = text.encode({"gb2312": "gb18030", "iso-8859-1": "cp1252"}.get(charset, charset))

    assert text == decode(data, "a.txt", charset=charset)
    assert text == decode(text.encode(), "a.txt", charset=charset)
    assert (Segment(0.0, 0.0, text),) == parse(data, "txt", "a.txt", charset=charset)


def test_a_declared_charset_does_not_make_mojibake_of_one_bad_byte():
    data = "Łódź nad rzeką — mąka".encode() + b"\x92s"
    assert "Łódź nad rzeką — mąka’s" == decode(data, "a.txt", charset="iso-8859-1")


def test_a_detected_charset_is_said(caplog):
    text = "Сегодня мы говорим о реке, о муке и о том, как мы её спасли.\n" * 4
    assert text == decode(text.encode("cp1251"), "a.txt")
    assert "cp1251" in caplog.text


def test_times_in_milliseconds_are_not_hours():
    rows = [{"start": n * 4000, "end": n * 4000 + 3000, "text": "some words are said"} for n in range(3)]
    assert [0.0, 4.0, 8.0] == [segment.start for segment in parse(json.dumps({"segments": rows}).encode(), "json", "a")]
    hours = [{"start": n * 4000.5, "end": n * 4000.5 + 3000, "text": "some words " * 300} for n in range(3)]
    assert [0.0, 4000.5, 8001.0] == [segment.start for segment in parse(json.dumps(hours).encode(), "json", "a")]


@pytest.mark.parametrize(
    "said",
    [
        ["Mr. Bell sold it.", "“Why?”", "Nobody knows."],
        ["मौसम अच्छा है।", "क्या तुम आओगे?", "हम जाते हैं।"],
        ["Πού πας;", "Έρχομαι αύριο.", "Καλά."],
        ["موسم اچھا ہے۔", "آپ کیسے ہیں؟", "شکریہ۔"],
    ],
)
def test_single_words_are_joined_into_sentences(said):
    words = [{"word": word, "start": n * 0.5, "end": n * 0.5 + 0.4} for n, word in enumerate(" ".join(said).split())]
    assert said == [segment.text for segment in timed(parse(json.dumps({"words": words}).encode(), "json", "subject"))]


@pytest.mark.parametrize("sentence", ["यह सच है। सुनो", "هل تسمع؟ قال", "ნახე‽ Da", "ገባኝ። እሱ", "Լավ։ Նա"])
def test_what_ends_a_sentence_stands_in_no_name(sentence):
    text = "\n".join([f"{sentence}: one thing.", f"{sentence}: another thing.", f"{sentence}: a third."])
    assert {""} == {cue.speaker for cue in parse(text.encode(), "txt", "a.txt")}


@pytest.mark.parametrize(
    "parts", [["وهل", "؟"], ["سچ", "ہے", "۔"], ["सच", "है", "।"], ["ነው", "።"], ["Ja", "։"], ["No", "?"]]
)
def test_no_space_stands_before_the_mark_that_ends_a_sentence(parts):
    assert " ".join(parts[:-1]) + parts[-1] == join_words(parts)
    assert strip_markup(f"<b>{parts[0]} </b>{parts[-1]}") == parts[0] + parts[-1]


@pytest.mark.parametrize("ended", ["It rose.", "وهل؟", "سچ ہے۔", "सच है।", "ነው።", "Լավ է։"])
def test_a_turn_that_goes_on_in_the_line_begins_after_a_sentence(ended):
    text = f"[0:01] Anna: {ended} [0:05] Ben: Yes. [0:09] Anna: No."
    assert ["Anna", "Ben", "Anna"] == [cue.speaker for cue in parse(text.encode(), "txt", "a.txt")]
