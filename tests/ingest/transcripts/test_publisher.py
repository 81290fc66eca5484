from typing import get_args

import pytest

from ingest.models import Episode, Segment, TranscriptLink
from ingest.transcripts.captions import Kind
from ingest.transcripts.publisher import PREFERENCE, foreign, primary_language, ranked, score, shortcoming, suffix

EPISODE = Episode("quota", "g1", "First", audio_url="https://quota.example/1.mp3", duration=60.0)
SENTENCE = "we talk about deals and people for a while"


def spoken(start, end, step=5.0):
    count = int((end - start) / step)
    return [Segment(start + i * step, start + (i + 1) * step, SENTENCE) for i in range(count)]


def link(kind, language="en"):
    return TranscriptLink(f"https://quota.example/1.{kind}", language=language)


def test_timed_captions_with_speakers_are_tried_first():
    offered = [link("txt"), link("html"), link("json"), link("srt"), link("vtt")]

    assert [one.url.rpartition(".")[2] for one in ranked(offered)] == ["vtt", "srt", "json", "html", "txt"]


def test_every_format_that_is_read_has_its_place_in_the_order():
    assert set(get_args(Kind)) == set(PREFERENCE)
    assert [".ttml", ".vtt"] == [suffix(link("xml"), b"<tt><body/></tt>"), suffix(link("txt"), b"WEBVTT")]


def test_another_language_is_tried_last():
    offered = [link("vtt", "de-DE"), link("txt", "en-US")]

    assert [one.language for one in ranked(offered, "en")] == ["en-US", "de-DE"]


def test_a_whole_transcript_is_good_enough():
    assert shortcoming(spoken(0, 60), EPISODE) == ""


def test_without_a_declared_duration_the_rest_still_counts():
    assert shortcoming(spoken(0, 30), Episode("quota", "g1", "First")) == ""


@pytest.mark.parametrize(
    "segments",
    [
        [Segment(0.0, 2.0, "Transcript coming soon.")],
        [Segment(0.0, 4.5, "Good morning everyone. I am Laura, and you")],
        spoken(0, 30),
        spoken(60, 115),
    ],
    ids=["placeholder", "cut off", "trailer", "late"],
)
def test_without_a_declared_duration_a_short_transcript_will_do_only_where_there_is_no_audio(segments):
    with_audio = Episode("quota", "g1", "First", audio_url="https://quota.example/1.mp3")

    assert "of an episode whose duration its feed does not give" in shortcoming(segments, with_audio)
    assert shortcoming(segments, Episode("quota", "g1", "First")) == ""
    declared = Episode("quota", "g1", "First", audio_url="https://quota.example/1.mp3", duration=segments[-1].end)
    assert shortcoming(segments, declared) == ""


@pytest.mark.parametrize("end", [120, 200, 4000])
def test_without_a_declared_duration_a_long_transcript_is_good_enough(end):
    with_audio = Episode("quota", "g1", "First", audio_url="https://quota.example/1.mp3")

    assert shortcoming(spoken(0, end), with_audio) == ""


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        ([Segment(0.0, 0.0, SENTENCE)], "no times"),
        ([], "no words"),
        (spoken(0, 30), "ends at 30 s of 60 s"),
        (spoken(0, 100), "runs to 100 s"),
        ([Segment(0.0, 55.0, "A short summary.")], "not how people speak"),
        (spoken(0, 60) * 9, "not how people speak"),
        (spoken(30, 60) + spoken(0, 30), "backwards"),
    ],
    ids=["untimed", "empty", "short", "long", "sparse", "dense", "backwards"],
)
def test_what_is_wrong_with_a_transcript_is_said(segments, reason):
    assert reason in shortcoming(segments, EPISODE)


def test_words_without_times_will_do_only_where_there_is_no_audio():
    assert shortcoming([Segment(0.0, 0.0, SENTENCE)], Episode("quota", "g1", "First")) == ""


@pytest.mark.parametrize(
    ("theirs", "ours", "will_do"),
    [("en-GB", "en", True), ("EN", "en_US", True), ("", "en", True), ("de", "", True), ("de", "en", False)],
)
def test_languages_are_compared_by_their_primary_subtag(theirs, ours, will_do):
    assert will_do == (foreign(link("vtt", theirs), ours) == "")


@pytest.mark.parametrize(("theirs", "ours"), [
    ("en", "English"), ("eng", "en-US"), ("fre", "fra"), ("Français", "fr_CA"), ("español", "spa"), ("he", "iw"), ("in", "id"),
    ("nb-NO", "no"), ("nn", "nb"), ("cmn-Hans", "zh-cn"), ("zh_TW", "Chinese"), ("日本語", "jpn"), ("jp", "ja"), ("Brazilian Portuguese", "pt"),
    ("und", "de"), ("x-default", "de"), ("nobody knows", "de"), ("mul", "fr"),
])  # fmt: skip
def test_one_language_is_the_same_under_all_its_codes_and_names(theirs, ours):
    assert foreign(link("vtt", theirs), ours) == ""


@pytest.mark.parametrize(("theirs", "ours"), [("Deutsch", "en"), ("swe", "nb"), ("zh", "ja"), ("Italian", "es-MX")])
def test_other_languages_stay_others_under_any_name(theirs, ours):
    assert "podcast in" in foreign(link("vtt", theirs), ours)
    assert primary_language(theirs) != primary_language(ours)


@pytest.mark.parametrize(
    "text",
    [
        "今天我们聊聊面包的价格。还有面粉。",
        "今日は小麦粉の値段の話をします。",
        "วันนี้เราจะพูดถึงราคาขนมปังและแป้ง",
        "오늘은 빵 가격 이야기",
    ],
    ids=["Chinese", "Japanese", "Thai", "Korean"],
)
def test_scripts_without_spaces_are_spoken_at_a_human_rate(text):
    seconds = len(text) / 6
    said = [Segment(at * seconds, (at + 1) * seconds, text) for at in range(60)]

    assert shortcoming(said, Episode("quota", "g1", "First", audio_url="https://quota.example/1.mp3")) == ""
    pasted_thrice = [Segment(one.start / 8, one.end / 8, one.text) for one in said]
    assert "not how people speak" in shortcoming(pasted_thrice, Episode("q", "g", "t"))


def test_the_score_says_how_far_and_how_densely_it_reaches():
    half = [Segment(0.0, 20.0, SENTENCE), Segment(10.0, 30.0, SENTENCE), Segment(40.0, 45.0, SENTENCE)]

    assert score(half, EPISODE) == {
        "reach": 0.75, "coverage": 0.583, "words": 27, "words_per_minute": 36.0, "monotone": True
    }  # fmt: skip
    assert (None, None) == (score([], EPISODE)["words_per_minute"], score(half, Episode("q", "g", "t"))["reach"])


def test_a_publishers_file_is_never_kept_under_the_suffix_of_ours():
    assert [".vtt", ".txt"] == [suffix(link("vtt"), b"WEBVTT"), suffix(link("md"), b"# Title")]
