"""How fast hosts are asked."""

from time import monotonic

from ingest.web.client import fetch, open_client
from ingest.web.rate_limit import RateLimiter
from tests.podcast_host import PodcastHost, Reply, redirect


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def waits(limiter, clock, *hosts):
    found = []
    for host in hosts:
        before = clock()
        limiter.wait(host)
        found.append(round(clock() - before, 6))
    return found


def test_requests_to_one_host_are_a_delay_apart_and_others_need_not_wait():
    clock = Clock()
    limiter = RateLimiter(1.0, clock=clock, sleep=clock.sleep)

    assert [0, 1, 0, 1, 0] == waits(limiter, clock, "a.example", "A.example.", "b.example", "a.example", "b.example")


def test_time_that_has_passed_anyway_counts():
    clock = Clock()
    limiter = RateLimiter(1.0, clock=clock, sleep=clock.sleep)
    limiter.wait("a.example")
    clock.now += 0.75

    assert [0.25] == waits(limiter, clock, "a.example")


def test_the_users_own_hosts_and_no_delay_cost_nothing():
    clock = Clock()

    assert [0, 0] == waits(RateLimiter(1.0, frozenset({"nas"}), clock=clock, sleep=clock.sleep), clock, "nas", "nas")
    assert [0, 0] == waits(RateLimiter(0.0, clock=clock, sleep=clock.sleep), clock, "a.example", "a.example")


def test_the_client_is_limited_on_every_hop():
    allowed = frozenset({"127.0.0.1", "localhost"})
    with (
        PodcastHost() as host,
        open_client(user_agent="x", timeout=5, hosts_allowed=allowed, rate_limiter=RateLimiter(0.1)) as client,
    ):
        host.serve("/moved", redirect(302, "/here"))
        host.serve("/here", Reply(200, b"here"))
        began = monotonic()
        fetch(client, host.url("/moved"))
        fetch(client, host.url("/here"))

    assert monotonic() - began >= 0.2
