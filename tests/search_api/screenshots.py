"""Take the pictures of the page that are looked at before a release; two of them stand in the README.

    python -m tests.search_api.screenshots FOLDER          all of them
    python -m tests.search_api.screenshots --readme        those of the README, anew: after the sample has changed

Needs a Chromium; the sample podcast is served and indexed with the real embedding model while it runs.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from index.build import update
from index.open import open_embedder, open_searcher
from index.store.lance import Store
from ingest.library import Library
from ingest.settings import Settings
from search_api.app import create_app
from tests.sample import host
from tests.search_api.browser import ASKED, CHAPTERED_KEY, KEY, LECTURE, SAMPLE, STEM, chromium, fill
from tests.search_api.home import running

README = {"search.png": "answers", "episode.png": "playing"}
PLAY = "document.querySelector('a.play[data-audio]').click()"
PLAY_SENTENCE = "document.querySelectorAll('.transcript [id^=\"t=\"]')[4].click()"
LISTS = "localStorage.setItem('soundbite.collections', JSON.stringify([{name: 'For the team meeting', moments: [...document.querySelectorAll('.hit')].slice(0, 2).map((hit) => ({...JSON.parse(hit.dataset.moment), note: ''}))}])); location.assign('/collections')"
# Name: address, width, height, colour scheme, what is done there
STATES = {
    "home": ("/", 1000, 760, "light", ""),
    "home-dark": ("/", 1000, 760, "dark", ""),
    "answers": (f"/?q={ASKED}", 1000, 760, "light", PLAY),
    "answers-dark": (f"/?q={ASKED}", 1000, 760, "dark", PLAY),
    "answers-360": (f"/?q={ASKED}", 360, 740, "light", PLAY),
    "copy": (f"/?q={ASKED}", 1000, 760, "light", "document.querySelector('.menu').open = true"),
    "collect": (f"/?q={ASKED}", 1000, 760, "light", "document.querySelector('[data-collect]').click()"),
    "filters": (f"/?q={ASKED}&speaker=Nobody", 1000, 760, "light", "document.querySelector('.filters').open = true"),
    "weak": ("/?q=submarine+volcano", 1000, 760, "light", ""),
    "playing": (f"/episodes/{KEY}", 1000, 760, "light", PLAY_SENTENCE),
    "playing-dark": (f"/episodes/{KEY}", 1000, 760, "dark", PLAY_SENTENCE),
    "playing-320": (f"/episodes/{KEY}#t={SAMPLE[STEM][8]['start']:.2f}", 320, 640, "light", ""),
    "chapters": (f"/episodes/{CHAPTERED_KEY}", 1000, 1100, "light", ""),
    "chapters-320": (f"/episodes/{CHAPTERED_KEY}", 320, 900, "dark", ""),
    "untimed": (f"/episodes/{LECTURE.key}", 1000, 760, "light", ""),
    "podcasts": ("/podcasts", 1000, 600, "light", ""),
    "episodes": ("/episodes", 1000, 760, "light", ""),
    "collections": (f"/?q={ASKED}", 1000, 760, "light", LISTS),
    "operations": ("/operations", 1000, 900, "light", ""),
    "missing": ("/episodes/nobody", 1000, 500, "light", ""),
}


def take(browser, site, name, path):
    """One picture."""
    address, width, height, scheme, done = STATES[name]
    page = browser.new_page(base_url=site, viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(address)
    if done:
        page.evaluate(done)
    page.wait_for_timeout(1200)  # so that something has played
    page.screenshot(path=path)
    page.close()


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--readme", action="store_true")
    given = parser.parse_args()
    if not given.folder and not given.readme:
        parser.error("give a folder, or --readme")
    wanted = {given.folder / f"{name}.png": name for name in STATES} if given.folder else {}
    wanted |= {host.HERE / file: name for file, name in README.items()} if given.readme else {}
    with tempfile.TemporaryDirectory() as home, host.serve() as base, sync_playwright() as playwright:
        settings = Settings(home=Path(home))
        fill(settings, base)
        update(Library(settings.library_dir), Store(settings.index_dir), open_embedder(settings), rebuild=True)
        with running(create_app(settings, open_searcher)) as site, chromium(playwright) as browser:
            for path, name in wanted.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                take(browser, site, name, path)
                print(f"{path} ({path.stat().st_size // 1000} kB)", file=sys.stderr)


if __name__ == "__main__":
    main()
