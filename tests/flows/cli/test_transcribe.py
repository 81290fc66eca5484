"""`soundbite transcribe` with a real speech model."""

import json
import wave
from dataclasses import replace

import pytest

from flows.cli import transcribe
from flows.context import open_context
from flows.progress import Reporter
from index.query import Query
from index.search import Searcher
from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from ingest.settings import Settings
from tests.conftest import SPEECH_MODEL
from tests.fakes import TwoVoices
from tests.flows.cli.test_main import assert_one_line
from tests.flows.test_run import feed
from tests.podcast_host import PodcastHost, Reply, document

OLD = Turn("An older transcript.")


@pytest.fixture
def context(home):
    with open_context(Settings(home=home, allow_hosts="127.0.0.1", whisper_model=SPEECH_MODEL)) as context:
        yield context


@pytest.fixture
def host(spoken):
    with PodcastHost() as host:
        host.serve("/a.flac", document(spoken.read_bytes(), "audio/flac"))
        yield host


def kept(context, url):
    return written(context.ingest.library, "g1", url)


def written(library, guid, url):
    episode = Episode("quota", guid, "Cold calls", audio_url=url)
    transcript = Transcript(episode, (OLD,), transcribed_at="2026-01-01T00:00:00.000Z")
    return library.write(transcript).name


def again(context, name):
    return transcribe.again(context, Reporter(None), [name])


def test_a_local_file_is_printed_and_nothing_is_stored(call, monkeypatch, spoken, tmp_path):
    monkeypatch.setenv("SOUNDBITE_WHISPER_MODEL", SPEECH_MODEL)

    code, out, _ = call("transcribe", spoken, "--to", "json")

    assert 0 == code
    assert json.loads(out)["segments"]
    assert [] == list((tmp_path / "home").rglob("*.md"))


def test_what_is_no_audio_is_one_line(call, tmp_path):
    assert_one_line(call("transcribe", tmp_path / "absent.mp3"), "does not exist")
    assert_one_line(call("transcribe", "nobody"), "no such episode")
    assert 2 == call("transcribe")[0]


def test_an_episode_is_transcribed_anew_in_its_place_and_is_searchable_at_once(context, host):
    name = kept(context, host.url("/a.flac"))

    assert [] == again(context, name)

    anew = context.ingest.library.read(name)
    assert [name] == [one.name for one in context.ingest.library.documents()]
    assert ("model", True) == (anew.provenance["source"], bool(anew.segments))
    assert 1 == context.store.counts()["episodes"]


def test_an_episode_whose_audio_is_gone_keeps_its_transcript(context, host):
    name = kept(context, host.url("/a.flac"))
    host.serve("/a.flac", Reply(404))

    failed = again(context, name)

    assert ["Cold calls"] == [title for title, _ in failed]
    assert (OLD,) == context.ingest.library.read(name).turns


def test_a_transcript_without_an_audio_address_says_so(context):
    assert "no audio address" in again(context, kept(context, ""))[0][1]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"# A title\n\nand words\n"])
def test_one_document_that_cannot_be_read_keeps_no_other_from_being_transcribed_anew(
    call, home, host, monkeypatch, content
):
    monkeypatch.setenv("SOUNDBITE_WHISPER_MODEL", SPEECH_MODEL)
    monkeypatch.setenv("SOUNDBITE_ALLOW_HOSTS", "127.0.0.1")
    library = Library(home / "library")
    first, broken, last = (written(library, guid, host.url("/a.flac")) for guid in ("g1", "g2", "g3"))
    (library.root / broken).write_bytes(content)

    code, _, err = call("transcribe", "--podcast", "quota")

    told = [line for line in err.splitlines() if line.startswith("soundbite: ")]
    assert (1, 1, True) == (code, len(told), told[0].startswith(f"soundbite: {broken}: ")), err
    assert ["model", "model"] == [library.read(name).provenance.get("source") for name in (first, last)]
    assert content == (library.root / broken).read_bytes()


# Episodes still to come


def pending(call, host, monkeypatch, spoken, *guids):
    monkeypatch.setenv("SOUNDBITE_WHISPER_MODEL", SPEECH_MODEL)
    monkeypatch.setenv("SOUNDBITE_ALLOW_HOSTS", "127.0.0.1")
    host.serve("/feed.xml", document(feed(*guids, audio="/a.flac?{guid}")))
    for guid in guids:
        host.serve(f"/a.flac?{guid}", document(spoken.read_bytes(), "audio/flac"))
    call("add", host.url("/feed.xml"))
    return {one["guid"]: one["key"] for one in json.loads(call("episodes", "--json")[1])["episodes"]}


@pytest.mark.usefixtures("home")
def test_a_pending_episode_is_transcribed_by_the_key_that_is_listed(call, host, monkeypatch, spoken):
    keys = pending(call, host, monkeypatch, spoken, "one", "two")

    code, out, err = call("transcribe", keys["one"][:8])

    assert (0, True) == (code, "Episode one" in out), err
    listed = json.loads(call("episodes", "--json")[1])["episodes"]
    assert {"one": "indexed", "two": "pending"} == {one["guid"]: one["status"] for one in listed}


@pytest.mark.usefixtures("home")
def test_a_failed_episode_is_tried_when_a_person_asks_and_says_why_it_fails_again(call, host, monkeypatch, spoken):
    keys = pending(call, host, monkeypatch, spoken, "one")
    host.serve("/a.flac?one", [Reply(404), document(spoken.read_bytes(), "audio/flac")])

    code, _, err = call("transcribe", "one")
    assert (1, True) == (code, "HTTP status 404" in err)
    assert 0 == call("transcribe", keys["one"])[0]


