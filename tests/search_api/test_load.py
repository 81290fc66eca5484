"""A server under load, over real connections: bounded, and always alive."""

import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from search_api.app import create_app
from search_api.load import MAX_IN_FLIGHT
from tests.fakes import BagOfWords
from tests.search_api.home import opener, running


def ask(address):
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.fixture
def held(settings):
    """A server whose searches wait until they are let go, and the event that does."""
    go = threading.Event()

    class Slow(BagOfWords):
        def embed_query(self, text):
            assert text == "ready" or go.wait(30)
            return super().embed_query(text)

    with running(create_app(settings, lambda settings: opener(settings, Slow()))) as address:
        yield address, go
        go.set()


def test_more_than_the_server_takes_are_told_to_come_again_and_it_stays_alive(held):
    address, go = held
    with ThreadPoolExecutor(MAX_IN_FLIGHT + 5) as pool:
        waiting = [pool.submit(ask, f"{address}/v1/search?q=people") for _ in range(MAX_IN_FLIGHT + 5)]
        deadline = time.monotonic() + 20
        while sum(one.done() for one in waiting) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        began = time.monotonic()
        assert ask(f"{address}/livez")[0] == 200
        assert time.monotonic() - began < 5
        refused = [one.result() for one in waiting if one.done()]
        go.set()
        answers = [one.result() for one in waiting]
    assert [status for status, _, _ in refused] == [503] * 5
    assert {headers["Retry-After"] for _, headers, _ in refused} == {"1"}
    assert all(b"problem-busy" in body for _, _, body in refused)
    assert sorted(status for status, _, _ in answers) == [200] * MAX_IN_FLIGHT + [503] * 5
    assert ask(f"{address}/v1/search?q=people")[0] == 200
