from pathlib import Path

from index.catalogue import status_of
from index.store.lance import Store
from ingest.models import Episode, Segment, Transcript, Turn
from search_api.responses import episode_detail, transcript_path


def detail(transcript):
    return episode_detail(transcript, status_of(Store(Path("nowhere")), transcript))


def test_an_episode_names_only_the_formats_that_its_transcript_has():
    episode = Episode("p", "g", "t", published="Thu, 20 Feb 2025 10:00:00 +0100")
    untimed = detail(Transcript(episode, (Turn("Two words.", "Ann"), Turn("Yes."), Turn("No.", "Ann"))))
    timed = detail(Transcript(episode, (), (Segment(0, 1, "Yes.", "Ben"),)))
    assert list(untimed.transcripts) == ["md", "json", "txt"]
    assert list(timed.transcripts) == ["md", "vtt", "srt", "json", "txt"]
    assert (untimed.speakers, untimed.words, untimed.published) == (("Ann",), 4, "2025-02-20T09:00:00Z")


def test_a_key_is_one_segment_of_a_path():
    assert transcript_path("a/b", "vtt") == "/v1/episodes/a%2Fb/transcript.vtt"