# Folders, and silence


def silent(path, seconds=3):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 16_000 * seconds))
    return path


@pytest.mark.parametrize(("form", "whole"), [("vtt", "WEBVTT\n"), ("srt", ""), ("txt", "\n")])
def test_audio_without_speech_says_so_and_gives_an_empty_file_that_is_valid(call, monkeypatch, tmp_path, form, whole):
    monkeypatch.setenv("SOUNDBITE_WHISPER_MODEL", SPEECH_MODEL)

    code, out, err = call("transcribe", silent(tmp_path / "rain.wav"), "--to", form)

    assert (0, whole) == (code, out)
    assert "rain.wav: no speech was found" in err


def test_a_folder_is_transcribed_beside_its_files(call, monkeypatch, spoken, tmp_path):
    monkeypatch.setenv("SOUNDBITE_WHISPER_MODEL", SPEECH_MODEL)
    folder = tmp_path / "talks"
    (folder / "deep").mkdir(parents=True)
    (folder / f"talk{spoken.suffix}").write_bytes(spoken.read_bytes())
    silent(folder / "deep" / "rain.wav")
    (folder / "broken.mp3").write_bytes(b"no")
    (folder / "notes.txt").write_text("not audio")
    (folder / "kept.wav").write_bytes(b"")
    (folder / "kept.vtt").write_text("mine")

    code, out, err = call("transcribe", folder, "--to", "vtt")

    assert (1, True) == (code, "broken.mp3" in err)
    assert "-->" in (folder / "talk.vtt").read_text()
    assert ("WEBVTT\n", "mine") == ((folder / "deep" / "rain.vtt").read_text(), (folder / "kept.vtt").read_text())
    assert {"talk.vtt", "rain.vtt"} == {line.rpartition("/")[2] for line in out.splitlines()}


def test_a_folder_without_audio_is_an_error(call, monkeypatch, tmp_path):
    monkeypatch.setenv("SOUNDBITE_WHISPER_MODEL", SPEECH_MODEL)
    (tmp_path / "empty").mkdir()

    assert_one_line(call("transcribe", tmp_path / "empty"), "holds no audio files")


def test_an_episode_whose_address_has_expired_is_fetched_from_the_feeds_newer_one(
    call, host, monkeypatch, spoken, home
):
    keys = pending(call, host, monkeypatch, spoken, "one")
    assert 0 == call("transcribe", keys["one"])[0]
    host.serve("/a.flac?one", Reply(403))
    host.serve("/feed.xml", document(feed("one", audio="/a.flac?{guid}-anew")))
    host.serve("/a.flac?one-anew", document(spoken.read_bytes(), "audio/flac"))

    code, _, err = call("transcribe", keys["one"][:8])

    assert 0 == code, err
    (document_there,) = home.rglob("*.md")
    assert host.url("/a.flac?one-anew") in document_there.read_text()


# Speakers


def with_voices(context, diarizer):
    return replace(context, ingest=replace(context.ingest, diarizer=diarizer))


def test_an_episode_transcribed_anew_with_speakers_is_written_as_turns_and_searched_by_them(context, host):
    name = kept(context, host.url("/a.flac"))

    assert [] == again(with_voices(context, TwoVoices()), name)

    path = context.ingest.library.root / name
    anew = context.ingest.library.read(name)
    # "My guest today is Clara", says one voice; the other goes on with a question to Clara, and so is not called that
    assert ["Speaker 1", "Speaker 2"] == [turn.speaker for turn in anew.turns]
    assert "\n\nSpeaker 1:\n\n" in path.read_text()
    assert {"Speaker 1", "Speaker 2"} == {one.speaker for one in anew.segments}
    told = anew.provenance["speakers"]
    assert ("two voices", 2, []) == (told["model"], told["voices"], list(told["names"]))
    query = Query("what did they say", speaker="Speaker 1")
    hits = Searcher(context.store, context.embedder).search(query).hits
    assert {"Speaker 1"} == {hit.answer.speaker for hit in hits}


def test_an_earlier_text_stays_where_voices_cannot_be_told_apart(context, host):
    name = kept(context, host.url("/a.flac"))

    failed = again(with_voices(context, TwoVoices(fails="no voice was found")), name)

    assert "no voice was found; the earlier text is kept" in failed[0][1]
    assert (OLD,) == context.ingest.library.read(name).turns


def test_a_text_edited_by_hand_is_copied_before_it_is_transcribed_anew(context, host):
    name = kept(context, host.url("/a.flac"))
    path = context.ingest.library.root / name
    path.write_text(path.read_text().replace("An older", "My own"))

    assert [] == again(context, name)

    (copy,) = path.parent.glob("*.edited-*.md")
    assert "My own transcript." in copy.read_text()
    assert "My own transcript." not in path.read_text()


def test_speakers_of_a_file_are_told_apart_on_request_only(call, monkeypatch, spoken):
    monkeypatch.setenv("SOUNDBITE_WHISPER_MODEL", SPEECH_MODEL)
    asked = []
    monkeypatch.setattr("flows.context.open_diarizer", lambda choice, _: asked.append(choice) or TwoVoices())

    code, out, _ = call("transcribe", spoken, "--speakers")
    call("transcribe", spoken)

    assert (0, ["auto", "off"]) == (code, asked)
    assert "\n\nSpeaker 1:\n\n" in out


def test_what_is_missing_for_speakers_is_one_line(call, monkeypatch, spoken):
    monkeypatch.setattr("ingest.speech.diarize.find_spec", lambda _: None)
    code, _, err = call("transcribe", spoken, "--speakers")
    assert (2, 1, True) == (code, err.count("\n"), "soundbite[speakers]" in err)
