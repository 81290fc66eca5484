"""Any transcript file a person has becomes a Transcript with what the file says and sound defaults for the rest."""

import json
import re
from pathlib import Path

import pytest

from ingest.errors import TranscriptError
from ingest.models import Episode, Segment, Transcript, Turn
from ingest.transcripts.document import to_markdown, to_sidecar
from ingest.transcripts.export import render
from ingest.transcripts.importing import read_transcript

SEEDS = Path(__file__).parents[4] / "shared" / "seeds"
with_seeds = pytest.mark.skipif(not SEEDS.exists(), reason="needs the seed transcripts beside the repository")

OURS = Transcript(
    Episode("sales", "guid-1", "Calls", "Thu, 20 Feb 2025 09:00:00 -0000", duration=61.5, people=("Anna",), season=2),
    (Turn("Hello. I am Anna.", "Anna"), Turn("Hi.", "Ben")),
    (Segment(0.0, 1.5, "Hello.", "Anna"), Segment(1.5, 3.0, "I am Anna.", "Anna"), Segment(3.0, 4.0, "Hi.", "Ben")),
    "2026-02-23T00:15:12.700Z",
    {"source": "model", "model": "small"},
)


def written(folder, name, text):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@with_seeds
def test_the_publishers_page_is_read_whole():
    path = SEEDS / "003_623b4ac9dc9062d1.txt"
    blocks = [line for line in path.read_text("utf-8").split("\n") if line.strip()]
    expected = list(zip(blocks[4::2], blocks[5::2], strict=True))
    read = read_transcript(path)
    episode = read.episode
    assert (episode.podcast, episode.author, episode.season, episode.number) == (
        "sales-management-podcast",
        "Cory Bray",
        1,
        90,
    )
    assert episode.title == "90. Why your sales org is moving at half speed with Pete Kazanjy"
    assert blocks[3].strip() == episode.summary
    assert len(expected) == 87
    assert expected == [(f"{turn.speaker}:", turn.text) for turn in read.turns]
    assert {"source": "import", "file": path.name, "format": "txt"} == read.provenance


@pytest.mark.parametrize(("head", "podcast", "title", "summary"), [
    ("The River Show\n\n12. Why it came, with Ole\n\nA summary. It is long.\n\n", "the-river-show", "12. Why it came, with Ole", "A summary. It is long."),
    ("12. Why the flood came\n\n", "imported", "12. Why the flood came", ""),
    ("Episode 7: the flood\n\n\n", "imported", "Episode 7: the flood", ""),
    ("River Show\n\nWhat now?\n\n", "river-show", "What now?", ""),
])  # fmt: skip
def test_a_publishers_page_without_its_season_keeps_its_heading_out_of_the_text(
    tmp_path, head, podcast, title, summary
):
    body = "Speaker 1:\n\nWhat did you do?\n\nSpeaker 2:\n\nWe ran.\n\nSpeaker 1:\n\nGood.\n"
    read = read_transcript(written(tmp_path, "page.txt", head + body))

    assert (podcast, title, summary) == (read.episode.podcast, read.episode.title, read.episode.summary)
    assert ["What did you do?", "We ran.", "Good."] == [turn.text for turn in read.turns]


def test_words_before_the_first_name_are_no_heading(tmp_path):
    text = "Welcome back to the show, everybody.\n\nMia: Hello.\n\nOle: Hi.\n\nMia: Well.\n"
    assert "Welcome back" in read_transcript(written(tmp_path, "a.txt", text)).turns[0].text


@with_seeds
def test_our_own_document_is_read_with_all_its_bullets():
    path = SEEDS / "000_2c0cffbd33514a68.txt"
    read = read_transcript(path)
    assert (read.episode.podcast, read.episode.guid) == ("30mpc", "124e5b02-ef25-11ef-bad7-33edaa2fa0e4")
    assert path.read_bytes() == to_markdown(read).encode()


