"""Audio from a host that does wrong on demand: whole and true, or not there."""

import gzip
import json
from hashlib import sha256
from itertools import pairwise
from os import utime
from unittest.mock import Mock

import pytest

from ingest.audio import partial
from ingest.audio.download import download, drop_oldest, lengths_differ, sniff
from ingest.errors import AudioError, DiskFullError, FetchError, HomeError, SoundbiteError
from ingest.web import encodings
from ingest.web.client import open_client
from tests.podcast_host import PodcastHost, Reply, document, for_agent, redirect

AGENT = "soundbite/test (+https://example.org)"
SOUND = b"ID3\x04\0\0\0\0\0\0" + bytes(range(256)) * 200
OTHER = b"ID3\x04\0\0\0\0\0\1" + bytes(reversed(range(256))) * 200
MPEG = "audio/mpeg"
OLD = "Tue, 04 Mar 2025 06:00:00 GMT"


@pytest.fixture
def host():
    with PodcastHost() as host:
        yield host


@pytest.fixture
def client():
    with open_client(user_agent=AGENT, timeout=1, hosts_allowed=frozenset({"127.0.0.1", "localhost"})) as client:
        yield client


@pytest.fixture
def get(client, tmp_path):
    """Downloads to a fixed place with room for a mebibyte."""

    def get(url, **limits):
        return download(client, url, tmp_path / "audio" / "one.mp3", **{"max_bytes": 2**20} | limits)

    return get


def there(tmp_path):
    return sorted(path.name for path in (tmp_path / "audio").glob("*"))


def test_one_request_brings_a_file_and_tells_all_about_it(host, get, tmp_path):
    seen = []
    host.serve("/a", document(SOUND, MPEG, etag='"1"'))
    found = get(host.serve("/", redirect(302, "/a")), progress=lambda so_far, promised: seen.append((so_far, promised)))

    assert found.path.read_bytes() == SOUND
    assert (len(SOUND), sha256(SOUND).hexdigest(), MPEG) == (found.bytes, found.sha256, found.content_type)
    assert (host.url("/a"), '"1"') == (found.final_url, found.headers["etag"])
    assert (len(SOUND), len(SOUND)) == seen[-1]
    assert there(tmp_path) == ["one.mp3"]
    assert [asked.path for asked in host.requests] == ["/", "/a"]
    assert host.requests[0].headers["accept-encoding"] == "identity"
    assert host.requests[0].headers["accept"].startswith("audio/*")
    assert "range" not in host.requests[0].headers


@pytest.mark.parametrize("parts", [(100,), (20_000, 40_000), (10, 11, 12)])
def test_packed_audio_comes_whole_whatever_members_it_has_or_not_at_all(host, get, tmp_path, parts):
    ends = [0, *parts, len(SOUND)]
    packed = b"".join(gzip.compress(SOUND[begin:end]) for begin, end in pairwise(ends))
    headers = {"Content-Type": MPEG, "Content-Encoding": "gzip"}
    host.serve("/a", Reply(200, packed, headers))
    host.serve("/cut", Reply(200, packed[:-9], headers))

    assert SOUND == get(host.url("/a")).path.read_bytes()
    with pytest.raises(AudioError, match=r"broke off .*ends too early") as failed:
        get(host.url("/cut"))
    assert failed.value.transient
    assert ["one.mp3"] == there(tmp_path)


def test_a_user_agent_of_its_own_may_be_given(host, get):
    url = host.serve("/a", for_agent("Mozilla", document(SOUND, MPEG)))
    with pytest.raises(FetchError, match="403"):
        get(url)

    assert get(url, headers={"User-Agent": "Mozilla/5.0"}).path.read_bytes() == SOUND


