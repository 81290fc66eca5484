"""The library's document is read and written without loss, whatever the words are."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import TranscriptError
from ingest.identity import slug
from ingest.models import Chapter, Episode, Segment, Transcript, TranscriptLink, Turn
from ingest.transcripts.document import (
    file_stem,
    from_markdown,
    name_of,
    normal_turns,
    read_sidecar,
    text_of,
    to_markdown,
    to_sidecar,
    turns_from_segments,
)

SEED = Path(__file__).parents[4] / "shared" / "seeds" / "000_2c0cffbd33514a68.txt"
EPISODE = Episode(
    "sales", "guid-1", "Calls: a start", "Thu, 20 Feb 2025 09:00:00 -0000", audio_url="https://example.org/a.mp3"
)
DOCUMENT = """\
# Calls: a start

- Episode ID: guid-1
- Podcast: sales
- Published: Thu, 20 Feb 2025 09:00:00 -0000
- Link: 
- Audio URL: https://example.org/a.mp3
- Source Feed: 
- Transcribed At: 2026-02-23T00:15:12.700Z

## Transcript

"""  # noqa: W291 - an empty bullet keeps its space
STAMP = "2026-02-23T00:15:12.700Z"


def transcript(*turns):
    return Transcript(EPISODE, turns, transcribed_at=STAMP)


def test_text_without_speakers_is_one_paragraph_under_the_bullets():
    assert to_markdown(transcript(Turn("Hello\nthere."))) == DOCUMENT + "Hello there.\n"


def test_turns_open_with_the_name_on_its_own_line():
    turns = (Turn("Hello.\n\nI am Anna.", "Anna"), Turn("And I go on.", "Anna"), Turn("Hi.", "Ben"))
    expected = "Anna:\n\nHello.\n\nI am Anna.\n\nAnna:\n\nAnd I go on.\n\nBen:\n\nHi.\n"
    assert DOCUMENT + expected == to_markdown(transcript(*turns))
    assert turns == from_markdown(DOCUMENT + expected).turns


def test_words_of_nobody_stand_bare_at_first_and_under_unknown_speaker_later():
    turns = (Turn("Music."), Turn("Hello.", "Anna"), Turn("Who is that?"))
    assert (
        to_markdown(transcript(*turns)) == DOCUMENT + "Music.\n\nAnna:\n\nHello.\n\nUnknown speaker:\n\nWho is that?\n"
    )
    assert turns == from_markdown(to_markdown(transcript(*turns))).turns


def test_a_paragraph_that_looks_like_a_name_stays_text():
    turns = (Turn("My list:\n\nBen:\n\nNot a turn\\:", "Anna"),)
    assert "My list\\:\n\nBen\\:\n\nNot a turn\\\\:\n" in to_markdown(transcript(*turns))
    assert turns == from_markdown(to_markdown(transcript(*turns))).turns


def test_a_title_and_bullets_cannot_break_out_of_their_lines():
    hostile = replace(EPISODE, title="A\n## Transcript\n\nx", guid="g\r\n- Podcast: other", link="l\u2028- Podcast: b")
    text = to_markdown(Transcript(hostile, (Turn("## Transcript\n\n- Podcast: c\n\n# d"),), transcribed_at="\n"))
    lines = text.split("\n")
    assert lines[:4] == ["# A ## Transcript x", "", "- Episode ID: g - Podcast: other", "- Podcast: sales"]
    assert from_markdown(text).turns[0].text == "## Transcript\n\n- Podcast: c\n\n# d"


@pytest.mark.skipif(not SEED.exists(), reason="needs the seed transcripts beside the repository")
@pytest.mark.parametrize(
    "spoil", [lambda text: text, lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")]
)
def test_the_seed_is_written_as_it_was_read(spoil):
    text = SEED.read_bytes().decode()
    assert text == to_markdown(from_markdown(spoil(text)))


@pytest.mark.parametrize(("lost", "named"), [
    ("# Calls: a start", "title"), ("- Episode ID: guid-1", "`- Episode ID:`"), ("- Link: ", "`- Link:`"),
    ("- Transcribed At: " + STAMP, "`- Transcribed At:`"), ("## Transcript", "`## Transcript`"), ("Words.", "no words"),
])  # fmt: skip
def test_what_a_document_lacks_is_named(lost, named):
    text = "".join(line + "\n" for line in (DOCUMENT + "Words.").split("\n") if line != lost)
    with pytest.raises(TranscriptError, match=re.escape(named)) as caught:
        from_markdown(text, subject="a.md")
    assert caught.value.subject == "a.md"


ANY = st.text(max_size=30)
HOSTILE = st.one_of(
    ANY,
    st.lists(
        st.sampled_from(
            [
                ":",
                "\\",
                "\n",
                "\n\n",
                "a",
                "Ben:",
                "# ",
                "- Link: x",
                "## Transcript",
                " ",
                "\r",
                "\u2028",
                "Unknown speaker",
            ]
        ),
        max_size=9,
    ).map("".join),
)
NUMBER = st.floats(0, 1e6)
EPISODES = st.builds(
    Episode, HOSTILE, HOSTILE, HOSTILE, published=ANY, link=HOSTILE, audio_url=ANY, source_feed=ANY, duration=st.none() | NUMBER, summary=HOSTILE, author=ANY,
    season=st.none() | st.integers(0, 99), number=st.none() | st.integers(0, 9999), people=st.lists(ANY, max_size=2).map(tuple),
    transcripts=st.lists(st.builds(TranscriptLink, ANY, ANY, ANY, ANY), max_size=2).map(tuple),
    chapters_url=ANY, chapters=st.lists(st.builds(Chapter, NUMBER, ANY, ANY), max_size=2).map(tuple),
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBER | ANY,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(ANY, inner, max_size=2),
    max_leaves=4,
)
TRANSCRIPTS = st.builds(
    Transcript, EPISODES,
    st.tuples(st.just(Turn("words", "Anna")), st.builds(Turn, HOSTILE, HOSTILE), st.builds(Turn, HOSTILE, HOSTILE)).flatmap(st.permutations).map(tuple),
    st.lists(st.builds(Segment, NUMBER, NUMBER, ANY, ANY), max_size=3).map(tuple), HOSTILE, st.dictionaries(ANY, JSON, max_size=2),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(TRANSCRIPTS)
def test_document_and_sidecar_hold_every_transcript(given_transcript):
    normal = replace(given_transcript, turns=normal_turns(given_transcript.turns))
    text = to_markdown(given_transcript)
    assert normal == from_markdown(text, to_sidecar(given_transcript))
    assert text == to_markdown(from_markdown(text))
    assert text.split("\n")[10:12] == ["## Transcript", ""]


@settings(max_examples=100, deadline=None)
@given(HOSTILE)
def test_normal_text_and_names_stay_as_they_are(text):
    assert text_of(text) == text_of(text_of(text))
    assert name_of(text) == name_of(name_of(text))


def test_what_was_edited_in_the_markdown_wins_over_the_sidecar():
    written = transcript(Turn("Hello.", "Anna"))
    edited = (
        to_markdown(written).replace("# Calls: a start", "# New title").replace("Link: ", "Link: https://example.org")
    )
    read = from_markdown(edited, to_sidecar(written))
    assert (read.episode.title, read.episode.link, read.episode.guid) == ("New title", "https://example.org", "guid-1")


@pytest.mark.parametrize("sidecar", [
    "", "[]", "{", '{"soundbite": 1}', '{"segments": [], "soundbite": {"episode": {"duration": "long"}}}', "[" * 100_000,
    '{"segments": [{"startTime": "x"}], "soundbite": {"episode": {}, "provenance": {}, "transcribed_at": ""}}',
])  # fmt: skip
def test_a_broken_sidecar_is_left_aside_with_a_warning(sidecar, caplog):
    assert to_markdown(from_markdown(DOCUMENT + "Hello.\n", sidecar, subject="a.md")) == DOCUMENT + "Hello.\n"
    assert "a.md" in caplog.text


def test_the_sidecar_has_the_shape_of_the_podcast_namespace():
    timed = replace(transcript(Turn("Hi.", "Anna")), segments=(Segment(0.5, 1.0, "Hi.", "Anna"), Segment(1, 2, "Oh.")))
    document = json.loads(to_sidecar(replace(timed, provenance={"loss": float("nan")})))
    assert document["version"] == "1.0.0"
    assert document["segments"][0] == {"speaker": "Anna", "startTime": 0.5, "endTime": 1.0, "body": "Hi."}
    assert document["segments"][1] == {"startTime": 1, "endTime": 2, "body": "Oh."}
    assert document["soundbite"]["provenance"] == {"loss": None}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_time_that_is_no_number_is_not_written(value):
    plain = transcript(Turn("Hi.", "Anna"))
    for said in (
        replace(plain, segments=(Segment(0.0, 1.0, "Hi."), Segment(1.0, value, "Oh."))),
        replace(plain, segments=(Segment(value, 1.0, "Hi."),)),
        replace(plain, episode=replace(plain.episode, duration=value)),
        replace(plain, episode=replace(plain.episode, chapters=(Chapter(value, "Hello"),))),
    ):
        with pytest.raises(TranscriptError, match="a time in it is no number") as refused:
            to_sidecar(said)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999"])
def test_a_sidecar_with_a_time_that_is_no_number_is_left_aside(value, caplog):
    said = replace(transcript(Turn("Hi.", "Anna")), segments=(Segment(0.0, 7.5, "Hi."),))
    sidecar = to_sidecar(said).replace("7.5", value)
    assert () == from_markdown(DOCUMENT + "Hello.\n", sidecar, subject="a.md").segments
    assert "a.md" in caplog.text


def test_chapters_lie_in_the_json_and_change_nothing_of_a_document_without_them():
    chapters = (Chapter(0.0, "Hello"), Chapter(61.5, "Tea", "https://a.example/tea"))
    plain = transcript(Turn("Hi.", "Anna"))
    with_chapters = replace(plain, episode=replace(plain.episode, chapters=chapters))
    assert to_markdown(plain) == to_markdown(with_chapters)
    assert "chapter" not in to_sidecar(plain)
    told = json.loads(to_sidecar(with_chapters))
    assert told["soundbite"]["episode"].pop("chapters")[1] == {
        "start": 61.5,
        "title": "Tea",
        "url": "https://a.example/tea",
    }
    assert told == json.loads(to_sidecar(plain))
    assert from_markdown(to_markdown(plain), to_sidecar(with_chapters)).episode.chapters == chapters


def test_a_segment_in_another_language_says_so_and_reads_back():
    segments = (Segment(0.5, 1.0, "Hi."), Segment(1.0, 2.0, "Hallo.", language="de"))
    text = to_sidecar(Transcript(EPISODE, turns_from_segments(segments), segments))
    assert [None, "de"] == [one.get("language") for one in json.loads(text)["segments"]]
    assert segments == read_sidecar(text).segments


def test_half_a_surrogate_pair_can_be_written_as_utf_8():
    broken = Transcript(replace(EPISODE, title="a\ud800b"), (Turn("c\udfffd"),))
    assert b"# a b\n" in to_markdown(broken).encode()
    assert json.loads(to_sidecar(broken).encode())["soundbite"]["episode"]["title"] == "a\ud800b"


def test_segments_in_a_row_of_one_speaker_are_one_turn():
    said = [("Anna", "One."), ("Anna", "Two."), ("", "Three."), ("Anna", "Four.")]
    segments = [Segment(0, 1, text, speaker) for speaker, text in said]
    assert (Turn("One. Two.", "Anna"), Turn("Three."), Turn("Four.", "Anna")) == turns_from_segments(segments)


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        HOSTILE,
        st.sampled_from(["CON", "lpt1", "..", "a/../b", "x" * 500, "\ud800", "&#99999999999;", "日本語 テスト"]),
    ),
    st.integers(8, 80),
)
def test_a_slug_is_a_file_name_everywhere(text, limit):
    assert re.fullmatch(rf"[a-z0-9][a-z0-9-]{{0,{limit - 1}}}", slug(text, limit))
    assert slug(text, limit) not in {"con", "lpt1"}


def test_titles_without_letters_have_slugs_of_their_own():
    assert slug("\U0001f3a7") != slug("\U0001f399")
    assert slug("") == "untitled"


def test_the_file_is_named_by_date_title_and_key():
    assert f"2025-02-20-calls-a-start-{EPISODE.key[:8]}" == file_stem(EPISODE)
    assert file_stem(replace(EPISODE, published="some day")).startswith("undated-calls-a-start-")
