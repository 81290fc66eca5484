"""What is given out is valid in its format, and reading it again gives the same words, speakers and times."""

import json
import re
from itertools import groupby, pairwise

import pytest
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import TranscriptError
from ingest.models import Episode, Segment, Transcript, Turn
from ingest.transcripts.captions import parse
from ingest.transcripts.cues import collapse_spaces
from ingest.transcripts.export import CUE_SECONDS, render, split_segment

EPISODE = Episode("sales", "guid-1", "Calls")
SEGMENTS = (
    Segment(0.0, 1.25, "Is 1 < 2 & 3 > 2? --> yes", "Anna <b>"),
    Segment(1.25, 3.0, "Note: it is.", "Anna <b>"),
    Segment(3.0, 3661.5, "", "Ben"),
    Segment(3600.0, 3601.0, "No.", "Ben"),
)
TIMED = Transcript(EPISODE, (Turn("Is it?", "Anna"), Turn("No.", "Ben")), SEGMENTS)
UNTIMED = Transcript(EPISODE, (Turn("Is it?\n\nWell?", "Anna"), Turn("No.")))


def test_webvtt_has_escaped_voices():
    expected = """\
WEBVTT

NOTE Speakers are in voice tags only.

00:00:00.000 --> 00:00:01.250
<v Anna &lt;b&gt;>Is 1 &lt; 2 &amp; 3 &gt; 2? --&gt; yes</v>

00:00:01.250 --> 00:00:03.000
<v Anna &lt;b&gt;>Note: it is.</v>

01:00:00.000 --> 01:00:01.000
<v Ben>No.</v>
"""
    assert expected == render(TIMED, "vtt")


def test_srt_names_the_speaker_where_it_changes():
    expected = """\
1
00:00:00,000 --> 00:00:01,250
Anna <b>: Is 1 < 2 & 3 > 2? -> yes

2
00:00:01,250 --> 00:00:03,000
Note: it is.

3
01:00:00,000 --> 01:00:01,000
Ben: No.
"""
    assert expected == render(TIMED, "srt")


def test_another_reader_finds_the_same_cues_in_webvtt():
    cues = webvtt.from_string(render(TIMED, "vtt")).captions
    assert [(cue.start, cue.end) for cue in cues] == [
        ("00:00:00.000", "00:00:01.250"),
        ("00:00:01.250", "00:00:03.000"),
        ("01:00:00.000", "01:00:01.000"),
    ]
    assert cues[2].voice == "Ben"


def test_text_and_markdown_are_given_without_times():
    assert render(UNTIMED, "txt") == "Anna:\n\nIs it?\n\nWell?\n\nUnknown speaker:\n\nNo.\n"
    assert render(UNTIMED, "md").endswith("## Transcript\n\n" + render(UNTIMED, "txt"))


def test_json_without_times_has_a_segment_for_each_turn():
    segments = json.loads(render(UNTIMED, "json"))["segments"]
    assert segments == [{"speaker": "Anna", "body": "Is it?\n\nWell?"}, {"body": "No."}]


@pytest.mark.parametrize("fmt", ["vtt", "srt"])
def test_captions_of_a_transcript_without_times_are_refused(fmt):
    with pytest.raises(TranscriptError, match=r"has no times.*md, txt and json"):
        render(UNTIMED, fmt)


def test_a_long_segment_is_cut_after_sentences_with_times_between():
    long = Segment(10.0, 22.0, "We call at nine. Nobody answers, so we write. Then we wait for an answer.", "Anna")
    assert list(split_segment(long)) == [
        Segment(10.0, 12.757, "We call at nine.", "Anna"),
        Segment(12.757, 17.459, "Nobody answers, so we write.", "Anna"),
        Segment(17.459, 22.0, "Then we wait for an answer.", "Anna"),
    ]


WORDS = st.lists(
    st.sampled_from(
        ["yes", "no.", "Note:", "<b>", "&amp;", "a,", "a-->b", "42", "00:01.000", "{\\an8}", "Ben:", "x" * 30]
    ),
    min_size=1,
    max_size=25,
)
LINES = st.tuples(st.floats(0.002, 30), st.floats(0, 3), WORDS, st.sampled_from(["", "Anna", "Ben & Co", "<v>"]))


def laid_out(lines):
    """Segments one after the other, each with a word of its own so that none is the double of another."""
    at, segments = 0.0, []
    for number, (length, gap, words, speaker) in enumerate(lines):
        segments.append(Segment(at, at + length, " ".join([f"w{number}", *words]), speaker))
        at += length + gap
    return tuple(segments)


def words_by_speaker(segments):
    runs = groupby(segments, key=lambda segment: segment.speaker)
    return [(speaker, collapse_spaces(" ".join(segment.text for segment in run)).split()) for speaker, run in runs]


@settings(max_examples=50, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=6).map(laid_out))
def test_webvtt_read_again_keeps_words_speakers_and_times(segments):
    read = parse(render(Transcript(EPISODE, (), segments), "vtt").encode(), "vtt", "a.vtt")
    assert words_by_speaker(segments) == words_by_speaker(read)
    starts = {round(segment.start, 3) for segment in read}
    ends = {round(segment.end, 3) for segment in read}
    assert all(round(segment.start * 1000) / 1000 in starts for segment in segments)
    assert all(round(segment.end * 1000) / 1000 in ends for segment in segments)


@settings(max_examples=80, deadline=None)
@given(LINES)
def test_parts_of_a_segment_follow_each_other_and_hold_all_its_words(line):
    (segment,) = laid_out([line])
    parts = list(split_segment(segment))
    assert (segment.start, segment.end) == (parts[0].start, parts[-1].end)
    assert all(before.end == after.start for before, after in pairwise(parts))
    assert segment.text.split() == " ".join(part.text for part in parts).split()
    for part in parts:
        assert part.end - part.start <= CUE_SECONDS + 0.01 or not re.search(r"\s", part.text)
