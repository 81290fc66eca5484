"""Chapters on their way from a publisher's host into the library; whatever is wrong with them costs them alone."""

import json

import pytest

from ingest.ledger_rows import episode_row
from ingest.models import Chapter
from tests.flows.test_run import CAPTIONED, SRT, context, documents, feed, host, read, records, run  # noqa: F401 - fixtures
from tests.podcast_host import Reply, document

FILE = '<podcast:chapters url="/c.json" type="application/json+chapters"/>'
PODLOVE = '<psc:chapters><psc:chapter start="0:00" title="In the feed"/></psc:chapters>'
BODY = json.dumps({"chapters": [{"startTime": 0, "title": "Welcome"}, {"startTime": 2, "title": "Prices"}]}).encode()
WANTED = (Chapter(0.0, "Welcome"), Chapter(2.0, "Prices"))


@pytest.mark.parametrize("more", [FILE, FILE + PODLOVE, FILE + CAPTIONED])
def test_the_publishers_chapters_come_with_the_transcript(context, host, more):  # noqa: F811
    host.serve("/feed.xml", document(feed("two", more=more)))
    host.serve("/c.json", document(BODY, "application/json"))
    host.serve("/two.srt", document(SRT.encode(), "application/x-subrip"))

    report = run(context, latest=1)

    assert read(context, "two").episode.chapters == WANTED
    assert not any("chapters" in warning for warning in report.warnings)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(404), "404"),
        (Reply(200, b"<html>", {"Content-Type": "text/html"}), "holds no chapters"),
        (Reply(200, b" " * (2**20 + 1)), "larger than 1 MiB"),
        (Reply(302, headers={"Location": "http://169.254.169.254/latest"}), "169.254.169.254"),
        (Reply(200, BODY, promised=99_999, drop_after=20), "broke off"),
    ],
)
def test_chapters_that_cannot_be_had_cost_the_chapters_alone(context, host, reply, reason):  # noqa: F811
    host.serve("/feed.xml", document(feed("two", more=FILE + PODLOVE)))
    host.serve("/c.json", reply)

    report = run(context, latest=1)

    assert ([], ["quota: Episode two"]) == (report.failed, report.new)
    assert read(context, "two").episode.chapters == (Chapter(0.0, "In the feed"),)
    assert any("without its publisher's chapters" in one and reason in one for one in report.warnings), report.warnings


def test_chapters_in_the_feed_wait_in_the_ledger(context, host):  # noqa: F811
    host.serve("/feed.xml", document(feed("two", more=PODLOVE)))
    run(context, latest=1)

    assert records(context)["two"].episode.chapters == (Chapter(0.0, "In the feed"),)
    assert "In the feed" in episode_row(records(context)["two"].episode)["data"]


def test_a_sidecar_of_an_episode_without_chapters_says_nothing_of_them(context):  # noqa: F811
    run(context, latest=1)

    name = documents(context)[0].name
    assert "chapters" not in (context.ingest.library.root / name).with_suffix(".json").read_text("utf-8")
