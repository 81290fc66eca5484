import pytest

from ingest.models import Episode, Segment, Transcript, Turn
from search_api.documents import episode_document, preferred, transcript_address
from search_api.problems import NotAcceptableError


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "md"),
        ("", "md"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "md"),
        ("text/vtt", "vtt"),
        ("application/json, text/*;q=0.5", "json"),
        ("text/*, text/markdown;q=0.1", "vtt"),
        ("application/srt", "srt"),
        ("text/plain; charset=utf-8", "txt"),
        ("TEXT/VTT;q=0.3, text/plain;Q=0.4", "txt"),
    ],
)
def test_the_form_is_the_one_the_client_likes_best(accept, expected):
    assert expected == preferred(accept)


@pytest.mark.parametrize("accept", ["text/html", "image/*", "text/vtt;q=0", "text/vtt;q=high"])
def test_a_client_that_likes_no_form_is_told_which_there_are(accept):
    with pytest.raises(NotAcceptableError, match="text/markdown or text/vtt"):
        preferred(accept)


def test_an_episode_document_names_only_the_forms_its_transcript_has():
    episode = Episode("p", "g", "t", published="Thu, 20 Feb 2025 10:00:00 +0100")
    untimed = episode_document(Transcript(episode, (Turn("Two words.", "Ann"), Turn("Yes."), Turn("No.", "Ann"))))
    timed = episode_document(Transcript(episode, (), (Segment(0, 1, "Yes.", "Ben"),)))
    assert list(untimed["transcripts"]) == ["md", "json", "txt"]
    assert list(timed["transcripts"]) == ["md", "vtt", "srt", "json", "txt"]
    assert untimed["speakers"] == ["Ann"]
    assert untimed["words"] == 4
    assert untimed["published"] == "2025-02-20T09:00:00Z"


def test_a_key_is_one_step_of_an_address():
    assert transcript_address("a/b", "vtt") == "/v1/episodes/a%2Fb/transcript.vtt"
