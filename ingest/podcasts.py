"""Which podcasts there are: those subscribed to, and those the library has transcripts of."""

from difflib import get_close_matches

from ingest.errors import PodcastNotFoundError
from ingest.identity import slug
from ingest.ledger import Ledger, unless_damaged
from ingest.library import Library
from ingest.models import Subscription

SHOWN = 10  # names in a message; a library of hundreds would fill the screen


def check_podcast(ledger: Ledger, library: Library, name: str) -> None:
    """Raises `PodcastNotFoundError`, with the nearest names there are, where no podcast has this name or slug; blank is none."""
    if not name.strip():
        return
    nothing: list[Subscription] = []
    feeds = unless_damaged(ledger.feeds, nothing)
    known = sorted({*(feed.podcast for feed in feeds), *library.podcasts()})
    if slug(name) in known:
        return
    near = get_close_matches(slug(name), known, 3)
    there = (
        f"did you mean {' or '.join(near)}?"
        if near
        else f"known: {_some(known)}"
        if known
        else "none yet; `soundbite add URL` adds one"
    )
    raise PodcastNotFoundError(name[:60], f"no such podcast here ({there})")


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
