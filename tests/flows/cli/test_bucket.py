"""The command with library and index in a bucket."""

import json

import pytest

WORDS = {
    "apples": "Winter apples are pressed when the first frost has come.",
    "prices": "Prices rise in spring and fall in autumn.",
    "hiring": "Hire people who ask questions.",
}


@pytest.fixture
def bucket(s3, monkeypatch):
    place = s3.place()
    monkeypatch.setenv("SOUNDBITE_LIBRARY", f"{place}/library")
    monkeypatch.setenv("SOUNDBITE_INDEX", f"{place}/index")
    return place


def test_transcripts_are_imported_searched_compared_and_indexed_anew(bucket, home, call, tmp_path):
    for topic, text in WORDS.items():
        (tmp_path / f"{topic}.md").write_text(f"# On {topic}\n\nAnn:\n\n{text}\n")
    assert 0 == call("import", *(tmp_path / f"{topic}.md" for topic in WORDS))[0]
    for arguments in ([], ["index"], ["index", "--rebuild", "--yes"], ["maintain"]):
        assert not arguments or 0 == call(*arguments)[0]
        code, out, _ = call("search", "when are apples pressed", "--json")
        assert (0, "On apples") == (code, json.loads(out)["hits"][0]["title"])
    assert (0, "Library, ledger and index agree.\n") == call("verify")[:2]
    assert 3 == len(json.loads(call("episodes", "--json")[1])["episodes"])
    code, out, _ = call("doctor", "--json")
    found = {one["what"]: one["found"] for one in json.loads(out)["findings"]}
    assert (f"3 transcripts in {bucket}/library", True) == (found["library"], f"{bucket}/index" in found["index"])
    assert [] == [path for path in home.rglob("*") if path.suffix in {".md", ".lance"} or path.name == "CURRENT"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("AWS_SECRET_ACCESS_KEY", "wrong-secret"), ("AWS_ACCESS_KEY_ID", "x"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")],
)
def test_a_bucket_that_refuses_is_one_line_that_names_the_setting(bucket, call, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    for arguments in (["search", "x"], ["episodes"], ["index"], ["verify"], ["maintain"]):
        code, _, told = call(*arguments)
        line = told.strip().splitlines()[-1]
        assert (1, True, False) == (code, line.startswith(f"soundbite: {bucket}"), "wrong-secret" in told)
        assert name in line
