"""Our polling, held against the table of good manners; and the table, against a client without any."""

from contextlib import suppress
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from ingest.errors import SoundbiteError
from ingest.feeds import poll as polling
from ingest.ledger import Ledger
from ingest.models import Subscription
from ingest.web.client import open_client
from tests.etiquette import CASES, complaints


@pytest.fixture
def poll(tmp_path):
    """Ours as the schedule wakes it: what is held back or not due is not asked."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    with open_client(user_agent="soundbite/test", timeout=5, hosts_allowed=frozenset({"127.0.0.1"})) as client:

        def poll(url, _stored, moment):
            ledger.subscribe(Subscription("deal-desk", url), moment)
            due = ledger.due_feeds(moment, "deal-desk")
            if due and not polling.blocked_reason(feed := due[0], ledger.backoffs(moment)):
                with suppress(SoundbiteError):
                    polling.poll(client, ledger, feed, moment)

        yield poll


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_our_polling_has_good_manners(case, poll):
    assert [] == complaints(case, poll)


def rude(url, _stored, _moment):
    """Asks whenever it wakes, for everything, and remembers nothing."""
    with suppress(URLError):
        urlopen(url, timeout=5).close()


def test_the_table_tells_a_client_without_manners():
    names = {case.name for case in CASES if complaints(case, rude)}

    assert {
        'the ETag "v1" goes back verbatim',
        "Last-Modified goes back verbatim, odd as it may be",
        "a failure keeps the validators",
        "a feed is asked at most once an hour",
        "301 is followed at once and believed once it lasts",
        "410 ends the polling",
        "404 is asked again less and less often",
        "Retry-After (seconds) is waited for with 503",
        "max-age is waited for",
    } <= names
    assert "404 is never given up" not in names
