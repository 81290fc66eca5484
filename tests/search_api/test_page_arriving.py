"""A page that arrives in pieces, as over a slow line: what has been painted stays where it is."""

import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.request import Request, urlopen

import pytest

from tests.search_api.test_page_craft import PAGES

PIECE, PAUSE = 400, 0.02  # bytes, seconds: longer than a frame, so that every piece is painted
MOVED = """new Promise((done) => { const all = []; new PerformanceObserver((list) => {
    for (const one of list.getEntries()) all.push([one.value, one.sources.map(({ node, previousRect: was, currentRect: is }) =>
        [(node?.nodeType === 1 ? node : node?.parentElement)?.outerHTML.slice(0, 160), [was.x, was.y, was.width], [is.x, is.y, is.width]])]); })
    .observe({ type: 'layout-shift', buffered: true }); setTimeout(() => done(all), 100); })"""


@contextmanager
def slowly(site):
    """The site, its pages handed on in pieces."""

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self):
            with urlopen(Request(site + self.path, headers={"Accept": self.headers["Accept"] or "*/*"})) as answer:
                body = answer.read()
                self.send_response(answer.status)
                for name in ("Content-Type", "Content-Security-Policy"):
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.end_headers()
            html = answer.headers.get_content_type() == "text/html"
            step = PIECE if html else len(body)
            for begin in range(0, len(body), step):
                self.wfile.write(body[begin : begin + step])
                time.sleep(PAUSE if html else 0)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def slow(site):
    with slowly(site) as address:
        yield address


@pytest.mark.parametrize("width", [1000, 390])
@pytest.mark.parametrize(
    "name",
    ["home", "answers", "episode", "untimed", "video", "episodes", "podcasts", "collections", "operations", "docs"],
)
def test_nothing_moves_while_a_page_arrives(tab, slow, name, width):
    tab.set_viewport_size({"width": width, "height": 800})
    tab.goto(slow + PAGES[name])

    assert tab.evaluate(MOVED) == []
