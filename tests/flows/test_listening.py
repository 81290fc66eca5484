"""Ports: who has one keeps it, and who cannot have one is told."""

import socket

import pytest

from flows import listening
from ingest.errors import SoundbiteError


def port_of(one):
    return one.getsockname()[1]


def test_the_port_that_is_wanted_is_taken_and_another_where_it_is_in_use():
    with listening.near(0) as first, listening.near(port_of(first)) as second, listening.near(port_of(first)) as third:
        assert 3 == len({port_of(first), port_of(second), port_of(third)})
        assert all(listening.is_open(port_of(one)) for one in (first, second, third))
    assert not listening.is_open(port_of_closed())


def port_of_closed():
    with listening.near(0) as one:
        return port_of(one)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_host_listens_at_the_port_that_is_asked_for(host):
    port = port_of_closed()
    sockets = listening.at(host, port)
    try:
        assert {port} == {port_of(one) for one in sockets}
        assert listening.is_open(port)
    finally:
        for one in sockets:
            one.close()
    assert not listening.is_open(port)


@pytest.mark.parametrize(
    ("host", "reached"), [("127.0.0.1", "127.0.0.1"), ("127.0.0.3", "127.0.0.3"), ("0.0.0.0", "127.0.0.1")]
)
def test_a_server_is_asked_at_the_address_that_it_listens_at(host, reached):
    (own,) = listening.at(host, port_of_closed())
    with own:
        assert reached == listening.reached_at(own)


def test_an_address_with_colons_has_brackets_for_a_browser():
    assert "http://127.0.0.3:8000/" == listening.web_address("127.0.0.3", 8000)
    assert "http://[::1]:8000/" == listening.web_address("::1", 8000)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_port_that_is_taken_is_told_and_nothing_stays_open(host):
    with socket.create_server(("127.0.0.1", 0)) as other:
        with pytest.raises(SoundbiteError, match=f"{host}:{port_of(other)}: is taken by another program.*--port"):
            listening.at(host, port_of(other))
        port = port_of(other)
    assert not listening.is_open(port)


@pytest.mark.parametrize(
    ("host", "words"),
    [("192.0.2.1", "no address of this machine"), ("nosuch.invalid", "cannot"), ("127.0.0.1:80", "cannot")],
)
def test_a_host_that_cannot_be_listened_on_is_told(host, words):
    with pytest.raises(SoundbiteError, match=words):
        listening.at(host, 8000)


@pytest.mark.usefixtures("own_environment")
@pytest.mark.parametrize("command", [("serve",), ("up",), ("up", "--no-flows"), ("mcp", "--http")])
def test_a_command_whose_port_is_taken_says_so_before_it_starts_anything(call, home, command):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = port_of(other)
        code, _, told = call(*command, "--port", port)

    assert (1, 1, True) == (code, told.count("\n"), f"127.0.0.1:{port}: is taken by another" in told), told
    assert not (home / "logs").exists()