@pytest.mark.parametrize("proof", [{"etag": '"1"'}, {"last_modified": OLD}])
def test_a_dropped_download_goes_on_where_it_was(host, get, tmp_path, proof):
    url = host.serve("/a", [document(SOUND, MPEG, drop_after=20_000, **proof), document(SOUND, MPEG, **proof)])
    with pytest.raises(AudioError, match=r"20000 of 51210 bytes came; the next try goes on"):
        get(url)
    assert there(tmp_path) == ["one.mp3.part", "one.mp3.part.json"]

    assert sha256(SOUND).hexdigest() == get(url).sha256
    assert host.requests[1].headers["range"] == "bytes=20000-"
    assert next(iter(proof.values())) == host.requests[1].headers["if-range"]
    assert len(host.requests) == 2
    assert there(tmp_path) == ["one.mp3"]


@pytest.mark.parametrize("weak", [{}, {"etag": 'W/"1"'}, {"etag": 'W/"1"', "last_modified": OLD}, {"etag": "bare"}])
def test_without_a_strong_validator_it_begins_anew(host, get, tmp_path, weak):
    url = host.serve("/a", [document(SOUND, MPEG, drop_after=20_000, **weak), document(SOUND, MPEG, **weak)])
    with pytest.raises(AudioError, match="begins anew"):
        get(url)
    assert there(tmp_path) == []

    assert sha256(SOUND).hexdigest() == get(url).sha256
    assert "range" not in host.requests[1].headers


def test_a_file_that_changed_between_requests_is_never_spliced(host, get):
    url = host.serve("/a", [document(SOUND, MPEG, etag='"1"', drop_after=20_000), document(OTHER, MPEG, etag='"2"')])
    with pytest.raises(AudioError):
        get(url)

    assert sha256(OTHER).hexdigest() == get(url).sha256
    assert len(host.requests) == 2


def rest(start=20_000, body=SOUND[20_000:], total=51_210, status=206, **headers):
    span = {"Content-Range": f"bytes {start}-{total - 1}/{total}"}
    return Reply(status, body, {"Content-Type": MPEG, "ETag": '"1"'} | span | {
        name.replace("_", "-"): value for name, value in headers.items()})  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        rest(Content_Type="text/html"), rest(start=0, body=SOUND), rest(start=10_000, body=SOUND[10_000:]),
        rest(total=len(SOUND) + 5), rest(ETag='"2"'), rest(Content_Encoding="gzip"), rest(Content_Range="bytes */51210"),
        rest(Content_Range="items 1-2/3"), rest(status=416), Reply(206, SOUND[20_000:], {"Content-Type": MPEG}),
        rest(Last_Modified=OLD.replace("2025", "2026")), rest(Content_Range="bytes 20000-30000/51210"),
    ],
)  # fmt: skip
def test_a_rest_that_does_not_fit_is_thrown_away_and_the_whole_fetched(host, get, wrong):
    first = Reply(200, SOUND, {"Content-Type": MPEG, "ETag": '"1"', "Last-Modified": OLD}, drop_after=20_000)
    url = host.serve("/a", [first, wrong, document(OTHER, MPEG)])
    with pytest.raises(AudioError):
        get(url)

    assert sha256(OTHER).hexdigest() == get(url).sha256
    assert "range" not in host.requests[2].headers


def test_a_rest_that_drops_again_goes_on_again(host, get):
    proof = {"etag": '"1"'}
    url = host.serve("/a", [document(SOUND, MPEG, drop_after=size, **proof) for size in (10_000, 10_000)]
                     + [document(SOUND, MPEG, **proof)])  # fmt: skip
    for _ in range(2):
        with pytest.raises(AudioError):
            get(url)

    assert sha256(SOUND).hexdigest() == get(url).sha256
    assert host.requests[2].headers["range"] == "bytes=20000-"


def test_a_refusal_while_going_on_keeps_what_is_there(host, get, tmp_path):
    url = host.serve(
        "/a", [document(SOUND, MPEG, etag='"1"', drop_after=20_000), Reply(503), document(SOUND, MPEG, etag='"1"')]
    )
    for _ in range(2):
        with pytest.raises(SoundbiteError):
            get(url)
    assert (tmp_path / "audio" / "one.mp3.part").stat().st_size == 20_000

    assert sha256(SOUND).hexdigest() == get(url).sha256
    assert host.requests[-1].headers["range"] == "bytes=20000-"


