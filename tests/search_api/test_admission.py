"""Who may ask: keys and their rates, pages of allowed origins, names of requests, the log, figures; from other processes too."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ingest.errors import HomeError, NotFoundError, QueryError
from ingest.keys import Keys
from ingest.settings import Settings
from search_api.access_log import request_id
from search_api.app import create_app
from tests.fakes import BagOfWords
from tests.search_api.home import FAILED, TIMED, Client, add, add_failed, opener, problem, running


@pytest.fixture
def keyed(own):
    """Settings of a home with one key, and the key."""
    add(own, TIMED)
    return own, Keys(own.keys_path).add("Team One", "3/minute")


# -- keys


def test_a_key_is_shown_once_and_only_its_hash_is_kept(tmp_path):
    keys = Keys(tmp_path / "home" / "keys.json")
    first, second = keys.add("Team One"), keys.add("b", "10/second")
    assert first.startswith("sb_")
    assert first not in keys.path.read_text()
    assert keys.path.stat().st_mode & 0o077 == 0
    assert [(one.name, one.rate) for one in keys.all()] == [("b", "10/second"), ("team-one", "120/minute")]
    assert (keys.holder(first).name, keys.holder(second).name) == ("team-one", "b")
    for wrong in ("", first[:-1], first + "x", "é", "\ud800"):
        assert keys.holder(wrong) is None
    assert keys.remove("TEAM ONE").name == "team-one"
    assert keys.holder(first) is None


@pytest.mark.parametrize("rate", ["", "10", "0/minute", "10/fortnight", "x/minute", "10/minute; 1/day", "1 per minute"])
def test_a_rate_that_is_none_is_refused(tmp_path, rate):
    with pytest.raises(QueryError):
        Keys(tmp_path / "k").add("a", rate)


def test_a_name_has_one_key_and_a_damaged_file_is_said(tmp_path):
    keys = Keys(tmp_path / "k")
    keys.add("a")
    with pytest.raises(QueryError, match="has a key"):
        keys.add("A")
    with pytest.raises(NotFoundError, match="a"):
        keys.remove("nobody")
    keys.path.write_text("[{}]")
    with pytest.raises(HomeError):
        keys.all()


@pytest.mark.parametrize(
    "headers",
    [
        lambda key: {"Authorization": f"Bearer {key}"},
        lambda key: {"authorization": f"bearer  {key}"},
        lambda key: {"X-API-Key": key},
        lambda key: {"Authorization": "Basic " + base64.b64encode(f"me:{key}".encode()).decode()},
    ],
)
def test_a_key_may_be_given_in_three_ways(keyed, headers):
    settings, key = keyed
    with Client(create_app(settings, opener)) as client:
        assert client.get("/v1/search?q=people", headers=headers(key)).status_code == 200
        refused = client.get("/v1/search?q=people", headers=headers("sb_wrong"))
        problem(refused, 401, "no-key")
        assert refused.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "path", ["/", "/v1/episodes", "/docs", "/metrics", "/readyz", "/openapi.json", "/static/page.css", "/v1/nothing"]
)
def test_with_keys_nothing_is_read_without_one_but_that_the_server_lives(keyed, path):
    with Client(create_app(keyed[0], opener)) as client:
        refused = client.get(path)
        assert refused.status_code == 401
        assert "selling-well" not in refused.text.casefold()
        assert client.get(path, headers={"Authorization": "Basic !!!"}).status_code == 401
        assert client.get("/livez").status_code == 200


def test_a_key_that_asks_too_often_is_told_when_to_come_again_and_others_are_not(keyed):
    settings, key = keyed
    with Client(create_app(settings, opener)) as client:
        answers = [client.get("/readyz", headers={"X-API-Key": key}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert "3 times a minute" in problem(answers[3], 429, "too-often")
        assert 1 <= int(answers[3].headers["retry-after"]) <= 60
        other = Keys(settings.keys_path).add("other")
        assert client.get("/readyz", headers={"X-API-Key": other}).status_code == 200
        Keys(settings.keys_path).remove("other")
        assert client.get("/readyz", headers={"X-API-Key": other}).status_code == 401


def test_a_damaged_file_of_keys_lets_nobody_in(keyed):
    settings, key = keyed
    settings.keys_path.write_text("{")
    with Client(create_app(settings, opener)) as client:
        problem(client.get("/readyz", headers={"X-API-Key": key}), 503, "home-unusable")


# -- pages of other origins


def test_pages_of_an_allowed_origin_may_ask_and_no_others(own):
    add(own, TIMED)
    Keys(own.keys_path).add("a")
    key = Keys(own.keys_path).add("b")
    settings = Settings(home=own.home, cors_origins="https://Notes.example/, https://b.example")
    asked = {"Origin": "https://notes.example", "Access-Control-Request-Method": "POST"}
    with Client(create_app(settings, opener)) as client:
        preflight = client.options("/v1/quotes/check", headers=asked)
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == "https://notes.example"
        assert "Authorization" in preflight.headers["access-control-allow-headers"]
        answer = client.get("/readyz", headers={"Origin": "https://notes.example", "X-API-Key": key})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://notes.example")
        assert "Origin" in answer.headers["vary"]
        refused = client.get("/readyz", headers={"Origin": "https://notes.example"})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://notes.example")
        for origin in ("https://evil.example", "null", "http://notes.example", "https://notes.example:444"):
            denied = client.options("/v1/quotes/check", headers=asked | {"Origin": origin})
            problem(denied, 403, "foreign-origin")
            assert "access-control-allow-origin" not in denied.headers


# -- names of requests, the log, figures


@pytest.mark.parametrize(
    ("given", "kept"), [("a-1.b:2", True), ("", False), ("x" * 65, False), ("a b", False), ("é", False), ("a\n", False)]
)
def test_a_request_keeps_its_name_or_gets_one(given, kept):
    assert (request_id(given) == given) is kept
    assert len(request_id(given)) in {len(given), 32}


@pytest.mark.parametrize(("mode", "logged"), [("off", None), ("paths", False), ("full", True)])
def test_the_log_has_what_was_asked_only_where_that_is_wanted(own, mode, logged, caplog):
    add(own, TIMED)
    caplog.set_level("INFO", "search_api.access")
    with Client(create_app(Settings(home=own.home, access_log=mode), opener)) as client:
        answer = client.get("/v1/search?q=secretword", headers={"X-Request-ID": "mine"})
    assert answer.headers["x-request-id"] == "mine"
    lines = [record.message for record in caplog.records if record.name == "search_api.access"]
    if logged is None:
        assert lines == []
    else:
        line = json.loads(lines[0])
        assert (line["request"], line["path"], line["status"]) == ("mine", "/v1/search", 200)
        assert ("secretword" in lines[0]) is logged


def test_figures_for_prometheus(own):
    add(own, TIMED)
    add_failed(own, FAILED, "no audio")
    with Client(create_app(own, opener)) as client:
        client.get("/v1/search?q=people")
        client.get("/v1/nothing")
        text = client.get("/metrics").text
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        assert lines['soundbite_requests_total{route="/v1/search",status="200"}'] == "1.0"
        assert lines['soundbite_episodes{state="indexed"}'] == lines['soundbite_episodes{state="failed"}'] == "1.0"
        assert lines['soundbite_feeds{state="failing"}'] == "0.0"
        assert float(lines["soundbite_index_bytes"]) > 0
        assert float(lines["soundbite_index_fragments"]) >= 1
        assert time.time() - float(lines["soundbite_index_changed_timestamp_seconds"]) < 600
        for stage in ("understand", "embed", "retrieve", "rank"):
            assert float(lines[f'soundbite_search_stage_seconds_count{{stage="{stage}"}}']) >= 1
        assert "nothing" not in text


def test_figures_without_an_index(own):
    with Client(create_app(own, opener)) as client:
        assert "soundbite_index_up 0.0" in client.get("/metrics").text


# -- from another process

ASK = """
import sys, urllib.request, urllib.error
request = urllib.request.Request(sys.argv[1], headers=dict(one.split('=', 1) for one in sys.argv[2:]))
try:
    print(urllib.request.urlopen(request, timeout=20).status)
