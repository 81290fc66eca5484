"""`soundbite index`: comparing an old index with a new one before the swap."""

import pytest

from index.store.lance import Store

TEXT = "# On prices\n\nAnn:\n\nPrices rise in spring.\n\nBen:\n\nAnd they fall in autumn.\n"


@pytest.fixture
def indexed(home, call, tmp_path):
    (tmp_path / "prices.md").write_text(TEXT)
    assert call("import", tmp_path / "prices.md")[0] == 0
    (tmp_path / "questions.txt").write_text("when do prices rise?\n\nwhen do they fall?\n")
    return Store(home / "index")


def test_a_rebuild_shows_what_both_indexes_answer_and_swaps_where_that_is_said(indexed, call, tmp_path):
    code, _, told = call("index", "--rebuild", "--questions", tmp_path / "questions.txt", "--yes")

    assert (0, "index-2") == (code, indexed.folder)
    assert "= when do prices rise?" in told
    assert "2 of 2 questions have the same first answer" in told


def test_without_an_answer_the_old_index_stays(indexed, call, tmp_path, monkeypatch):
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)

    code, _, told = call("index", "--rebuild", "--questions", tmp_path / "questions.txt")

    assert (1, "index-1", True) == (code, indexed.folder, "the old one stays" in told)


@pytest.mark.parametrize(
    "arguments", [["--questions", "{}/questions.txt"], ["--rebuild", "--questions", "{}/none.txt"]]
)
def test_questions_that_cannot_be_asked_are_wrong_usage(indexed, call, tmp_path, arguments):
    code, _, _ = call("index", *(argument.format(tmp_path) for argument in arguments))

    assert (2, "index-1") == (code, indexed.folder)
