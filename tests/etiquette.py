"""How a feed reader should behave, as a table that any client can be held against.

A client is a function `poll(url, stored, moment) -> stored`: called whenever its scheduler would wake up, it asks for the
feed if it thinks it should, swallows what goes wrong, and returns whatever it wants to remember (None at first).
`complaints(case, poll)` plays one case on a real server and says in words what was not as it should be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.podcast_host import Asked, PodcastHost, Reply, Route, document, redirect

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
Poll = Callable[[str, Any, datetime], Any]

FEED = f"""<rss version="2.0"><channel><title>Deal Desk</title><item><title>One</title><guid>one</guid>
<pubDate>{format_datetime(START - timedelta(days=1))}</pubDate><enclosure url="/1.mp3" type="audio/mpeg" length="1"/>
</item></channel></rss>""".encode()
DAYS = (0.0, 30.0, 60.0, 90.0)  # hours: far enough apart that every poll is due
OLD = "Sun, 01 Mar 2026 00:00:00 GMT"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One request: its path, headers that must be so, words that headers must hold, headers that must not be there."""

    path: str = "/feed"
    carries: Mapping[str, str] = field(default_factory=dict)
    holds: Mapping[str, str] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """What a host answers, when the client wakes up (hours after `START`), and the requests it may then have made.

    `most` instead of `wanted` only limits how many there are, and wants at least one.
    """

    name: str
    routes: Mapping[str, Route]
    wakes: tuple[float, ...]
    wanted: tuple[Wanted, ...] = ()
    most: int = 0


def said(status: int = 200, **headers: str) -> Reply:
    """A feed, or what is in its place, with headers: `retry_after` is Retry-After."""
    names = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Reply(status, FEED if status == 200 else b"", names)


def conditional(etag: str = "", last_modified: str = "") -> Wanted:
    """A request with exactly these validators."""
    told = {"if-none-match": etag, "if-modified-since": last_modified}
    return Wanted(
        carries={name: value for name, value in told.items() if value},
        lacks=tuple(name for name, value in told.items() if not value),
    )