def test_another_address_or_a_damaged_state_begins_anew(host, get, tmp_path):
    url = host.serve("/a", document(SOUND, MPEG, etag='"1"', drop_after=20_000))
    host.serve("/b", document(OTHER, MPEG, etag='"1"'))
    state = tmp_path / "audio" / "one.mp3.part.json"
    for damage in (None, "{", "[]", '{"url": 1}', "\0"):
        with pytest.raises(AudioError):
            get(url)
        if damage:
            state.write_text(damage)
        assert sha256(OTHER).hexdigest() == get(host.url("/b")).sha256
        assert "range" not in host.requests[-1].headers


def test_a_file_complete_but_for_its_name_needs_no_request(host, get, tmp_path):
    url = host.serve("/a", document(SOUND, MPEG, etag='"1"', drop_after=20_000))
    with pytest.raises(AudioError):
        get(url)
    (tmp_path / "audio" / "one.mp3.part").write_bytes(SOUND)

    assert sha256(SOUND).hexdigest() == get(url).sha256
    assert len(host.requests) == 1


def test_less_than_promised_is_an_error(host, get, tmp_path):
    with pytest.raises(AudioError, match="51210 of 60000 bytes came"):
        get(host.serve("/a", document(SOUND, MPEG, promised=60_000)))

    assert there(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [(b"<!doctype html><p>Sorry", "text/html", "text/html"), (b"<!doctype html><p>Sorry", MPEG, "web page"),
     (b'{"error": 1}          ', MPEG, "error message"), (b"", MPEG, "empty"), (b"PK\x03\x04" + bytes(50), MPEG, "begins with"),
     (b"#EXTM3U\n#EXTINF:10,\na.ts\n", MPEG, "is a stream .HLS., which is not read"), (b"short", MPEG, "begins with"), (bytes(100), MPEG, "begins with")],
)  # fmt: skip
def test_what_is_not_audio_is_refused_and_leaves_nothing_behind(client, tmp_path, body, kind, words):
    with PodcastHost() as host:
        url = host.serve("/a", document(body, kind, etag='"1"'))
        with pytest.raises(AudioError, match=words):
            download(client, url, tmp_path / "audio" / "one.mp3", max_bytes=2**20)

    assert len(host.requests) == 1
    assert there(tmp_path) == []


FRAME = b"\xff\xfb\x90\x00" + bytes(413)  # MPEG 1, layer III, 128 kbit/s, 44.1 kHz
BARE = FRAME * 120
APE = (
    b"APETAGEX\xd0\x07\0\0"
    + (90_000).to_bytes(4, "little")
    + b"\1\0\0\0"
    + bytes(16 + 90_000 - 12)
    + b"\xff\xd8\xff\xe0" * 3
)


@pytest.mark.parametrize(
    "kind",
    [
        "text/html",
        "application/json",
        "application/zip",
        "text/plain",
        "image/mpeg",
        "application/xml",
        "video/mp4",
        "",
    ],
)
def test_what_the_bytes_are_decides_not_the_header(host, get, kind):
    for body in (SOUND, BARE, b"OggS" + bytes(100)):
        assert (
            body
            == get(host.serve("/a", Reply(body=body, headers={"Content-Type": kind} if kind else {}))).path.read_bytes()
        )


@pytest.mark.parametrize(
    "before",
    [b"\r\n", b"\n\n", bytes(8), bytes(64), bytes(2000), b"TAG" + b" " * 125, APE,
     b"<br />\n<b>Warning</b>: session_start() in x.php<br />\n", b"\xef\xbb\xbf"],
)  # fmt: skip
def test_what_stands_before_the_sound_does_not_hide_it(host, get, before):
    url = host.serve("/a", document(before + BARE, MPEG, pause=0.0001, piece=5000))

    assert before + BARE == get(url).path.read_bytes()


@pytest.mark.parametrize(
    "body",
    [b"PK\x03\x04" + BARE, b"%PDF-1.7" + BARE, b"<html>" + bytes(range(256)) * 300, FRAME, FRAME * 2 + b"x" * 999],
)
def test_what_only_looks_like_sound_is_none(host, get, body):
    if body.startswith(FRAME):
        body = b"junk" + body
    with pytest.raises(AudioError, match="is not audio"):
        get(host.serve("/a", document(body, MPEG)))


