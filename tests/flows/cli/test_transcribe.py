"""`soundbite transcribe` with the real, small speech model."""

import json

import pytest

from flows.cli import transcribe
from flows.cli.output import Reporter
from flows.context import open_context
from ingest.models import Episode, Transcript, Turn
from ingest.settings import Settings
from tests.conftest import ROOT, SPEECH_MODEL
from tests.flows.cli.test_main import assert_one_line
from tests.podcast_host import PodcastHost, Reply, document

AUDIO = next((ROOT / "tests" / "sample" / "audio").glob("first-calls.*"))
OLD = Turn("An older transcript.")


@pytest.fixture
def context(home):
    with open_context(Settings(home=home, allow_hosts="127.0.0.1", whisper_model=str(SPEECH_MODEL))) as context:
        yield context


@pytest.fixture
def host():
    with PodcastHost() as host:
        host.serve("/a.mp3", document(AUDIO.read_bytes(), "audio/mpeg"))
        yield host


def kept(context, url):
    episode = Episode("quota", "g1", "Cold calls", audio_url=url)
    transcript = Transcript(episode, (OLD,), transcribed_at="2026-01-01T00:00:00.000Z")
    return context.ingest.library.write(transcript).name


def again(context, name):
    return transcribe.again(context, Reporter(None), [context.ingest.library.read(name).episode])


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


def test_an_episode_is_transcribed_anew_in_its_place_and_is_searchable_at_once(context, host):
    name = kept(context, host.url("/a.mp3"))

    assert [] == again(context, name)

    anew = context.ingest.library.read(name)
    assert [name] == [one.name for one in context.ingest.library.documents()]
    assert ("model", True) == (anew.provenance["source"], len(anew.segments) > 5)
    assert 1 == context.store.counts()["episodes"]


def test_an_episode_whose_audio_is_gone_keeps_its_transcript(context, host):
    name = kept(context, host.url("/a.mp3"))
    host.serve("/a.mp3", Reply(404))

    failed = again(context, name)

    assert ["Cold calls"] == [title for title, _ in failed]
    assert (OLD,) == context.ingest.library.read(name).turns


def test_a_transcript_without_an_audio_address_says_so(context):
    assert "no audio address" in again(context, kept(context, ""))[0][1]