PLAIN, NEW = conditional(), Wanted("/new")
MOVED = (PLAIN, NEW)
CASES = (
    Case("the first request is unconditional", {"/feed": document(FEED)}, (0.0,), (PLAIN,)),
    *(
        Case(f"the ETag {etag} goes back verbatim", {"/feed": document(FEED, etag=etag)}, DAYS[:2],
             (PLAIN, conditional(etag)))
        for etag in ('"v1"', 'W/"v1"', "unquoted", '"a, b"')
    ),
    Case("Last-Modified goes back verbatim, odd as it may be", {"/feed": document(FEED, last_modified="01 march")},
         DAYS[:2], (PLAIN, conditional(last_modified="01 march"))),
    Case("both validators go back", {"/feed": document(FEED, etag='"v1"', last_modified=OLD)}, DAYS[:2],
         (PLAIN, conditional('"v1"', OLD))),
    Case("a 304 that names no validators keeps those known", {"/feed": [said(etag='"v1"'), Reply(304)]}, DAYS[:3],
         (PLAIN, conditional('"v1"'), conditional('"v1"'))),
    Case("validators that a newer copy lacks are forgotten", {"/feed": [said(etag='"v1"'), said()]}, DAYS[:3],
         (PLAIN, conditional('"v1"'), PLAIN)),
    Case("a failure keeps the validators", {"/feed": [said(etag='"v1"'), Reply(500), Reply(304)]}, DAYS[:3],
         (PLAIN, conditional('"v1"'), conditional('"v1"'))),
    Case("a body that is no feed keeps the validators",
         {"/feed": [said(etag='"v1"'), Reply(200, b"<html>sorry</html>", {"ETag": '"page"'}), Reply(304)]}, DAYS[:3],
         (PLAIN, conditional('"v1"'), conditional('"v1"'))),
    Case("compression is asked for, and feeds before all else", {"/feed": document(FEED)}, (0.0,),
         (Wanted(holds={"accept-encoding": "gzip", "accept": "application/rss+xml", "user-agent": "/"}),)),
    Case("cookies are not kept", {"/feed": said(set_cookie="id=1")}, DAYS[:2], (PLAIN, Wanted(lacks=("cookie",)))),
    Case("a feed is asked at most once an hour", {"/feed": document(FEED, etag='"v1"')},
         tuple(number / 6 for number in range(7)), most=2),
    *(
        Case(f"{status} is followed and never believed", {"/feed": redirect(status, "/new"), "/new": document(FEED)},
             DAYS, MOVED * 4)
        for status in (302, 303, 307)
    ),
    *(
        Case(f"{status} is followed at once and believed once it lasts",
             {"/feed": redirect(status, "/new"), "/new": document(FEED)}, DAYS, (*MOVED * 3, NEW))
        for status in (301, 308)
    ),
    Case("301 that is taken back is forgotten",
         {"/feed": [redirect(301, "/new"), redirect(301, "/new"), said(), redirect(301, "/new")],
          "/new": document(FEED)}, DAYS, (*MOVED * 2, PLAIN, *MOVED)),
    Case("301 behind 302 is not believed",
         {"/feed": redirect(302, "/between"), "/between": redirect(301, "/new"), "/new": document(FEED)}, DAYS,
         (PLAIN, Wanted("/between"), NEW) * 4),
    Case("410 ends the polling", {"/feed": Reply(410)}, (0.0, 30.0, 5000.0), (PLAIN,)),
    *(
        Case(f"{status} is asked again less and less often", {"/feed": Reply(status)},
             tuple(number / 2 for number in range(48)), most=4)
        for status in (403, 404, 500)
    ),
    Case("404 is never given up", {"/feed": Reply(404)}, (*DAYS, 5000.0), (PLAIN,) * 5),
    *(
        Case(f"Retry-After ({form}) is waited for with {status}", {"/feed": [said(status, retry_after=value), said()]},
             (0.0, 5.0, 12.0), (PLAIN, PLAIN))
        for status in (200, 429, 503)
        for form, value in (("seconds", "36000"),
                            ("date", format_datetime(START + timedelta(hours=10), usegmt=True)))
    ),
    Case("max-age is waited for", {"/feed": said(cache_control="public, max-age=36000")}, (0.0, 5.0, 12.0),
         (PLAIN, PLAIN)),
    Case("Expires is waited for",
         {"/feed": said(date=format_datetime(START, usegmt=True),
                        expires=format_datetime(START + timedelta(hours=10), usegmt=True))},
         (0.0, 5.0, 12.0), (PLAIN, PLAIN)),
    Case("a circle of redirects ends soon", {"/feed": redirect(302, "/new"), "/new": redirect(302, "/feed")}, (0.0,),
         most=20),
)  # fmt: skip


def complaints(case: Case, poll: Poll) -> list[str]:
    """What the client did otherwise than the case wants; empty where it behaved."""
    with PodcastHost() as host:
        for path, route in case.routes.items():
            host.serve(path, route)
        stored = None
        for hours in case.wakes:
            stored = poll(host.url("/feed"), stored, START + timedelta(hours=hours))
        asked = list(host.requests)
    if case.most:
        return [] if 1 <= len(asked) <= case.most else [f"{len(asked)} requests instead of 1 to {case.most}"]
    paths, wanted = [one.path for one in asked], [one.path for one in case.wanted]
    if paths != wanted:
        return [f"asked for {paths} instead of {wanted}"]
    return [found for one, want in zip(asked, case.wanted, strict=True) for found in _differences(one, want)]


def _differences(asked: Asked, wanted: Wanted) -> list[str]:
    sent = asked.headers
    wrong = [
        f"{name}: {sent.get(name)!r}, not {value!r}"
        for name, value in wanted.carries.items()
        if sent.get(name) != value
    ]
    wrong += [f"{name} lacks {word!r}" for name, word in wanted.holds.items() if word not in sent.get(name, "")]
    return wrong + [f"{name} was sent" for name in wanted.lacks if name in sent]
