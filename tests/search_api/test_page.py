"""The page in a real browser, over the sample podcast: one browser and one server for all of them."""

import json
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode
from html import unescape

import pytest
from websockets.sync.client import connect

from ingest.identity import episode_key
from ingest.models import Episode, Segment, Transcript
from ingest.settings import Settings
from ingest.transcripts.document import turns_from_segments
from search_api.app import create_app
from tests.sample.host import HERE, serve
from tests.search_api.home import HOSTILE, UNTIMED, Client, add, opener, running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--mute-audio",
    "--autoplay-policy=no-user-gesture-required", "--remote-debugging-port=0",
)  # fmt: skip
ASKED = "how do you open a cold call?"


@pytest.fixture(scope="module")
def host():
    with serve() as base:
        yield base


@pytest.fixture(scope="module")
def settings(tmp_path_factory, host):
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    transcripts = []
    for stem, sentences in json.loads((HERE / "times.json").read_text("utf-8")).items():
        segments = tuple(Segment(one["start"], one["end"], one["text"], one["speaker"]) for one in sentences)
        episode = Episode(
            "the-quota-room", stem, stem.replace("-", " ").capitalize(), published="Mon, 19 Oct 2026 06:00:00 GMT",
            link=f"{host}/episodes/{stem}", audio_url=f"{host}/audio/{stem}.mp3",
        )  # fmt: skip
        transcripts.append(Transcript(episode, turns_from_segments(segments), segments))
    add(settings, *transcripts, UNTIMED)
    return settings


@pytest.fixture(scope="module")
def client(settings):
    with Client(create_app(settings, opener)) as client:
        yield client


# -- without a browser


def test_a_hit_shows_its_words_speaker_time_source_and_a_player(client, host):
    page = unescape(client.get("/", params={"q": ASKED}).text)
    assert "<mark>I say my name, and I say that this is a cold call. " in page
    assert '<span class="speaker">Victor</span>' in page
    assert f'<audio controls preload="none" src="{host}/audio/first-calls.mp3#t=' in page
    assert f'href="{host}/episodes/first-calls"' in page
    assert '<time datetime="2026-10-19">19 October 2026</time>' in page
    assert '/transcript.vtt">vtt</a>' in page
    assert "” — Victor, “First calls”, the-quota-room, 19 October 2026, 0:" in page


def test_nothing_said_or_asked_is_taken_for_html(client):
    asked = 'prices "><script>alert(5)</script>'
    for page in (client.get("/", params={"q": asked, "speaker": "", "podcast": "selling-well"}).text,
                 client.get(f"/episodes/{HOSTILE.key}").text,
                 client.get("/", params={"q": asked, "since": "<b>"}).text):  # fmt: skip
        assert "<script>" not in page
        assert "<b>" not in page
        assert "<i>" not in page
        assert "<img" not in page
        assert "javascript:" not in page
        assert "&lt;" in page


def test_without_a_question_there_is_a_box_to_ask_one(client):
    page = client.get("/").text
    assert 'name="q"' in page
    assert "Ask in your own words" in page
    assert client.get("/?q=+").status_code == 200


def test_a_question_without_a_close_match_says_so(client):
    assert "None of these is a close match" in client.get("/?q=submarine+volcano").text
    assert (
        "None of these is a close match"
        not in client.get("/", params={"q": "Victor, how do you open a cold call?", "mode": "text"}).text
    )


def test_a_question_without_hits_says_what_to_try(client):
    page = client.get("/?q=call&speaker=Nobody").text
    assert "Nothing matches" in page
    assert "Take a limit away" in page
    assert '<details class="filters" open>' in page


def test_a_corrected_question_and_what_a_person_should_know_are_said(client):
    assert "Did you mean <b>victor cold call</b>?" in client.get("/?q=vcitor+cold+call").text
    assert "did you mean Victor" in client.get("/?q=call&speaker=Viktor").text
    assert "Did you mean" not in client.get("/?q=open+a+cold+call").text


def test_language_is_a_field_of_the_form_and_narrows(client):
    page = client.get("/?q=call&language=German").text
    assert 'name="language" value="German"' in page
    assert '<details class="filters" open>' in page
    assert "No transcript is in the language" in page


@pytest.mark.parametrize("asked", ["limit=0", "since=yesterday", "mode=magic"])
def test_what_cannot_be_asked_is_explained_and_stays_in_the_form(client, asked):
    answer = client.get(f"/?q=call&{asked}")
    assert answer.status_code == 422
    assert f"<p>{asked.partition('=')[0]}: " in answer.text
    assert 'value="call"' in answer.text


def test_any_last_day_can_be_asked_for(client):
    assert "First calls" in client.get("/?q=call&until=9999-12-31").text


def test_a_home_without_anything_says_how_to_begin(tmp_path):
    with Client(create_app(Settings(home=tmp_path), opener)) as client:
        assert "soundbite add" in client.get("/").text
        answer = client.get("/?q=call")
    assert answer.status_code == 503
    assert "There is nothing to search yet" in answer.text
    assert list(tmp_path.iterdir()) == []


def test_an_episode_that_is_not_here_is_a_page_too(client):
    answer = client.get("/episodes/nobody")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "No such episode here" in answer.text


# -- in a browser


