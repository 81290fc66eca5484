"""Tells a webhook what failed in a run; off unless SOUNDBITE_NOTIFY_URL names one."""

import json
import logging
from http.client import HTTPException
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from flows.report import RunReport

TIMEOUT = 10.0  # seconds; a run does not wait longer for whoever is told
MAX_NAMED = 20  # failures that are told one by one

logger = logging.getLogger(__name__)


def message(report: RunReport) -> dict[str, object]:
    """What is sent: `text`, which chat programs show, and the same as data."""
    failed = [f"{subject}: {reason}" for subject, reason in report.failed]
    more = [f"and {len(failed) - MAX_NAMED} more"] if len(failed) > MAX_NAMED else []
    text = "\n".join([f"Soundbite: {report.summary()}", *failed[:MAX_NAMED], *more])
    return {"text": text, "new": len(report.new), "failed": len(failed), "pending": report.pending}


def tell_failures(url: str, report: RunReport) -> None:
    """POST a run's failures as JSON; nothing where there are none. What goes wrong with that is logged, not raised."""
    if not url or not report.failed:
        return
    request = Request(  # noqa: S310 - http and https alone, see the settings
        url, json.dumps(message(report)).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urlopen(request, timeout=TIMEOUT):  # noqa: S310
            pass
    except (OSError, URLError, HTTPException) as error:
        logger.warning("%s was not told what failed: %s", urlsplit(url).hostname, error)
