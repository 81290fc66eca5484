"""A webhook is told what failed in a run, and nothing else; it cannot harm the run."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flows import notify
from flows.report import RunReport
from ingest.errors import SettingsError
from ingest.settings import read_settings

FAILED = [("quota: Cold calls", "is not there"), ("disk", "is full")]


@contextmanager
def webhook(status=200):
    """A server that takes notes; its address and the notes."""
    told = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", told
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("status", [200, 204, 500])
def test_failures_are_told_in_a_text_and_as_data(status):
    with webhook(status) as (url, told):
        notify.tell_failures(url, RunReport(new=["quota: Prices"], failed=FAILED, pending=3))

    (one,) = told
    assert (1, 2, 3) == (one["new"], one["failed"], one["pending"])
    assert "quota: Cold calls: is not there\ndisk: is full" in one["text"]


@pytest.mark.parametrize("report", [RunReport(), RunReport(new=["quota: Prices"]), RunReport(warnings=["moved"])])
def test_a_run_without_failures_is_not_told(report):
    with webhook() as (url, told):
        notify.tell_failures(url, report)

    assert [] == told


def test_many_failures_are_counted(monkeypatch):
    monkeypatch.setattr(notify, "MAX_NAMED", 2)

    text = notify.message(RunReport(failed=[(f"e{n}", "broken") for n in range(5)]))["text"]

    assert ["e0: broken", "e1: broken", "and 3 more"] == text.splitlines()[1:]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://no-such-host.invalid/hook", "https://127.0.0.1:1/x"])
def test_a_webhook_that_cannot_be_told_is_logged_and_harms_nothing(url, caplog):
    notify.tell_failures(url, RunReport(failed=FAILED))

    assert "was not told" in caplog.text


@pytest.mark.parametrize("url", ["ftp://host/x", "file:///etc/passwd", "http://", "hook"])
def test_only_web_addresses_are_told(monkeypatch, url):
    monkeypatch.setenv("SOUNDBITE_NOTIFY_URL", url)

    with pytest.raises(SettingsError):
        read_settings()