except urllib.error.HTTPError as error:
    print(error.code, error.headers.get('Retry-After', ''))
"""


def ask_from_outside(address, *headers):
    done = subprocess.run([sys.executable, "-c", ASK, address, *headers], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_another_process_is_told_apart_by_name_origin_key_and_rate(keyed):
    settings, key = keyed
    with running(create_app(settings, opener)) as address:
        search = f"{address}/v1/search?q=people"
        assert ask_from_outside(search, f"X-API-Key={key}", "Host=evil.example") == ["421"]
        assert ask_from_outside(search, f"X-API-Key={key}", "Origin=https://evil.example") == ["403"]
        assert ask_from_outside(search) == ["401"]
        assert [ask_from_outside(search, f"X-API-Key={key}")[0] for _ in range(4)] == ["200", "200", "200", "429"]
        assert int(ask_from_outside(search, f"X-API-Key={key}")[1]) >= 1


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


SERVE = """
import sys, time, uvicorn
from pathlib import Path
from ingest.settings import Settings
from search_api.app import create_app
from flows.cli.run import DRAIN_SECONDS
from tests.fakes import BagOfWords
from tests.search_api.home import opener

class Slow(BagOfWords):
    def embed_query(self, text):
        if text == "slow":
            print("asked", flush=True)
            time.sleep(1.5)
        return super().embed_query(text)

app = create_app(Settings(home=Path(sys.argv[1])), lambda settings: opener(settings, Slow()))
uvicorn.run(app, port=int(sys.argv[2]), log_level="error", timeout_graceful_shutdown=DRAIN_SECONDS)
"""


def test_a_server_that_is_told_to_stop_answers_what_it_was_asked(own):
    add(own, TIMED)
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(own.home), str(port)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": "."},
    )
    try:
        answers = []
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                assert time.monotonic() < deadline
                time.sleep(0.1)

        def ask():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/search?q=slow", timeout=30) as answer:
                answers.append(answer.status)

        asking = threading.Thread(target=ask)
        asking.start()
        assert server.stdout.readline() == "asked\n"
        server.send_signal(signal.SIGTERM)
        asking.join(30)
        assert answers == [200]
        server.wait(30)
    finally:
        server.kill()
        server.stdout.close()
        server.wait()


def test_the_bag_of_words_is_asked_for_all_questions_of_a_batch_at_once(own):
    asked = []

    class Counting(BagOfWords):
        def embed_queries(self, texts):
            asked.append(list(texts))
            return super().embed_queries(texts)

    add(own, TIMED)
    with Client(create_app(own, lambda settings: opener(settings, Counting()))) as client:
        asked.clear()
        client.post(
            "/v1/search/batch", json={"searches": [{"q": "a"}, {"q": "b"}, {"q": "a"}, {"q": "c", "mode": "text"}]}
        )
    assert asked == [["a", "b"]]
