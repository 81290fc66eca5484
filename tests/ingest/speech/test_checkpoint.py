"""What was done of a long transcription is found again, and only by the same transcription."""

import pytest

from ingest.errors import HomeError
from ingest.speech.segments import Word
from ingest.speech.transcribe import FORMAT, Progress
from ingest.speech.transcribe import load_progress as load
from ingest.speech.transcribe import save_progress as save

WORDS = (Word(0.1, 0.7, " Grüße", 0.987654321, "de"),)
DONE = Progress(4_700_000, WORDS, {"speech": 1.25, "tokens": 3}, ("cpu, since the memory of the GPU ran out",), 12.5)
SAME = {"audio_sha256": "a", "options": {"beam_size": 5}}


def test_what_was_kept_is_what_is_found(tmp_path):
    save(tmp_path / "new" / "c.json", SAME, DONE)
    assert load(tmp_path / "new" / "c.json", SAME) == DONE


@pytest.mark.parametrize("other", [{"audio_sha256": "b"}, {"options": {"beam_size": 1}}, {"more": 1}])
def test_another_audio_model_or_option_starts_anew(tmp_path, other):
    save(tmp_path / "c.json", SAME, DONE)
    assert Progress() == load(tmp_path / "c.json", SAME | other)


def test_a_file_of_an_older_form_starts_anew(tmp_path):
    save(tmp_path / "c.json", SAME, DONE)
    (tmp_path / "c.json").write_text(
        (tmp_path / "c.json").read_text("utf-8").replace(f"[{FORMAT},", f"[{FORMAT - 1},"), "utf-8"
    )
    assert load(tmp_path / "c.json", SAME) == Progress()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'[6, {"audio_sha256": "a"}]'])
def test_a_file_that_is_none_of_ours_starts_anew(tmp_path, content):
    (tmp_path / "c.json").write_bytes(content)
    assert Progress() == load(tmp_path / "c.json", SAME)


def test_no_file_starts_at_nothing(tmp_path):
    assert load(tmp_path / "c.json", SAME) == Progress()


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="cannot be written"):
        save(tmp_path / "file" / "c.json", SAME, DONE)
