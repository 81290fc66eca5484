"""`soundbite transcribe` with the real, small speech model."""

import json

import pytest

from flows.cli import transcribe as transcribing
from flows.cli.output import Reporter
from flows.context import open_studio
from ingest import pipeline as steps
from ingest.models import Episode, Transcript, Turn
from ingest.settings import Settings
from tests.conftest import ROOT, SPEECH_MODEL
from tests.flows.cli.test_main import assert_one_line
from tests.podcast_host import PodcastHost, Reply, document

AUDIO = next((ROOT / "tests" / "sample" / "audio").glob("first-calls.*"))
OLD = Turn("An older transcript.")


@pytest.fixture
def studio(home):
    settings = Settings(home=home, allow_hosts="127.0.0.1", whisper_model=str(SPEECH_MODEL), timeout=5)
    with open_studio(settings) as studio:
        yield studio


@pytest.fixture
def host():
    with PodcastHost() as host:
        host.serve("/a.mp3", document(AUDIO.read_bytes(), "audio/mpeg"))
        yield host


def kept(studio, url):
    episode = Episode("quota", "g1", "Cold calls", audio_url=url)
    return studio.library.write(Transcript(episode, (OLD,), transcribed_at="2026-01-01T00:00:00.000Z"))


def test_a_local_file_is_printed_and_nothing_is_stored(call, monkeypatch, tmp_path):
    monkeypatch.setenv("SOUNDBITE_WHISPER_MODEL", str(SPEECH_MODEL))

    code, out, _ = call("transcribe", AUDIO, "--to", "json")

    assert 0 == code
    assert len(json.loads(out)["segments"]) > 5
    assert [] == list((tmp_path / "home").rglob("*.md"))


def test_what_is_no_audio_is_one_line(call, tmp_path):
    assert_one_line(call("transcribe", tmp_path / "absent.mp3"), "does not exist")
    assert_one_line(call("transcribe", "nobody"), "no such episode")
    assert 2 == call("transcribe")[0]


def test_an_episode_is_transcribed_anew_in_its_place(studio, host):
    path = kept(studio, host.url("/a.mp3"))

    assert [] == transcribing.again(studio, Reporter(None), [studio.library.read(path).episode])

    anew = studio.library.read(path)
    assert [path] == studio.library.paths()
    assert ("model", True) == (anew.provenance["source"], len(anew.segments) > 5)


def test_an_episode_whose_audio_is_gone_keeps_its_transcript(studio, host):
    path = kept(studio, host.url("/a.mp3"))
    host.serve("/a.mp3", Reply(404))

    failed = transcribing.again(studio, Reporter(None), [studio.library.read(path).episode])

    assert ["Cold calls"] == [title for title, _ in failed]
    assert (OLD,) == studio.library.read(path).turns


def test_a_transcript_without_an_audio_address_says_so(studio):
    path = kept(studio, "")

    assert "no audio address" in transcribing.again(studio, Reporter(None), [studio.library.read(path).episode])[0][1]
    assert steps.stamp().endswith("Z")