@pytest.mark.parametrize("kind", [MPEG, "text/html"])
def test_a_part_that_is_the_whole_file_is_the_file(host, get, kind):
    span = {"Content-Range": f"bytes 0-{len(SOUND) - 1}/{len(SOUND)}", "Content-Type": kind}

    assert SOUND == get(host.serve("/a", Reply(206, SOUND, span))).path.read_bytes()


@pytest.mark.parametrize("span", ["bytes 0-99/51210", "bytes 1-51209/51210", "bytes 0-51209/*", "items 0-1/2", ""])
def test_a_part_that_nobody_asked_for_is_refused(host, get, tmp_path, span):
    with pytest.raises(FetchError, match="206"):
        get(host.serve("/a", Reply(206, SOUND[:100], {"Content-Range": span})))

    assert there(tmp_path) == []


def test_a_host_that_always_sends_a_part_is_resumed_by_beginning_anew(host, get):
    whole = Reply(206, SOUND, {"Content-Range": f"bytes 0-{len(SOUND) - 1}/{len(SOUND)}", "ETag": '"1"'})
    url = host.serve("/a", [document(SOUND, MPEG, etag='"1"', drop_after=20_000), whole])
    with pytest.raises(AudioError):
        get(url)

    assert sha256(SOUND).hexdigest() == get(url).sha256


def test_a_packing_that_cannot_be_undone_is_named(host, get, tmp_path, monkeypatch):
    monkeypatch.setattr(encodings, "_is_installed", lambda _: False)
    with pytest.raises(FetchError, match="packed with br"):
        get(host.serve("/a", Reply(body=b"\x8b", headers={"Content-Encoding": "br"})))

    assert there(tmp_path) == []


@pytest.mark.parametrize("status", [204, 206, 304, 401, 403, 404, 410, 429, 500, 503])
def test_every_other_status_is_an_error_that_carries_it(host, get, tmp_path, status):
    with pytest.raises(FetchError) as caught:
        get(host.serve("/a", Reply(status, SOUND if status == 206 else b"")))

    assert status == caught.value.status
    assert there(tmp_path) == []


def test_what_was_there_before_stays_when_a_download_fails(host, get, tmp_path):
    get(host.serve("/a", document(SOUND, MPEG)))
    with pytest.raises(AudioError):
        get(host.serve("/b", document(OTHER, MPEG, drop_after=20_000)))

    assert (tmp_path / "audio" / "one.mp3").read_bytes() == SOUND


def test_the_state_is_there_before_the_first_byte(host, get, tmp_path, monkeypatch):
    monkeypatch.setattr(partial, "write_atomically", Mock(side_effect=OSError(28, "No space left on device")))
    with pytest.raises(HomeError, match="cannot be written"):
        get(host.serve("/a", document(SOUND, MPEG, etag='"1"')))

    assert there(tmp_path) == []


def test_a_download_whose_rename_fails_needs_no_second_request(host, get, monkeypatch):
    url = host.serve("/a", document(SOUND, MPEG, etag='"1"'))
    with monkeypatch.context() as patch:
        patch.setattr(partial, "rename_durably", Mock(side_effect=OSError(5, "Input/output error")))
        with pytest.raises(HomeError, match="cannot be written"):
            get(url)

    assert sha256(SOUND).hexdigest() == get(url).sha256
    assert len(host.requests) == 1


def test_too_large_is_refused_by_promise_and_by_count(host, get, tmp_path):
    with pytest.raises(AudioError, match="SOUNDBITE_MAX_AUDIO_MB"):
        get(host.serve("/a", document(SOUND, MPEG)), max_bytes=50_000)
    with pytest.raises(AudioError, match="SOUNDBITE_MAX_AUDIO_MB"):
        get(host.serve("/b", document(SOUND, MPEG, packed=True)), max_bytes=50_000, headers={"Accept-Encoding": "gzip"})

    assert there(tmp_path) == []


