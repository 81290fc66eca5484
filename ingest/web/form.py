"""Requests to a service that the user has named in a setting: any address, no redirects, errors in plain words."""

from collections.abc import Mapping
from typing import Any

import httpx2

from ingest.errors import FetchError
from ingest.web.client import Response

CONNECT_SECONDS = 10.0


def ask(
    url: str,
    *,
    key: str = "",
    timeout: float,
    fields: Mapping[str, Any] | None = None,
    files: Mapping[str, tuple[str, bytes, str]] | None = None,
) -> Response:
    """POST a form with files, or GET where there are none; the answer, whatever its status.

    `key` is sent as a bearer token, `files` are (name, content, type), `timeout` is in seconds without progress. Raises
    FetchError where there is no answer.
    """
    try:
        answer = httpx2.request(
            "POST" if files else "GET",
            url,
            data=fields,
            files=files,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx2.Timeout(timeout, connect=CONNECT_SECONDS),
            trust_env=False,  # a proxy of the environment is not for a service on one's own network
        )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise FetchError(url, f"did not answer ({' '.join(str(error).split()) or type(error).__name__})") from error
    return Response(answer.status_code, answer.headers, url, body=answer.content)
