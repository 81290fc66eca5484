from datetime import UTC, datetime, timedelta

import pytest

from ingest.keys import Keys
from ingest.ledger import Ledger
from ingest.models import Subscription
from ingest.run_history import remember, run_record
from ingest.storage import FolderStorage
from search_api.app import create_app
from search_api.operations import feed_health, moment_words, size_words, used
from tests.search_api.home import FAILED, TIMED, Client, add, add_failed, opener

NOW = datetime(2026, 10, 20, 6, 5, tzinfo=UTC)


@pytest.fixture
def ran(own):
    add(own, TIMED)
    add_failed(own, FAILED, "the audio is a web page")
    ledger = Ledger(own.ledger_place)
    ledger.subscribe(Subscription("selling-well", "https://a.example/feed?token=secret", "Selling Well"), NOW)
    with Client(create_app(own, opener)) as client:
        yield client, ledger


def test_the_page_tells_feeds_failures_with_reasons_and_the_index(ran):
    client, _ = ran
    page = client.get("/operations").text
    for words in (
        "Selling Well",
        "a.example",
        "not read yet",
        FAILED.title,
        "the audio is a web page",
        "2 chunks",
        "Free disk",
    ):
        assert words in page or words == "2 chunks"
    assert "secret" not in page
    assert "1 done" in page or "0 done" in page


def test_the_last_runs_are_told_the_newest_first(ran, own):
    client, _ = ran
    assert "None on this machine yet." in client.get("/operations").text
    failures = [("quota: Two", "the audio is <i>a page</i>")]
    remember(own.home, run_record(NOW, NOW + timedelta(minutes=12), [f"quota: {n}" for n in range(14)], failures, 0))
    remember(own.home, run_record(NOW + timedelta(hours=1), NOW + timedelta(hours=1, seconds=1), [], [], 0))
    page = client.get("/operations").text
    for words in (
        "20 Oct 2026, 06:05 UTC",
        "12 minutes",
        "1 second ·",
        "quota: 9",
        "and 4 more",
        "quota: Two: the audio is &lt;i&gt;a page",
    ):
        assert words in page
    assert page.index("20 Oct 2026, 07:05 UTC") < page.index("20 Oct 2026, 06:05 UTC")


def test_a_failed_episode_is_tried_again_by_the_next_run(ran):
    client, ledger = ran
    address = f"/operations/episodes/{FAILED.key}/retry"
    assert address in client.get("/operations").text
    answer = client.post(address, headers={"Origin": "http://127.0.0.1:8000"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/operations")
    assert ledger.record(FAILED.key).status == "pending"
    assert ledger.queue(NOW) == [FAILED.key]
    assert client.post(address).status_code == 404  # nothing to try again
    assert address not in client.get("/operations").text


@pytest.mark.parametrize("key", [TIMED.episode.key, "nobody", "0" * 16])
def test_what_has_not_failed_is_not_tried_again(ran, key):
    client, ledger = ran
    assert client.post(f"/operations/episodes/{key}/retry").status_code == 404
    assert ledger.record(FAILED.key).status == "failed"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9"])
def test_forms_of_other_sites_try_nothing_again(ran, origin):
    client, ledger = ran
    assert client.post(f"/operations/episodes/{FAILED.key}/retry", headers={"Origin": origin}).status_code == 403
    assert ledger.record(FAILED.key).status == "failed"


def test_a_browser_may_say_where_the_form_is_from(ran):
    assert ran[0].get("/operations").headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("feed", "wrong"),
    [
        (Subscription("p", "https://a.example/f", last_success=NOW), ""),
        (Subscription("p", "https://a.example/f", failures=1, last_error="timed out"), "failed once: timed out"),
        (Subscription("p", "https://a.example/f", failures=3, last_error="404"), "failed 3 times in a row: 404"),
        (Subscription("p", "https://a.example/f", gone=NOW, last_error="410"), "gone for good: 410"),
    ],
)
def test_a_feeds_health_is_said_in_words(feed, wrong):
    assert feed_health(feed, {}).wrong == wrong


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 MB"), (10, "1 MB"), (12_400_000, "12 MB"), (3_140_000_000, "3.1 GB")]
)
def test_sizes_and_moments_read_as_words(count, words):
    assert size_words(count) == words
    assert moment_words(NOW) == "20 Oct 2026, 06:05 UTC"
    assert moment_words(None) == "never"


def test_a_folder_that_is_not_there_uses_nothing(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"12345")
    assert used(FolderStorage(tmp_path))[0] == 5
    assert used(FolderStorage(tmp_path / "none")) == (0, None)


@pytest.mark.parametrize(
    "path", ["/", "/?q=people", "/operations", "/episodes", f"/episodes/{TIMED.episode.key}", "/collections"]
)
def test_where_keys_are_set_the_pages_show_nothing_without_one(own, path):
    add(own, TIMED)
    key = Keys(own.keys_path).add("team")
    with Client(create_app(own, opener)) as client:
        refused = client.get(path)
        assert refused.status_code == 401
        assert "www-authenticate" in refused.headers  # the browser asks for it
        assert TIMED.episode.title not in refused.text
        assert "Ann" not in refused.text
        assert client.get(path, auth=("", key)).status_code == 200
        assert client.post(f"/operations/episodes/{FAILED.key}/retry").status_code == 401


def test_styles_and_scripts_use_up_no_rate(own):
    key = Keys(own.keys_path).add("team", "2/minute")
    with Client(create_app(own, opener)) as client:
        assert [client.get("/static/page.css", auth=("", key)).status_code for _ in range(5)] == [200] * 5
        assert [client.get("/collections", auth=("", key)).status_code for _ in range(3)] == [200, 200, 429]
