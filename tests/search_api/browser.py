"""The page in a real browser: a library of the sample podcast and of awkward episodes, and what is asked of it."""

import json
import shutil
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from ingest.identity import episode_key
from ingest.ledger import Ledger
from ingest.models import Chapter, Episode, Segment, Subscription, Transcript, Turn
from ingest.run_history import remember, run_record
from ingest.transcripts.document import turns_from_segments
from tests.sample.host import HERE
from tests.search_api.home import FAILED, HOSTILE, UNTIMED, add, add_failed

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SAMPLE = {stem: said for stem, said in json.loads((HERE / "times.json").read_text("utf-8")).items() if said}
PODCAST, TITLE = "the-quota-room", "The Quota Room"
STEM = min(SAMPLE)
KEY = episode_key(PODCAST, STEM)
CHAPTERED = "keeping-your-best-seller"
CHAPTERED_KEY = episode_key(PODCAST, CHAPTERED)
# Whole seconds, as publishers write them: the second one lies after the start of its first sentence (9.43 s)
CHAPTERS = (
    Chapter(0.0, "Welcome"),
    Chapter(10.0, "Why the best leave", "https://a.example/why"),
    Chapter(36.0, "<b>Quotas</b> & money", "javascript:alert(1)"),
    Chapter(9000.0, "After the end"),
)
VIDEO = Episode(
    "talks",
    "video",
    "A talk to watch",
    link="https://www.youtube.com/watch?v=abc123",
    published="Tue, 4 Mar 2025 09:00:00 GMT",
)
SILENT = Episode(
    "talks",
    "silent",
    "A talk whose audio is gone",
    audio_url="http://127.0.0.1:9/gone.mp3",
    link="https://talks.example/silent",
)
WATCHED = (Segment(61.0, 70.0, "Marzipan melts when the oven is warm. It is eaten cold.", "Nora"),)
LOST = (Segment(5.0, 9.0, "Nutmeg is a strong spice for a winter soup.", "Nora"),)
LONG = Turn(" ".join(f"This is sentence number {n} of a talk that nobody has timed." for n in range(60)), "Nora")
LECTURE = Episode("talks", "lecture", "A long talk without times", link="https://talks.example/lecture")


def question(stem=STEM, most=12):
    """A question that the sample's host asks, and the name of who answers it."""
    said = SAMPLE[stem]
    for asked, answer in pairwise(said):
        if (
            asked["text"].endswith("?")
            and 5 <= len(asked["text"].split()) <= most
            and asked["speaker"] != answer["speaker"]
        ):
            return asked["text"].partition(", ")[2] or asked["text"], answer["speaker"]
    raise LookupError(stem)


ASKED, ANSWERER = question()


def fill(settings, host):
    """The sample with its audio at a host, and episodes that go wrong in their ways."""
    transcripts = []
    for day, (stem, sentences) in enumerate(SAMPLE.items(), 12):
        segments = tuple(Segment(one["start"], one["end"], one["text"], one["speaker"]) for one in sentences)
        suffix = next((HERE / "audio").glob(f"{stem}.*")).suffix
        episode = Episode(
            PODCAST, stem, stem.replace("-", " ").capitalize(), published=f"{day} Oct 2026 06:00:00 GMT",
            link=f"{host}/episodes/{stem}", audio_url=f"{host}/audio/{stem}{suffix}",
            chapters=CHAPTERS if stem == CHAPTERED else (),
        )  # fmt: skip
        transcripts.append(Transcript(episode, turns_from_segments(segments), segments))
    for episode, segments in ((VIDEO, WATCHED), (SILENT, LOST)):
        transcripts.append(Transcript(episode, turns_from_segments(segments), segments))
    add(settings, *transcripts, UNTIMED, Transcript(LECTURE, (LONG,)))
    add_failed(settings, FAILED, "the audio is a web page")
    now = datetime(2026, 10, 20, tzinfo=UTC)
    failures = [(HOSTILE.title, "the audio is <b>a web page</b>")]
    remember(settings.home, run_record(now - timedelta(hours=2), now - timedelta(hours=1), list(SAMPLE), failures, 1))
    remember(settings.home, run_record(now - timedelta(seconds=40), now, [], [], 0))
    Ledger(settings.ledger_place).subscribe(Subscription(PODCAST, f"{host}/feed.xml", TITLE), now)


@contextmanager
def chromium(playwright):
    """A browser of this machine."""
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=["--no-sandbox", "--mute-audio", "--autoplay-policy=no-user-gesture-required", "--hide-scrollbars"],
    )
    try:
        yield browser
    finally:
        browser.close()


def until(tab, true, seconds=10):
    """Wait until an expression is true; Playwright's own way is refused by the page's security policy."""
    end = time.monotonic() + seconds
    while not tab.evaluate(true):
        assert time.monotonic() < end, f"never became true: {true}"
        tab.wait_for_timeout(20)


def hostile(page):
    """What a page would have if words of a feed had been taken for HTML."""
    return page.evaluate(
        "document.title === 'hacked' || document.querySelector('main :is(script, img, iframe, i)') !== null"
        " || [...document.querySelectorAll('[href], [src]')].some((one) => /^javascript:/i.test(one.href || one.src))"
    )


def moved(tab, over):
    """What has moved on a page by more than so many pixels since it was first painted: its start, from where and to where."""
    shifts = """new Promise((done) => { const all = []; new PerformanceObserver((list) => {
        for (const { sources, hadRecentInput } of list.getEntries()) for (const { node, previousRect: was, currentRect: is } of sources)
            if (!hadRecentInput) all.push([(node?.outerHTML || node?.textContent || "").slice(0, 160), was.x, was.y, is.x, is.y, is.width]); })
        .observe({ type: 'layout-shift', buffered: true }); setTimeout(() => done(all), 100); })"""
    found = [(what, (x, y), (to_x, to_y)) for what, x, y, to_x, to_y, width in tab.evaluate(shifts) if width]
    return [one for one in found if max(abs(one[1][0] - one[2][0]), abs(one[1][1] - one[2][1])) > over]
