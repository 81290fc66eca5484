"""Episodes and transcripts over HTTP: identity, formats, file names, what a client has already."""

import re
import shutil
from dataclasses import replace
from urllib.parse import unquote

import pytest

from ingest.library import Library
from ingest.models import Chapter, Segment, Transcript, Turn
from ingest.sentences import join_sentences
from search_api.app import create_app
from search_api.episode_routes import inline_as
from tests.search_api.home import (
    ENCODED_GUID,
    FAILED,
    GUID,
    HOSTILE,
    SELLERS,
    TIMED,
    UNTIMED,
    Client,
    add,
    add_failed,
    opener,
    problem,
    rename,
)

STEM = "ä – 日本"  # noqa: RUF001 - a dash outside Latin-1


def test_every_known_episode_is_listed_newest_first_with_its_state(client):
    listed = client.get("/v1/episodes").json()
    assert listed["count"] == 3
    assert [(one["guid"], one["status"]) for one in listed["episodes"]] == [
        ("g3", "failed"), (GUID, "indexed"), ("g2/transcript", "indexed"),
    ]  # fmt: skip


@pytest.mark.parametrize(("podcast", "count"), [("selling-well", 3), ("Selling Well", 3), (" ", 3)])
def test_the_list_takes_a_podcast_by_its_name_or_slug(client, podcast, count):
    assert client.get("/v1/episodes", params={"podcast": podcast}).json()["count"] == count


def test_a_podcast_that_is_not_here_is_no_empty_list(client):
    detail = problem(client.get("/v1/episodes", params={"podcast": "selling"}), 404, "no-such-podcast")
    assert detail == "selling: no such podcast here (did you mean selling-well?)"


@pytest.mark.parametrize("path", ["", f"/{SELLERS.key}", f"/{SELLERS.key}/transcript.md"])
def test_parameters_that_nobody_reads_are_refused(client, path):
    assert "offset: is no parameter here" in problem(
        client.get(f"/v1/episodes{path}?offset=3"), 422, "invalid-parameter"
    )


@pytest.mark.parametrize(
    "name", [SELLERS.key, SELLERS.key[:8], ENCODED_GUID, "https://podcast.example/episodes%3Fn=1&x=a/b%23top"]
)
def test_an_episode_is_found_by_its_key_and_by_its_guid(client, name):
    found = client.get(f"/v1/episodes/{name}").json()
    assert (found["key"], found["guid"], found["speakers"]) == (SELLERS.key, GUID, ["Ann", "Ben"])
    assert client.get(found["transcripts"]["vtt"]).text.startswith("WEBVTT\n")


def test_a_guid_that_looks_like_a_path_of_the_server_is_still_a_guid(client):
    assert client.get("/v1/episodes/g2%2Ftranscript").json()["key"] == HOSTILE.key
    assert client.get("/v1/episodes/g2%2Ftranscript/transcript.txt").text.startswith('"><i>Eve</i>:')


def test_the_list_and_one_episode_agree_with_and_without_an_index(own):
    add(own, TIMED, UNTIMED)
    add_failed(own, FAILED, "no audio")
    with Client(create_app(own, opener)) as client:
        for state in ("indexed", "transcribed"):
            listed = client.get("/v1/episodes").json()["episodes"]
            assert [one["status"] for one in listed] == ["failed", state, state]
            assert [one["duration"] for one in listed] == [None, 9.0, None]
            for one in listed:
                found = client.get(f"/v1/episodes/{one['key']}").json()
                assert {name: found[name] for name in one} == one
            shutil.rmtree(own.index_dir, ignore_errors=True)


def test_an_episode_without_a_transcript_says_why(client):
    found = client.get("/v1/episodes/g3").json()
    assert (found["status"], found["reason"], found["transcripts"]) == ("failed", "the audio is a web page", {})
    problem(client.get("/v1/episodes/g3/transcript.md"), 404, "episode-not-found")


@pytest.mark.parametrize(
    "name",
    [
        "nobody",
        "nobody/transcript.md",
        "..%2F..%2Fetc%2Fpasswd",
        "%00",
        "%ff",
        "x" * 20_000,
        f"{SELLERS.key}/transcript",
    ],
)
def test_an_unknown_episode_is_not_found(client, name):
    problem(client.get(f"/v1/episodes/{name}"), 404, "episode-not-found")


def test_an_unknown_episode_reads_no_transcript(client, monkeypatch):
    def never(*_):
        raise AssertionError("a transcript was read")

    client.get("/v1/episodes/nobody")
    monkeypatch.setattr("ingest.storage.FolderStorage.read", never)
    monkeypatch.setattr("ingest.storage.FolderStorage.head", never)
    problem(client.get("/v1/episodes/nobody"), 404, "episode-not-found")
    assert client.get("/episodes/nobody").status_code == 404


# -- transcripts


@pytest.mark.parametrize(
    ("suffix", "media", "start"),
    [
        ("md", "text/markdown; charset=utf-8", "# Keeping your best seller\n"),
        ("vtt", "text/vtt; charset=utf-8", "WEBVTT\n"),
        ("srt", "application/x-subrip", "1\n00:00:00,000 --> "),
        ("json", "application/json", "{"),
        ("txt", "text/plain; charset=utf-8", "Ann:\n"),
    ],
)
def test_a_transcript_is_given_in_the_format_of_its_suffix(client, suffix, media, start):
    answer = client.get(f"/v1/episodes/{SELLERS.key}/transcript.{suffix}")
    assert answer.headers["content-type"] == media
    assert answer.text.startswith(start)


