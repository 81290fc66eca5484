"""Only public addresses are connected to, however they are written and whatever a name resolves to next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import BlockedAddressError, FetchError
from ingest.web.client import fetch, open_client
from ingest.web.guard import is_public
from tests.podcast_host import PodcastHost, Reply

AGENT = "soundbite/test (+https://example.org)"


@pytest.fixture
def host():
    with PodcastHost() as host:
        yield host


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "100.100.100.200", "0.0.0.0", "192.0.0.192", "198.18.0.1", "203.0.113.9", "224.0.0.1",
        "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.88.99.1", "168.63.129.16",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:808:808::", "2001:0:7f00:1::", "3fff::1", "5f00::1", "not one", "",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused_in_every_wrapping(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_may_be_connected_to(address):
    assert is_public(address)


@given(st.ip_addresses())
def test_nothing_the_standard_library_calls_private_is_public(address):
    assert not (is_public(str(address)) and (address.is_loopback or address.is_link_local or address.is_multicast))
    assert not (is_public(str(address)) and address.is_private)


@pytest.mark.parametrize(
    "name",
    ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:7f00:1]",
     "localhost.", "0"],
)  # fmt: skip
def test_no_spelling_of_the_loopback_passes(host, name):
    host.serve("/secret", Reply(body=b"secret"))
    with open_client(user_agent=AGENT, timeout=5) as client, pytest.raises(FetchError) as caught:
        fetch(client, host.url("/secret", name))

    assert host.requests == []
    if isinstance(caught.value, BlockedAddressError):
        assert "SOUNDBITE_ALLOW_HOSTS" in str(caught.value)


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to(host):
    """DNS rebinding: a second look would give the loopback, so there must be none."""
    answers = [["203.0.113.7"], ["127.0.0.1"]]
    with (
        open_client(user_agent=AGENT, timeout=5, resolver=lambda _name, _port: answers.pop(0)) as client,
        pytest.raises(BlockedAddressError),
    ):
        fetch(client, host.url("/secret", "rebind.example"))

    assert answers == [["127.0.0.1"]]
    assert host.requests == []


def test_the_private_ones_among_several_addresses_are_left_out(host):
    looked_up = []

    def resolver(name, _port):
        looked_up.append(name)
        return ["127.0.0.1", "10.0.0.1"]

    with (
        open_client(user_agent=AGENT, timeout=5, resolver=resolver) as client,
        pytest.raises(BlockedAddressError, match=r"mixed\.example"),
    ):
        fetch(client, host.url("/", "mixed.example"))

    assert looked_up == ["mixed.example"]
    assert host.requests == []


def test_a_connection_goes_to_what_the_name_resolved_to_and_says_the_name(host):
    host.serve("/a", Reply(body=b"hello"))
    with open_client(
        user_agent=AGENT, timeout=5, hosts_allowed=frozenset({"pod.example"}), resolver=lambda *_: ["127.0.0.1"]
    ) as client:
        answer = fetch(client, host.url("/a", "pod.example"))

    assert answer.body == b"hello"
    assert f"pod.example:{host.port}" == host.requests[0].headers["host"]