def test_a_document_is_read_with_the_json_beside_it(tmp_path):
    path = written(tmp_path, "calls.md", to_markdown(OURS))
    written(tmp_path, "calls.json", to_sidecar(OURS))
    assert read_transcript(path) == OURS


def test_a_document_with_bullets_taken_out_is_still_read(tmp_path):
    text = "".join(
        line for line in to_markdown(OURS).splitlines(keepends=True) if "Link" not in line and "ID:" not in line
    )
    episode = read_transcript(written(tmp_path, "calls.md", text)).episode
    assert (episode.title, episode.podcast, episode.guid) == ("Calls", "sales", "import:sales/calls")


@pytest.mark.parametrize("fmt", ["json", "md", "vtt"])
def test_what_we_give_out_we_read_back(tmp_path, fmt):
    read = read_transcript(written(tmp_path, f"calls.{fmt}", render(OURS, fmt)))
    assert OURS.turns == read.turns
    if fmt == "json":
        assert read == OURS
    if fmt == "vtt":
        assert OURS.segments == read.segments


def test_json_of_turns_without_times_is_read_back(tmp_path):
    untimed = Transcript(
        OURS.episode, (Turn("One.\n\nTwo.", "Anna"), Turn("Three.", "Anna")), (), "", {"source": "import"}
    )
    assert read_transcript(written(tmp_path, "a.json", render(untimed, "json"))) == untimed


FRONT = """\
---
guest: Ben
title: "Quotas, or: why not"
podcast: The Pipeline
publish_date: 2024-05-06
youtube_url: https://example.org/watch
duration: 1:02:03
keywords: [a, b]
description: |
  What quotas
  do.
---

# Quotas, or: why not

## Transcript

Anna (00:00:05):
Why quotas?

And why now?

(00:00:09):
Well?

**Ben** (00:00:12):
Why not.
"""


def test_front_matter_and_timed_turns_are_read(tmp_path):
    read = read_transcript(written(tmp_path, "quotas.md", FRONT))
    assert read.episode == Episode(
        "the-pipeline", "import:the-pipeline/quotas-or-why-not", "Quotas, or: why not", "2024-05-06",
        link="https://example.org/watch", duration=3723.0, summary="What quotas do.", people=("Ben",),
    )  # fmt: skip
    assert read.turns == (Turn("Why quotas?\n\nAnd why now?\n\nWell?", "Anna"), Turn("Why not.", "Ben"))
    assert [(segment.start, segment.speaker) for segment in read.segments] == [
        (5.0, "Anna"), (5.8, "Anna"), (9.0, "Anna"), (12.0, "Ben"),
    ]  # fmt: skip


@pytest.mark.parametrize(("front", "title"), [
    ("title: Calls: a start\nguest: Ben", "Calls: a start"),
    ("title: [1, 2]\nguest: {a: b}", "notes"),
    ("date: 2024-99-99\ntitle: Late", "Late"),
    ("a: &a [x]\ntitle: &t Named\nb: [*a, *a]", "Named"),
    ("- just\n- a list", "notes"),
    ("title: !!python/object/apply:os.getcwd []", "!!python/object/apply:os.getcwd []"),
])  # fmt: skip
def test_front_matter_with_faults_gives_what_it_can(tmp_path, front, title):
    read = read_transcript(written(tmp_path, "notes.md", f"---\n{front}\n---\nJust words.\n"))
    assert (title, (Turn("Just words."),)) == (read.episode.title, read.turns)


