"""When single hosts are down, and when the network is."""

import pytest

from flows.outages import NETWORK_DOWN, Outages
from ingest.errors import UnreachableError


def outages(*hosts):
    found = Outages()
    for host in hosts:
        if host == "ok":
            found.connected()
        else:
            found.failed(UnreachableError(f"https://{host}/a.mp3", "cannot be connected to", host))
    return found


@pytest.mark.parametrize(
    ("hosts", "down"),
    [
        (["a", "b", "c"], True),
        (["a", "b"], False),
        (["a"] * 2 * NETWORK_DOWN, False),  # several requests to one host may be under way
        (["a", "b", "ok", "c"], False),
        (["a", "ok", "b", "c", "a"], True),
        (["a", "b", "c", "ok"], True),  # an answer that was under way
    ],
)
def test_the_network_is_down_where_one_host_after_the_other_cannot_be_connected_to(hosts, down):
    assert down == outages(*hosts).network_is_down


def test_what_waits_for_a_host_is_counted_and_told_in_one_line():
    found = outages("a", "ok")

    assert [True, False, True] == [found.must_wait(host) for host in ("a", "b", "a")]
    assert [("a", "cannot be connected to; what waits for it (3) is tried in the next run")] == found.messages()


def test_a_full_disk_is_told_first():
    found = outages("a", "b", "c")
    found.disk = "home: is full"

    assert ["disk", "network"] == [what for what, _ in found.messages()]
