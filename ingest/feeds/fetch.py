"""Fetches feeds: one conditional GET, and the host's wishes for the next one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ingest.errors import FetchError
from ingest.feeds import opt_out
from ingest.web import client as web
from ingest.web.credentials import NO_CREDENTIALS, NO_HEADERS, Credentials, without_userinfo
from ingest.web.headers import freshness, retry_after

ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
REFUSED = {
    401: "asks for a password (401); give it with `soundbite add URL --auth USER:PASSWORD`",
    403: "refuses us (403); the publisher may not like our User-Agent",
    404: "is not there (404); look for the podcast's new feed address",
    410: "is gone for good (410); it is not asked for again",
    429: "asks us to come less often (429); it is tried again later",
}


@dataclass(frozen=True, slots=True)
class Validators:
    """What the host said of the copy we have, verbatim: sent back with the next request."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to one request for a feed; `body` is None where the feed has not changed (304).

    `url` is where the answer came from, `permanent_url` how far permanent redirects alone led (empty: nowhere).
    `retry_after` and `max_age` are the seconds for which the host wants no request, None where it says nothing.
    `opted_out` is how the headers say that no AI shall use what the feed names.
    """

    body: bytes | None
    url: str
    permanent_url: str = ""
    content_type: str = ""
    validators: Validators = Validators()
    retry_after: float | None = None
    max_age: float | None = None
    opted_out: str = ""


def fetch(
    client: web.Client,
    url: str,
    validators: Validators = Validators(),
    *,
    now: datetime,
    headers: Mapping[str, str] = NO_HEADERS,
    credentials: Credentials = NO_CREDENTIALS,
) -> Fetched:
    """Ask once for a feed, conditionally where there are validators; `headers` override ours for this feed.

    Raises FetchError with `status` and `retry_after` (seconds) for any status but 200 and 304.
    """
    request = {"accept": ACCEPT} | {name.lower(): value for name, value in headers.items()}
    if validators.etag:
        request["if-none-match"] = validators.etag
    if validators.last_modified:
        request["if-modified-since"] = validators.last_modified
    answer = web.fetch(client, url, headers=request, credentials=credentials)
    wait = retry_after(answer.headers.get("retry-after", ""), now)
    unchanged = answer.status == 304 and validators != Validators()
    if answer.status != 200 and not unchanged:
        reason = REFUSED.get(answer.status, f"answered with HTTP status {answer.status}; it is tried again later")
        raise FetchError(without_userinfo(url), reason, answer.status, wait)
    etag, modified = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
    known = validators if unchanged else Validators()
    return Fetched(
        body=None if unchanged else answer.body,
        url=answer.url,
        permanent_url=answer.permanent_url,
        content_type=answer.headers.get("content-type", ""),
        validators=Validators(etag or known.etag, modified or known.last_modified),
        retry_after=wait,
        max_age=freshness(answer.headers, now),
        opted_out=opt_out.by_headers(answer.headers),
    )
