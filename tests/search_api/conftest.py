import pytest

from ingest.settings import Settings
from search_api.app import create_app
from tests.sample.host import serve
from tests.search_api.browser import CHROMIUM, chromium, fill
from tests.search_api.home import FAILED, TIMED, UNTIMED, Client, add, add_failed, opener, running


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    add(settings, TIMED, UNTIMED)
    add_failed(settings, FAILED, "the audio is a web page")
    return settings


@pytest.fixture(scope="module")
def client(settings):
    with Client(create_app(settings, opener), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def own(tmp_path):
    """Settings of a home that a test may change."""
    return Settings(home=tmp_path / "own")


# -- one library, one server and one browser for all tests of the page; no longer, since the browser's event loop is that of this thread


@pytest.fixture(scope="package")
def sample_audio():
    with serve() as base:
        yield base


@pytest.fixture(scope="package")
def page_settings(tmp_path_factory, sample_audio):
    settings = Settings(home=tmp_path_factory.mktemp("page"))
    fill(settings, sample_audio)
    return settings


@pytest.fixture(scope="package")
def site(page_settings):
    with running(create_app(page_settings, opener)) as address:
        yield address


@pytest.fixture(scope="package")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with sync_api.sync_playwright() as playwright, chromium(playwright) as browser:
        yield browser


@pytest.fixture
def tab(browser, site):
    """A fresh page at 1,000 by 800; at the end the browser must have had nothing to complain of, and met no other host."""
    context = browser.new_context(base_url=site, viewport={"width": 1000, "height": 800}, reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.complaints, page.hosts = [], set()
    page.on("console", lambda said: page.complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on(
        "request",
        lambda asked: page.hosts.add("/".join(asked.url.split("/")[:3])) if not asked.url.startswith("blob:") else None,
    )
    try:
        yield page
        assert page.complaints == []
    finally:
        context.close()