@pytest.mark.parametrize(("name", "text", "turns"), [
    ("a.txt", "One thing: words.\nMore of it.\n\nA second paragraph.", (Turn("One thing: words. More of it.\n\nA second paragraph."),)),
    ("a.txt", "Anna:\n\nOne.\n\nTwo.\n\nAnna:\n\nThree.", (Turn("One.\n\nTwo.", "Anna"), Turn("Three.", "Anna"))),
    ("a.md", "# Title\n\n**Anna:** One.\n\n**Ben:** Two.\n\n**Anna:** Three.", (Turn("One.", "Anna"), Turn("Two.", "Ben"), Turn("Three.", "Anna"))),
    ("a.srt", "1\n00:00:00,000 --> 00:00:01,000\nOne\n\n2\n00:00:01,000 --> 00:00:02,000\nTwo\n", (Turn("One Two"),)),
    ("a.html", "<cite>Anna:</cite><time>0:01</time><p>One.</p><p>Two.</p>", (Turn("One. Two.", "Anna"),)),
    ("a.json", '{"segments": [{"speaker": "Anna", "startTime": 0, "endTime": 1, "body": "One."}]}', (Turn("One.", "Anna"),)),
    ("a.json", '{"segments": [{"body": "One."}], "soundbite": "not ours"}', (Turn("One."),)),
])  # fmt: skip
def test_every_format_gives_turns(tmp_path, name, text, turns):
    read = read_transcript(written(tmp_path, name, text))
    assert turns == read.turns
    assert {"source": "import", "file": name, "format": name.rpartition(".")[2]} == read.provenance


def test_what_a_file_does_not_say_is_derived_from_its_name(tmp_path):
    path = written(tmp_path, "My_first call.txt", "Just words.")
    episode = read_transcript(path).episode
    assert (episode.podcast, episode.title, episode.guid) == (
        "imported",
        "My first call",
        "import:imported/my-first-call",
    )
    assert read_transcript(path, "mine").episode.guid == "import:mine/my-first-call"


@pytest.mark.parametrize("podcast", ["Coaching Notes", "coaching-notes", "  coaching notes "])
def test_every_spelling_of_a_podcast_is_one_podcast(tmp_path, podcast):
    named = read_transcript(written(tmp_path, "calls.txt", "Just words."), podcast).episode
    inside = read_transcript(written(tmp_path, "calls.md", f"---\npodcast: '{podcast}'\n---\nJust words.")).episode
    assert (named.podcast, named.guid) == ("coaching-notes", "import:coaching-notes/calls")
    assert (named.podcast, named.guid, named.key) == (inside.podcast, inside.guid, inside.key)


def test_the_podcast_asked_for_comes_first(tmp_path):
    episode = read_transcript(written(tmp_path, "calls.md", to_markdown(OURS)), "mine").episode
    assert (episode.podcast, episode.guid) == ("mine", "guid-1")


@pytest.mark.parametrize(("name", "content", "reason"), [
    ("a.md", b"", "is empty"), ("a.txt", b" \n\n", "is empty"), ("a.txt", b"...\n", "no words"),
    ("a.srt", bytes(range(256)) * 9, "is not text"), ("a.json", b'{"segments": [', "not JSON"), ("a.vtt", b"WEBVTT\n", "no words"),
    ("a.md", b"# T\n\n- Podcast: a\n\n## Transcript\n", "no words"), ("a.txt", b"a" * (20 * 2**20 + 1), "larger than"),
])  # fmt: skip
def test_what_is_no_transcript_is_refused_in_plain_words(tmp_path, name, content, reason):
    path = written(tmp_path, name, content)
    with pytest.raises(TranscriptError, match=reason) as caught:
        read_transcript(path)
    assert str(path) == caught.value.subject
    assert re.fullmatch(r"[^\n]+", caught.value.message)


def test_missing_files_and_directories_are_refused_in_plain_words(tmp_path):
    with pytest.raises(TranscriptError, match="is a directory"):
        read_transcript(tmp_path)
    with pytest.raises(TranscriptError, match="does not exist"):
        read_transcript(tmp_path / "none.md")
    with pytest.raises(TranscriptError, match=r"null byte|does not exist"):
        read_transcript(Path("a\0b"))


def test_a_broken_json_beside_a_document_does_not_hide_the_document(tmp_path):
    path = written(tmp_path, "calls.md", to_markdown(OURS))
    written(tmp_path, "calls.json", json.dumps({"segments": 1}))
    assert OURS.turns == read_transcript(path).turns
    written(tmp_path, "calls.json", b"")
    assert OURS.turns == read_transcript(path).turns
