"""The sample podcast: what the other tests and the demo rely on."""

import http.client
import json
import re
import socket
import subprocess
import sys
from itertools import pairwise
from urllib.parse import urljoin, urlsplit

import av
import feedparser
import numpy as np
import pytest
from defusedxml import ElementTree

from ingest.feeds import parse as feeds
from ingest.models import Segment
from ingest.transcripts import captions
from tests.sample import demo, host
from tests.sample.make_audio import CAPTIONED, MUSIC, PAUSE, TURN_PAUSE, read_script

HERE = host.HERE
SLUGS = sorted(path.stem for path in (HERE / "scripts").glob("*.txt"))
TIMES = json.loads((HERE / "times.json").read_text(encoding="utf-8"))
QUESTIONS = [json.loads(line) for line in (HERE / "questions.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def base():
    with host.serve() as url:
        yield url


def get(url, method="GET", **headers):
    """Status, headers and body of one request, nothing followed or decoded."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, f"{parts.path}?{parts.query}", headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


def decoded(path):
    """The samples, and how many make a second."""
    with av.open(str(path)) as audio:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in audio.decode(audio=0)])
        return np.abs(samples.astype(float)) / np.max(np.abs(samples)), audio.streams.audio[0].rate


def items(feed):
    """The feed's entries that carry audio, by the slug of their file."""
    links = [(entry, link) for entry in feed.entries for link in entry.get("links", ())]
    audio = [(entry, link) for entry, link in links if link.type.startswith("audio/")]
    return {urlsplit(link.href).path.split("/")[-1].split(".")[0]: (entry, link) for entry, link in audio}


def slug_of(episode):
    """The name the sample's own files have for an episode."""
    return urlsplit(episode.audio_url).path.split("/")[-1].split(".")[0]


def seconds(duration):
    total = 0.0
    for part in duration.split(":"):
        total = total * 60 + float(part)
    return total


def test_every_script_is_two_or_three_voices_saying_short_plain_sentences():
    for slug in SLUGS:
        lines = read_script(HERE / "scripts" / f"{slug}.txt")
        assert len({line.speaker for line in lines}) in (2, 3)
        for line in lines:
            assert re.fullmatch(r"[A-Z][A-Za-z',?. ]+[.?]", line.text), line
            assert all(1 <= len(sentence.split()) <= 18 for sentence in re.split(r"[.?] ", line.text)), line


def test_times_hold_every_line_of_every_script_in_order():
    assert sorted(TIMES) == SLUGS
    for slug in SLUGS:
        script = [(line.speaker, line.text) for line in read_script(HERE / "scripts" / f"{slug}.txt")]
        assert [(line["speaker"], line["text"]) for line in TIMES[slug]] == script
        edges = [edge for line in TIMES[slug] for edge in (line["start"], line["end"])]
        assert edges == sorted(edges)


def test_the_audio_decodes_to_the_length_the_times_say():
    assert [path.stem for path in host.audio_files()] == SLUGS
    for path in host.audio_files():
        samples, rate = decoded(path)
        assert len(samples) / rate == pytest.approx(TIMES[path.stem][-1]["end"] + TURN_PAUSE, abs=0.1)


def test_a_line_is_heard_within_its_times_and_nothing_is_heard_between_lines():
    path = host.audio_files()[0]
    samples, rate = decoded(path)
    before, after = TIMES[path.stem][6:8]

    def loudest(start, end):
        return samples[round(start * rate) : round(end * rate)].max()

    assert loudest(before["end"] - 0.2, before["end"]) > 0.01
    assert loudest(before["end"] + PAUSE / 4, after["start"] - PAUSE / 4) < 0.001
    assert loudest(after["start"], after["start"] + 0.2) > 0.1


def test_one_episode_has_music_before_its_first_word_and_a_sponsors_message():
    ((slug, seconds),) = MUSIC.items()
    samples, rate = decoded(next(path for path in host.audio_files() if path.stem == slug))
    assert TIMES[slug][0]["start"] == pytest.approx(seconds + TURN_PAUSE, abs=0.01)
    assert all(samples[second * rate : (second + 1) * rate].max() > 0.05 for second in range(int(seconds) - 1))
    assert any("brought to you by" in line["text"] for line in TIMES[slug] if line["speaker"] == "Announcer")


@pytest.mark.parametrize("slug", SLUGS)
def test_the_turns_say_who_speaks_when(slug):
    rows = [line.split() for line in (HERE / "turns" / f"{slug}.rttm").read_text("utf-8").splitlines()]
    turns = [(float(start), float(start) + float(length), who) for _, _, _, start, length, _, _, who, _, _ in rows]
    assert all(before[1] < after[0] and before[2] != after[2] for before, after in pairwise(turns))
    for line in TIMES[slug]:
        middle = (line["start"] + line["end"]) / 2
        assert [line["speaker"]] == [who for start, end, who in turns if start <= middle <= end]


def test_the_audio_is_small():
    assert sum(path.stat().st_size for path in host.audio_files()) < 4_000_000


def test_the_feed_is_well_formed_and_nothing_is_left_to_fill_in():
    text = host.fill_feed("http://127.0.0.1:1")
    assert ElementTree.fromstring(text).tag == "rss"
    assert not re.search(rb"\{[a-z]", text)


def test_the_feed_holds_four_playable_episodes_and_a_note_without_audio(base):
    feed = feedparser.parse(host.fill_feed(base))
    assert not feed.bozo
    assert len(feed.entries) == 5
    assert sorted(items(feed)) == SLUGS


def test_the_feed_is_as_odd_as_real_ones(base):
    feed = feedparser.parse(host.fill_feed(base))
    playable = items(feed)
    assert [slug for slug, (entry, _) in playable.items() if "id" not in entry] == ["keeping-your-best-seller"]
    raw = host.fill_feed(base)
    assert raw.count(b"<podcast:transcript ") == 2
    assert raw.count(b'<enclosure url="audio/') == 1
    assert len({len(entry.itunes_duration.split(":")) for entry, _ in playable.values()}) == 3


def test_durations_and_lengths_in_the_feed_are_true_or_zero(base):
    feed = feedparser.parse(host.fill_feed(base))
    for slug, (entry, enclosure) in items(feed).items():
        assert seconds(entry.itunes_duration) == pytest.approx(TIMES[slug][-1]["end"] + TURN_PAUSE, abs=1)
        size = next(path for path in host.audio_files() if path.stem == slug).stat().st_size
        assert int(enclosure.length) in (0, size)


def test_everything_the_feed_names_is_served_with_its_type(base):
    text = host.fill_feed(base).decode()
    urls = set(re.findall(rf'(?:url|href)="((?:{base}|audio)/[^"]*)"', text)) | set(
        re.findall(rf"<link>({base}.*)</", text)
    )
    assert len(urls) > 10
    for url in urls:
        status, headers, body = get(urljoin(f"{base}/feed.xml", url))
        assert status == 200, url
        assert int(headers["Content-Length"]) == len(body) > 0
    for _, enclosure in items(feedparser.parse(text)).values():
        assert get(urljoin(f"{base}/feed.xml", enclosure.href), "HEAD")[1]["Content-Type"] == enclosure.type


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-99", 0, 100), ("bytes=1000-", 1000, None), ("bytes=-100", -100, None), ("bytes=5-99999999", 5, None)],
)
def test_a_part_of_the_audio_is_sent_when_asked_for(base, asked, start, end):
    path = host.audio_files()[0]
    status, headers, body = get(f"{base}/audio/{path.name}", Range=asked)
    whole = path.read_bytes()
    assert status == 206
    assert body == whole[start:end]
    first = start % len(whole)
    assert headers["Content-Range"] == f"bytes {first}-{first + len(body) - 1}/{len(whole)}"


@pytest.mark.parametrize("asked", ["bytes=9-1", "bytes=a-b", "lines=1-2", "bytes=-", "bytes=0-1,5-6"])
def test_a_range_that_makes_no_sense_is_ignored(base, asked):
    path = host.audio_files()[0]
    status, _, body = get(f"{base}/audio/{path.name}", Range=asked)
    assert (status, len(body)) == (200, path.stat().st_size)


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
def test_a_range_outside_the_audio_is_refused_with_its_length(base, asked):
    path = host.audio_files()[0]
    status, headers, _ = get(f"{base}/audio/{path.name}", Range=asked)
    assert (status, headers["Content-Range"]) == (416, f"bytes */{path.stat().st_size}")


def test_a_range_of_another_version_gets_the_whole(base):
    path = host.audio_files()[0]
    url = f"{base}/audio/{path.name}"
    etag = get(url, "HEAD")[1]["ETag"]
    assert get(url, Range="bytes=0-9", If_Range=etag)[0] == 206
    assert get(url, Range="bytes=0-9", If_Range='"older"')[0] == 200


def test_an_unchanged_feed_is_not_sent_again(base):
    _, headers, _ = get(f"{base}/feed.xml")
    etag, modified = headers["ETag"], headers["Last-Modified"]
    assert get(f"{base}/feed.xml", If_None_Match=etag)[::2] == (304, b"")
    assert get(f"{base}/feed.xml", If_Modified_Since=modified)[::2] == (304, b"")
    assert get(f"{base}/feed.xml", If_None_Match='"older"', If_Modified_Since=modified)[0] == 200
    assert get(f"{base}/feed.xml", If_Modified_Since="yesterday")[0] == 200


def test_nothing_else_on_the_disk_can_be_reached(base):
    for path in ("/../host.py", "/audio/../host.py", "/%2e%2e/host.py", "/audio", "/missing"):
        assert get(base + path)[0] == 404


def test_a_taken_port_is_said_in_one_line():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        command = [sys.executable, "-m", "tests.sample.host", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=demo.ROOT)
    assert done.returncode == 1
    assert done.stderr == f"Port {port} of 127.0.0.1 is taken: stop what runs there, or choose another with --port.\n"


def test_the_demo_uses_a_host_that_runs_already(base):
    assert demo.already_running(int(base.rsplit(":", 1)[1])) == base


def test_we_read_from_the_feed_what_it_holds_and_say_what_is_odd(base):
    feed = feeds.parse(f"{base}/feed.xml", host.fill_feed(base))
    assert feed.podcast == "the-quota-room"
    assert [slug_of(episode) for episode in feed.episodes] == [
        "objections-and-discounts",
        "first-calls",
        "keeping-your-best-seller",
        "pipeline-review",
    ]
    assert feed.episodes[0].people == ("Tom", "Maria")
    assert [link.type for link in feed.episodes[0].transcripts] == ["application/x-subrip", "text/vtt"]
    assert all(episode.published_at for episode in feed.episodes)
    assert len(feed.warnings) == 2


def test_exactly_one_episode_has_captions_and_both_files_say_the_script_with_its_times():
    files = sorted((HERE / "transcripts").iterdir())
    assert [path.name for path in files] == [f"{CAPTIONED}.srt", f"{CAPTIONED}.vtt"]
    told = tuple(Segment(line["start"], line["end"], line["text"], line["speaker"]) for line in TIMES[CAPTIONED])
    for path in files:
        assert captions.parse(path.read_bytes(), path.suffix[1:], path.name) == told


def test_every_answerable_question_has_its_words_in_its_episode_and_the_guid_is_the_feeds(base):
    episodes = {slug_of(e): e for e in feeds.parse(f"{base}/feed.xml", host.fill_feed(base)).episodes}
    answerable = [q for q in QUESTIONS if q["type"] != "unanswerable"]
    assert {q["type"] for q in answerable} == {"keyword", "named", "paraphrase"}
    assert len(answerable) >= 12
    for q in answerable:
        assert q["answer"] in [line["text"] for line in TIMES[q["episode"]]]
        assert (q["guid"] or episodes[q["episode"]].audio_url) == episodes[q["episode"]].guid


def test_some_questions_have_no_answer_here():
    unanswerable = [q for q in QUESTIONS if q["type"] == "unanswerable"]
    assert len(unanswerable) >= 4
    assert all(q["episode"] is q["guid"] is q["answer"] is None for q in unanswerable)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_goes_the_whole_way_and_a_second_one_does_no_work_twice(tmp_path, capfd):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    demo.demo(tmp_path, port)
    first = capfd.readouterr().out
    assert "4 transcripts lie in" in first
    assert "No work was done twice" not in first
    assert f"/audio/objections-and-discounts{host.audio_files()[0].suffix}?from=feed#t=" in first
    written = demo.transcripts(tmp_path)
    demo.demo(tmp_path, port)
    assert "No work was done twice" in capfd.readouterr().out
    assert demo.transcripts(tmp_path) == written
