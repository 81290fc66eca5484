import pytest

from ingest.models import Episode, Segment, TranscriptLink
from ingest.publisher import ranked, shortcoming

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


def test_another_language_is_tried_last():
    offered = [link("vtt", "de-DE"), link("txt", "en-US")]

    assert [one.language for one in ranked(offered, "en")] == ["en-US", "de-DE"]


def test_a_whole_transcript_is_good_enough():
    assert shortcoming(spoken(0, 60), EPISODE) == ""


def test_without_a_declared_duration_the_rest_still_counts():
    assert shortcoming(spoken(0, 30), Episode("quota", "g1", "First")) == ""


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