def test_the_markdown_is_the_file_of_the_library_byte_for_byte(client, settings):
    library = Library(settings.library_dir)
    kept = library.storage.read(library.find(SELLERS.key).name)[0]
    assert client.get(f"/v1/episodes/{SELLERS.key}/transcript.md").content == kept


def test_a_format_that_the_transcript_does_not_have_is_not_found(client):
    problem(client.get(f"/v1/episodes/{SELLERS.key}/transcript.pdf"), 404, "no-such-format")
    answer = client.get("/v1/episodes/g2%2Ftranscript/transcript.vtt")
    assert "has no times" in problem(answer, 404, "no-such-format")


def test_a_renamed_file_keeps_its_page_its_hits_and_its_transcripts(own):
    add(own, TIMED)
    with Client(create_app(own, opener)) as client:
        rename(own, SELLERS.key, STEM)
        hit = client.get("/v1/search?q=people").json()["hits"][0]
        assert "asks them for more" in client.get(f"/episodes/{hit['key']}").text
        assert client.get(f"/v1/episodes/{hit['key']}").json()["timed"]
        answer = client.get(f"/v1/episodes/{hit['key']}/transcript.vtt")
        assert (answer.status_code, answer.text[:6]) == (200, "WEBVTT")
    plain, exact = answer.headers["content-disposition"].split("; ")[1:]
    assert plain == 'filename="a-ri-ben.vtt"'
    assert unquote(exact.removeprefix("filename*=UTF-8''")) == f"{STEM}.vtt"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (("今天很好。", "你去哪里？", "我来。"), "今天很好。你去哪里？我来。"),  # noqa: RUF001
        (("今日は。", "「はい。」", "次です。"), "今日は。「はい。」次です。"),
        (("It is good.", "Where to?", "I come."), "It is good. Where to? I come."),
    ],
)
@pytest.mark.parametrize("timed", [True, False])
def test_sentences_stand_on_the_page_as_their_script_has_them(own, said, shown, timed):
    segments = tuple(Segment(n, n + 1, text) for n, text in enumerate(said)) if timed else ()
    add(own, Transcript(SELLERS, (Turn(join_sentences(said)),), segments))
    with Client(create_app(own, opener)) as client:
        assert shown in re.sub("<[^>]+>", "", client.get(f"/episodes/{SELLERS.key}").text)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("2025-02-20-seller-1a2b3c4d.md", 'inline; filename="2025-02-20-seller-1a2b3c4d.md"'),
        ('a"\r\nb.md', "inline; filename=\"a-b.md\"; filename*=UTF-8''a%22%0D%0Ab.md"),
        ("日.md", "inline; filename=\"ri.md\"; filename*=UTF-8''%E6%97%A5.md"),
        ("\udcff.md", "inline; filename=\"c840d0dd.md\"; filename*=UTF-8''%3F.md"),
    ],
)
def test_any_file_name_fits_into_a_header(name, header):
    assert inline_as(name) == header


def test_only_transcripts_may_be_read_by_pages_elsewhere(client):
    transcript = f"/v1/episodes/{SELLERS.key}/transcript.vtt"
    open_to_all = [
        path
        for path in ("/", "/v1/search?q=x", "/v1/episodes", f"/v1/episodes/{SELLERS.key}", transcript)
        if "access-control-allow-origin" in client.get(path, headers={"Origin": "https://player.example"}).headers
    ]
    assert open_to_all == [transcript]


@pytest.mark.parametrize(
    "path", ["/v1/episodes", f"/v1/episodes/{SELLERS.key}", f"/v1/episodes/{SELLERS.key}/transcript.md"]
)
def test_what_a_client_has_already_is_not_sent_again(client, path):
    first = client.get(path)
    tag = first.headers["etag"]
    again = client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert first.headers["cache-control"] == again.headers["cache-control"] == "no-cache"
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content


def test_an_episode_tells_its_chapters_and_those_that_lead_nowhere_are_made_safe(own):
    chapters = (Chapter(5.0, "Leave", "javascript:alert(1)"), Chapter(0.0, "Hello", "https://a.example/"))
    add(own, replace(TIMED, episode=replace(SELLERS, chapters=chapters)), UNTIMED)
    with Client(create_app(own, opener)) as client:
        assert client.get(f"/v1/episodes/{SELLERS.key}").json()["chapters"] == [
            {"start": 0.0, "title": "Hello", "url": "https://a.example/"}, {"start": 5.0, "title": "Leave", "url": ""},
        ]  # fmt: skip
        assert client.get(f"/v1/episodes/{HOSTILE.key}").json()["chapters"] == []


def test_a_transcript_that_was_broken_by_hand_is_named_so(own):
    add(own, Transcript(SELLERS, (Turn("Words."),)))
    library = Library(own.library_dir)
    path = library.root / library.find(SELLERS.key).name
    path.write_text(path.read_text().partition("## Transcript")[0])
    with Client(create_app(own, opener)) as client:
        detail = problem(client.get(f"/v1/episodes/{ENCODED_GUID}"), 409, "unreadable-transcript")
    assert str(own.home) not in detail


@pytest.mark.parametrize("path", ["/v1/search?q=prices", "/v1/episodes", "/v1/episodes/g2%2Ftranscript"])
def test_an_address_that_is_not_of_the_web_is_left_out(client, path):
    answer = client.get(path)
    assert HOSTILE.guid in answer.text
    assert "javascript:" not in answer.text
