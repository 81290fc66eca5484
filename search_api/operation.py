"""What all operations under `/v1` have in common: they refuse parameters that they do not know, and send nothing twice."""

import re
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from difflib import get_close_matches
from hashlib import sha256
from typing import Any, get_args, get_origin

from fastapi import Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.params import Query
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from search_api.methods import byte_range

_TOOK = re.compile(rb'"took_ms":[\d.e-]+')  # inside a JSON string its quotes would be escaped


class KnownParametersRoute(APIRoute):
    """Refuses unknown and repeated parameters, and answers 304 to a client that has the answer (RFC 9110, 13.1.2)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler around FastAPI's own."""
        handle = super().get_route_handler()
        fields = [field for field in get_flat_params(self.dependant) if isinstance(field.field_info, Query)]
        names = {field.alias: is_list(field.field_info.annotation) for field in fields}

        async def handle_with_tag(request: Request) -> Response:
            if faults := parameter_faults((name for name, _ in request.query_params.multi_items()), names):
                raise RequestValidationError(faults)
            if request.method != "GET":
                return await handle(request)
            response = await handle(request)
            if isinstance(response, StreamingResponse):
                return response
            response = revalidated(response, request.headers.get("if-none-match", ""))
            return ranged(response, request.headers.get("range", ""), request.headers.get("if-range", ""))

        return handle_with_tag


def is_list(annotation: Any) -> bool:
    """Whether a parameter takes several values, so that it may be repeated."""
    return list in {get_origin(one) for one in (annotation, *get_args(annotation))}


def parameter_faults(given: Iterable[str], known: Mapping[str, bool]) -> list[dict[str, Any]]:
    """What is wrong with the names of a query string, in the form of pydantic's errors.

    `known` says of each parameter whether it may be repeated.
    """
    faults = []
    for name, times in Counter(given).items():
        shown = name[:40]
        if name not in known:
            near = get_close_matches(shown, known, 1)
            hint = (
                f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}" if known else "there are none"
            )
            faults.append({"type": "unknown", "loc": ("query", shown), "msg": f"is no parameter here; {hint}"})
        elif times > 1 and not known[name]:
            faults.append({"type": "repeated", "loc": ("query", shown), "msg": f"is given {times} times; give it once"})
    return faults


def revalidated(response: Response, held: str) -> Response:
    """The response with a tag of its body, or 304 where `held` (If-None-Match) has that tag.

    Two answers that differ in the time they took alone have one tag, which is weak for that.
    """
    body, timed = _TOOK.subn(b"", bytes(response.body), count=1)
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    # A transcript may be corrected at any time: caches keep it and ask each time.
    response.headers.update({"ETag": f"W/{tag}" if timed else tag, "Cache-Control": "no-cache"})
    if {part.strip().removeprefix("W/") for part in held.split(",")}.isdisjoint({tag, "*"}):
        return response
    headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
    return Response(status_code=304, headers=headers)


def ranged(response: Response, wanted: str, known: str) -> Response:
    """The part of the response that `wanted` (Range) names, unless `known` (If-Range) is not its tag.

    Raises `HTTPException` (416) where there is no such part.
    """
    tag = response.headers["etag"]
    if response.status_code != 200 or tag.startswith("W/"):
        return response
    response.headers["Accept-Ranges"] = "bytes"
    if not wanted or known not in {"", tag}:
        return response
    body = bytes(response.body)
    try:
        part = byte_range(wanted, len(body))
    except ValueError as error:
        raise HTTPException(416, headers={"Content-Range": f"bytes */{len(body)}"}) from error
    if part is None:
        return response
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    headers["Content-Range"] = f"bytes {part[0]}-{part[1] - 1}/{len(body)}"
    return Response(body[slice(*part)], 206, headers)
