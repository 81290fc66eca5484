"""Figures for Prometheus: how long requests and the stages of searches take, how large and fresh the index is, what waits."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client import Counter as CounterMetric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.errors import SoundbiteError
from ingest.models import Subscription

if TYPE_CHECKING:
    from search_api.deps import Backend

MEDIA_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """One application's figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.stages = Histogram(
            "soundbite_search_stage_seconds",
            "Time of one stage of a search",
            ["stage"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.requests = Histogram(
            "soundbite_request_seconds", "Time of a request", ["route"], buckets=SECONDS, registry=self.registry
        )
        self.answers = CounterMetric(
            "soundbite_requests", "Requests answered", ["route", "status"], registry=self.registry
        )

    def observe_stages(self, stages_ms: Mapping[str, float]) -> None:
        """Note the milliseconds of the stages of one search."""
        for stage, milliseconds in stages_ms.items():
            self.stages.labels(stage).observe(milliseconds / 1000)

    def describe(self, backend: "Backend") -> None:
        """Tell of what this backend holds, too."""
        self.registry.register(_State(backend))

    def text(self) -> bytes:
        """All figures as Prometheus reads them."""
        return generate_latest(self.registry)


class _State(Collector):
    """What the index and the ledger hold, looked up when somebody asks."""

    def __init__(self, backend: "Backend") -> None:
        self.backend = backend

    def describe(self) -> Iterator[GaugeMetricFamily]:
        return iter(())  # else registering would ask the index at once

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            size = self.backend.index_size()
        except SoundbiteError:
            size = {}
        yield _gauge("soundbite_index_up", "Whether the index can be read", float(bool(size)))
        for name, value in size.items():
            yield _gauge(f"soundbite_index_{name}", f"The index: {name.replace('_', ' ')}", value)
        states = Counter[str](episode.status for episode in self.backend.episodes())
        known = ("indexed", "transcribed", "pending", "failed")
        yield _labelled("soundbite_episodes", "Episodes by state", {state: states[state] for state in known})
        feeds = Counter(map(feed_state, self.backend.feeds()))
        yield _labelled(
            "soundbite_feeds", "Feeds by state", {state: feeds[state] for state in ("ok", "failing", "new", "gone")}
        )


def feed_state(feed: Subscription) -> str:
    """`gone` for good, `failing` at the last poll, `new` where none succeeded yet, else `ok`."""
    if feed.gone:
        return "gone"
    return "failing" if feed.failures else "ok" if feed.last_success else "new"


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _labelled(name: str, text: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=["state"])
    for state, value in values.items():
        family.add_metric([state], value)
    return family


class MetricsMiddleware:
    """Counts and times requests by their route, not by their address, of which there are endlessly many."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_counted)
        finally:
            route = getattr(scope.get("route"), "path", None) or "none"
            self.metrics.requests.labels(route).observe(time.perf_counter() - began)
            self.metrics.answers.labels(route, str(status)).inc()