class Tab:
    """One page of a browser, driven through its DevTools protocol (chromedevtools.github.io/devtools-protocol)."""

    def __init__(self, socket):
        self.socket = socket
        self.asked = 0
        self.complaints = []
        for domain in ("Page", "Runtime", "Log"):
            self.do(f"{domain}.enable")

    def do(self, method, **params):
        self.asked += 1
        self.socket.send(json.dumps({"id": self.asked, "method": method, "params": params}))
        while True:
            said = json.loads(self.socket.recv(timeout=30))
            self.listen(said)
            if said.get("id") == self.asked:
                assert "error" not in said, said
                return said["result"]

    def listen(self, said):
        wrong = said.get("method") in {"Runtime.exceptionThrown", "Log.entryAdded"}
        if wrong or (said.get("method") == "Runtime.consoleAPICalled" and said["params"]["type"] == "error"):
            self.complaints.append(said["params"])

    def open(self, address):
        self.complaints.clear()
        self.do("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, expression):
        result = self.do(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, expression, seconds=20):
        end = time.monotonic() + seconds
        while not self.value(expression):
            assert time.monotonic() < end, f"never became true: {expression}"
            time.sleep(0.05)

    def picture(self, path, width, height, scheme="light"):
        self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.do(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        path.write_bytes(b64decode(self.do("Page.captureScreenshot", format="png")["data"]))
        return self.value("document.documentElement.scrollWidth")


@pytest.fixture(scope="module")
def site(settings):
    with running(create_app(settings, opener)) as address:
        yield address


@pytest.fixture(scope="module")
def tab():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            browser = next(line.split()[-1] for line in process.stderr if line.startswith("DevTools listening"))
            with connect(browser) as control:
                control.send(json.dumps({"id": 1, "method": "Target.createTarget", "params": {"url": "about:blank"}}))
                target = next(said for said in map(json.loads, control) if said.get("id") == 1)["result"]["targetId"]
                with connect(f"{browser.partition('/devtools')[0]}/devtools/page/{target}", max_size=None) as socket:
                    yield Tab(socket)
        finally:
            process.terminate()
            process.communicate()


def test_the_page_shows_its_hits_without_a_complaint_from_the_browser(tab, site):
    tab.open(f"{site}/?q=how+do+you+open+a+cold+call")
    assert tab.value("document.querySelectorAll('article.hit').length") >= 3
    assert "cold call" in tab.value("document.querySelector('mark').textContent")
    assert tab.value("getComputedStyle(document.querySelector('blockquote .quote')).fontSize") == "20px"
    assert tab.complaints == []


def test_a_hit_plays_its_moment_from_start_to_end_and_silences_the_others(tab, site):
    tab.open(f"{site}/?q=how+do+you+open+a+cold+call")
    tab.value("""
        [window.one, window.two] = document.querySelectorAll('audio');
        [window.from, window.to] = /#t=([\\d.]+),([\\d.]+)/.exec(one.src).slice(1).map(Number);
        one.play().then(() => { window.began = one.currentTime; })
    """)
    tab.until("window.began !== undefined")
    assert abs(tab.value("began - from")) < 0.5
    tab.value("two.play()")
    assert tab.value("one.paused") is True
    tab.value("one.currentTime = to - 0.4; one.play()")
    tab.until("one.paused")
    tab.until("Math.abs(one.currentTime - from) < 0.5")
    assert tab.value("two.paused") is True
    assert tab.complaints == []


def test_a_citation_can_be_copied(tab, site):
    tab.open(f"{site}/?q=how+do+you+open+a+cold+call")
    tab.do("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    tab.do("Page.bringToFront")
    tab.value("document.querySelector('button.cite').click()")
    tab.until("document.querySelector('button.cite').textContent === 'Copied'")
    copied = tab.value("navigator.clipboard.readText()")
    assert copied == tab.value("document.querySelector('button.cite').dataset.citation")
    assert copied.startswith("“")


def test_an_episode_plays_from_the_time_beside_a_paragraph_and_opens_at_a_time(tab, site):
    key = episode_key("the-quota-room", "first-calls")
    tab.open(f"{site}/episodes/{key}#t=31")
    assert (
        tab.value("document.querySelector('.here').textContent") == "I say my name, and I say that this is a cold call."
    )
    tab.value("document.querySelectorAll('a.time')[1].click()")
    tab.until("!document.querySelector('#player').paused && document.querySelector('#player').currentTime > 16")
    assert tab.complaints == []


def test_hostile_words_do_nothing_in_a_browser(tab, site):
    tab.open(f"{site}/?q=prices&podcast=selling-well")
    assert tab.value("document.querySelector('.source a').textContent") == HOSTILE.title
    assert tab.value("document.title") == "prices · Soundbite"
    assert tab.value("document.querySelectorAll('audio').length") == 0
    assert tab.complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(1000, "light"), (1000, "dark"), (360, "light")])
def test_the_page_fits_its_window(tab, site, tmp_path, width, scheme):
    tab.open(f"{site}/?q=how+do+you+open+a+cold+call&speaker=Victor")
    picture = tmp_path / "page.png"
    assert tab.picture(picture, width, 900, scheme) == width
    assert picture.read_bytes().startswith(b"\x89PNG")
    ground = tab.value("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(251, 249, 245)", "dark": "rgb(25, 23, 21)"}[scheme]
