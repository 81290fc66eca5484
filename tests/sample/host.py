"""A real web server on the loopback for the sample podcast: ranges, ETag, Last-Modified and 304, as hosts do it.

    python -m tests.sample.host [--port 8731]

Links that the demo prints play while it runs.
"""

import argparse
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, NoReturn
from urllib.parse import urlsplit

HERE = Path(__file__).parent
PORT = 8731  # fixed, so that a second demo finds the same feed under the same address
TYPES = {
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".srt": "application/x-subrip",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
}
CARDS = b"Too expensive. No time. No need. We have one already. Call me next quarter.\n"


@dataclass(frozen=True, slots=True)
class Page:
    """One thing the host serves; `modified` is aware, UTC, whole seconds."""

    body: bytes
    type: str
    modified: datetime

    @property
    def etag(self) -> str:
        """A strong validator: the hash of the body."""
        return f'"{sha256(self.body).hexdigest()[:20]}"'


def audio_files() -> list[Path]:
    """The episodes' audio, in whichever format was committed."""
    return sorted((HERE / "audio").iterdir())


def fill_feed(base: str) -> bytes:
    """The feed with the host's URL and what depends on the audio format filled in."""
    files = audio_files()
    text = (HERE / "feed.xml").read_text(encoding="utf-8")
    text = text.replace("{base}", base).replace("{ext}", files[0].suffix[1:]).replace("{type}", TYPES[files[0].suffix])
    for file in files:
        text = text.replace(f"{{bytes:{file.stem}}}", str(file.stat().st_size))
    return text.encode()


def episode_page(audio: Path) -> bytes:
    """A bare page where an episode's link leads."""
    title = escape(audio.stem.replace("-", " "))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>'
        f'<audio controls src="/audio/{audio.name}"></audio><p><a href="/">The Quota Room</a></p></html>\n'
    ).encode()


def pages(base: str) -> dict[str, Page]:
    """Everything the host serves, by path; nothing else can be reached."""
    files = {f"/{folder}/{f.name}": f for folder in ("audio", "transcripts") for f in (HERE / folder).iterdir()}
    files["/cover.svg"] = HERE / "cover.svg"
    served = {path: Page(f.read_bytes(), TYPES[f.suffix], changed(f)) for path, f in files.items()}
    for audio in audio_files():
        page = Page(episode_page(audio), "text/html; charset=utf-8", changed(audio))
        served[f"/episodes/{audio.stem}"] = page
    feed = HERE / "feed.xml"
    home = "".join(f'<li><a href="/episodes/{f.stem}">{f.stem}</a></li>' for f in audio_files())
    served["/feed.xml"] = Page(fill_feed(base), "application/rss+xml; charset=utf-8", changed(feed))
    served["/cards.txt"] = Page(CARDS, TYPES[".txt"], changed(feed))
    served["/"] = Page(f"<!doctype html><ul>{home}</ul>\n".encode(), "text/html; charset=utf-8", changed(feed))
    return served


def changed(path: Path) -> datetime:
    """When the file last changed, in whole seconds, as HTTP dates have it."""
    return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte asked for; None where the header is not one plain range and is to be ignored (RFC 9110, 14.2).

    Raises `IndexError` where the range lies outside the body.
    """
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip())
    if not match or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        first, last = str(max(0, size - int(last))), ""
    start, end = int(first), min(int(last or size - 1), size - 1)
    if last and int(last) < start:
        return None
    if start >= size:
        raise IndexError(header)
    return start, end


class Host(BaseHTTPRequestHandler):
    """Answers GET and HEAD; says nothing on the terminal."""

    protocol_version = "HTTP/1.1"
    served: ClassVar[dict[str, Page]] = {}

    def do_GET(self) -> None:
        """The page, a part of it, 304, 404 or 416."""
        page = self.served.get(urlsplit(self.path).path)
        if page is None:
            self.answer(404, b"There is no such page.\n", {"Content-Type": TYPES[".txt"]})
            return
        headers = {"ETag": page.etag, "Last-Modified": format_datetime(page.modified, usegmt=True)}
        if self.unchanged(page):
            self.answer(304, b"", headers)
            return
        headers |= {"Content-Type": page.type, "Accept-Ranges": "bytes", "Access-Control-Allow-Origin": "*"}
        size = len(page.body)
        try:
            part = self.part(page)
        except IndexError:
            self.answer(416, b"", {"Content-Range": f"bytes */{size}"})
            return
        if part is None:
            self.answer(200, page.body, headers)
        else:
            start, end = part
            headers["Content-Range"] = f"bytes {start}-{end}/{size}"
            self.answer(206, page.body[start : end + 1], headers)

    do_HEAD = do_GET  # noqa: N815  (the base class names it)

    def unchanged(self, page: Page) -> bool:
        """Whether the client has this page already; If-None-Match outranks the date (RFC 9110, 13.2.2)."""
        if tags := self.headers.get("If-None-Match"):
            return tags.strip() == "*" or page.etag in (tag.strip().removeprefix("W/") for tag in tags.split(","))
        try:
            return parsedate_to_datetime(self.headers.get("If-Modified-Since", "")) >= page.modified
        except (ValueError, TypeError):
            return False

    def part(self, page: Page) -> tuple[int, int] | None:
        """The range to send, None for the whole; If-Range with another validator asks for the whole."""
        if self.command != "GET" or self.headers.get("If-Range", page.etag) != page.etag:
            return None
        return byte_range(self.headers.get("Range", ""), len(page.body))

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Send the status, the headers and, except for HEAD, the body."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it)
        """Say nothing: the demo's own words should stand alone."""


class Server(ThreadingHTTPServer):
    """One thread a request; a player that hangs up in the middle is no error."""

    daemon_threads = True

    def handle_error(self, request, client_address) -> None:
        """Say nothing of players that hang up, which they do whenever the listener seeks."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def start(port: int) -> Server:
    """Bind, fill in the pages, and return the server, not yet serving; port 0 takes any free one.

    Raises `OSError` where the port is taken.
    """
    handler = type("SampleHost", (Host,), {})
    server = Server(("127.0.0.1", port), handler)
    handler.served = pages(address(server))
    return server


def address(server: Server) -> str:
    """The base URL, without a slash at the end."""
    return f"http://127.0.0.1:{server.server_address[1]}"


@contextmanager
def serve(port: int = 0) -> Iterator[str]:
    """Serve the sample podcast while the block runs; gives the base URL. Raises `OSError` where the port is taken."""
    server = start(port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield address(server)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def port_taken(port: int) -> NoReturn:
    """Leave with the one line that says what to do."""
    raise SystemExit(f"Port {port} of 127.0.0.1 is taken: stop what runs there, or choose another with --port.")


def main() -> None:
    """Serve in the foreground until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=PORT, help="default: %(default)s")
    port = parser.parse_args().port
    try:
        server = start(port)
    except OSError:
        port_taken(port)
    print(f"The Quota Room is at {address(server)}/feed.xml (Ctrl-C stops it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()


if __name__ == "__main__":
    main()