def test_free_disk_is_looked_at_first(host, get, tmp_path):
    with pytest.raises(DiskFullError, match="no room"):
        get(host.serve("/a", document(SOUND, MPEG)), free=lambda _folder: 64 * 2**20)

    assert there(tmp_path) == []
    assert get(host.url("/a"), free=lambda _folder: 65 * 2**20).bytes


def test_a_host_that_trickles_is_left(host, get):
    with pytest.raises(AudioError, match="in time"):
        get(host.serve("/trickle", document(SOUND, MPEG, pause=0.02, piece=500)), max_seconds=0.3)


def test_addresses_are_followed_as_published_through_tracking_prefixes(host, get):
    for number in range(4):
        host.serve(f"/{number}", redirect(302, f"/{number + 1}"))
    host.serve("/4", document(SOUND, MPEG))

    assert host.url("/4") == get(host.url("/0")).final_url
    assert len(host.requests) == 5


@pytest.mark.parametrize(
    ("head", "kind"),
    [(b"ID3\x03", "mp3"), (b"\xff\xfb\x90\x64", "mp3"), (b"\xff\xf3\x44", "mp3"), (b"\0\0\0\xff\xfb\x90", "mp3"),
     (b"\xff\xf1\x50", "aac"), (b"\0\0\0\x20ftypM4A ", "mp4"), (b"OggS\0", "ogg"), (b"RIFF\n\n\n\nWAVEfmt ", "wav"),
     (b"fLaC\0", "flac"), (b"\x1aE\xdf\xa3", "matroska"), (b"<html>", ""), (b"RIFF\0\0\0\0WEBP", ""), (b"", ""),
     (b"\xff\xff\xff\xff", ""), (b"\xff\xd8\xff\xe0", ""), (b"%PDF-1.4", "")],
)  # fmt: skip
def test_the_first_bytes_tell_what_holds_audio(head, kind):
    assert kind == sniff(head)


def test_the_state_beside_a_part_is_small_json(host, get, tmp_path):
    with pytest.raises(AudioError):
        get(host.serve("/a", document(SOUND, MPEG, etag='"1"', drop_after=20_000)))
    state = json.loads((tmp_path / "audio" / "one.mp3.part.json").read_text())

    assert (host.url("/a"), '"1"', len(SOUND)) == (state["url"], state["validator"], state["total"])


@pytest.mark.parametrize(
    ("decoded", "declared", "differ"),
    [(61.9, 60.0, False), (62.1, 60.0, True), (57.0, 60.0, True), (3630.0, 3600.0, False), (3637.0, 3600.0, True),
     (9.0, None, False)],
)  # fmt: skip
def test_lengths_differ_by_more_than_two_seconds_and_one_in_a_hundred(decoded, declared, differ):
    assert differ == lengths_differ(decoded, declared)


def test_what_is_kept_is_bounded_and_the_oldest_episode_goes_first_with_all_its_files(tmp_path):
    names = ["old.mp3.part", "old.mp3.part.json", "old.checkpoint.json", "mid.mp3", "new.mp3"]
    for age, name in enumerate(names):
        (tmp_path / name).write_bytes(bytes(100))
        utime(tmp_path / name, (age, age))

    assert [] == drop_oldest(tmp_path, 500)
    dropped = drop_oldest(tmp_path, 250)

    assert {"mid.mp3", "new.mp3"} == {path.name for path in tmp_path.iterdir()}
    assert set(names[:3]) == {path.name for path in dropped}


def test_only_a_download_that_broke_off_may_be_tried_again_at_once(host, get):
    dropped = host.serve("/dropped.mp3", document(SOUND, MPEG, drop_after=5000))
    page = host.serve("/page.mp3", Reply(200, b"<html>", {"Content-Type": "text/html"}))
    told = []
    for url in (dropped, page):
        with pytest.raises(AudioError) as caught:
            get(url)
        told.append(caught.value.transient)

    assert [True, False] == told


def test_what_a_host_asks_is_told_with_its_refusal(host, get):
    with pytest.raises(FetchError) as caught:
        get(host.serve("/busy.mp3", Reply(503, headers={"Retry-After": "90"})))

    assert caught.value.retry_after == 90.0
