"""The command `add`: one feed by its address or a page's, or all feeds of an OPML file."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import settings_of
from flows.context import open_web
from flows.progress import reporting, say
from ingest.errors import BlockedAddressError, FeedError, FetchError, SoundbiteError
from ingest.feeds import opt_out
from ingest.feeds.addresses import read_address
from ingest.feeds.fetch import Fetched, fetch
from ingest.feeds.poll import free_name, subscribe
from ingest.feeds.reading import read_feed, refiled, user_agent_header, with_older_pages
from ingest.ledger import Ledger
from ingest.models import Feed, Subscription
from ingest.settings import Settings
from ingest.times import now
from ingest.web.client import Client
from ingest.web.credentials import Credentials, plain_basic, read_header, without_userinfo

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants for one feed; `headers` are secret."""

    podcast: str = ""
    user_agent: str = ""
    language: str = ""
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return bool(self.podcast or self.user_agent or self.language or self.headers)


@app.command()
def add(  # noqa: PLR0917 - Typer passes them by name
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(help="A feed's URL, a page that names one, or an OPML file exported from a podcast app.")
    ],
    podcast: Annotated[str, typer.Option(help="The short name to file it under; made from the title.")] = "",
    user_agent: Annotated[
        str, typer.Option(help="The User-Agent for this feed, where its host refuses ours.", show_default=False)
    ] = "",
    language: Annotated[
        str, typer.Option(help="What is spoken, as en or de; else it is detected in each episode.", show_default=False)
    ] = "",
    auth: Annotated[
        str, typer.Option(metavar="USER:PASSWORD", help="For a private feed: sent to its own host and nowhere else.")
    ] = "",
    header: Annotated[
        list[str] | None,
        typer.Option(metavar='"NAME: VALUE"', help="Another header that lets us in, sent likewise; may be repeated."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option(help="Only say what an OPML file would add; nothing is asked or kept.")
    ] = False,
) -> None:
    """Subscribe to a podcast. The feed is read once to see that it is one; `soundbite run` does the work."""
    settings = settings_of(context)
    wishes = Wishes(podcast, user_agent, language, _headers(auth, header or []))
    file = Path(source).expanduser()
    if _is_file(file):
        if wishes:
            raise typer.BadParameter("options other than --dry-run are for one feed; an OPML file holds many")
        _subscribe_all(settings, file, dry_run=dry_run)
        return
    if dry_run:
        raise typer.BadParameter("--dry-run is for an OPML file; `soundbite inspect URL` shows what a feed holds")
    with open_web(settings) as client:
        _subscribe(settings, client, source, wishes)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # longer than a name may be, or a null character
        return False


def _headers(auth: str, lines: list[str]) -> dict[str, str]:
    """What --auth and --header ask to send. A mistake is said without repeating what is secret."""
    if auth and ":" not in auth:
        raise typer.BadParameter("--auth takes USER:PASSWORD, with a colon between them")
    try:
        return {**(plain_basic(auth) if auth else {}), **dict(read_header(line) for line in lines)}
    except ValueError as error:
        raise typer.BadParameter(f"--header {error}") from None


def _subscribe_all(settings: Settings, file: Path, *, dry_run: bool) -> None:
    """Every feed of an OPML file; what could not be added is said, and ends with 1."""
    from ingest.feeds.opml import read_feed_list

    listed = read_feed_list(file.read_bytes(), file.name)
    for warning in listed.warnings:
        say(f"{file.name}: {warning}")
    if not listed.feeds:
        raise FeedError(file.name, "lists no feeds that can be subscribed to")
    if dry_run:
        _preview(Ledger(settings.ledger_place), listed.feeds)
        return
    failed = 0
    with open_web(settings) as client, reporting() as reporter:
        for _, url in listed.feeds:
            try:
                with reporter.step(without_userinfo(url)):
                    _subscribe(settings, client, url)
            except SoundbiteError as error:
                say(f"soundbite: {error}")
                failed += 1
    say(f"{len(listed.feeds) - failed} of {len(listed.feeds)} feeds are subscribed to")
    if failed:
        raise typer.Exit(1)


def _preview(ledger: Ledger, listed: list[tuple[str, str]]) -> None:
    fresh = 0
    for title, url in listed:
        known, shown = ledger.find_by_url(url), without_userinfo(url)
        fresh += not known
        typer.echo(f"already    {known.podcast}: {shown}" if known else f"would add  {title or '-'}: {shown}")
    typer.echo(f"{fresh} of {len(listed)} feeds would be added")


def _subscribe(settings: Settings, client: Client, source: str, wishes: Wishes = Wishes()) -> None:
    urls = read_address(source)
    if not urls:
        shown = without_userinfo(source.strip())
        raise FeedError(shown, "is neither a file here nor a web address; one looks like https://example.org/feed.xml")
    ledger = Ledger(settings.ledger_place)
    for url in urls:
        if known := ledger.find_by_url(url):
            _already(ledger, known, url, wishes)
            return
    feed, fetched, credentials = _first_that_answers(client, urls, wishes)
    if known := ledger.find_by_url(fetched.permanent_url):  # this address has moved there for good
        _already(ledger, known, known.url, wishes)
        return
    if not wishes.podcast and not ledger.find_by_url(feed.url):
        feed = refiled(feed, free_name(ledger, feed.podcast))
    if not subscribe(ledger, feed, fetched, now(), credentials):
        known = ledger.find_by_url(feed.url)
        assert known
        _already(ledger, known, feed.url, wishes)
        return
    ledger.set_overrides(feed.podcast, user_agent=wishes.user_agent, language=wishes.language)
    for warning in feed.warnings:
        say(f"{feed.podcast}: {warning}")
    if feed.opted_out and settings.respect_opt_out:
        say(f"{feed.podcast}: {opt_out.told(feed.opted_out)}")
    typer.echo(f"Added {feed.podcast}: {feed.title} ({len(feed.episodes)} episodes). Next: soundbite run --latest 1")


def _first_that_answers(client: Client, urls: list[str], wishes: Wishes) -> tuple[Feed, Fetched, Credentials]:
    """The feed at the first address where a host answers, with its older pages, and what let us in there."""
    first: FetchError | None = None
    for url in urls:
        credentials = Credentials.for_url(url, wishes.headers)
        try:
            feed, fetched = _read(client, url, wishes, credentials)
        except BlockedAddressError:
            raise
        except FetchError as error:
            if error.status is not None:
                raise
            first = first or error
        else:
            return feed, fetched, credentials
    assert first
    raise first


def _read(client: Client, url: str, wishes: Wishes, credentials: Credentials) -> tuple[Feed, Fetched]:
    moment, agent = now(), wishes.user_agent
    feed, fetched = read_feed(client, url, wishes.podcast, now=moment, user_agent=agent, credentials=credentials)
    known = feed.credentials.under(credentials)

    def ask(there: str) -> Fetched:
        return fetch(client, there, now=moment, headers=user_agent_header(agent), credentials=known)

    return with_older_pages(feed, ask), fetched


def _already(ledger: Ledger, known: Subscription, url: str, wishes: Wishes) -> None:
    """A feed that is subscribed to takes new wishes; a secret among them is not repeated."""
    ledger.set_overrides(known.podcast, user_agent=wishes.user_agent, language=wishes.language)
    credentials = Credentials.for_url(url, wishes.headers)
    ledger.set_credentials(known.podcast, credentials)
    changed = [wishes.user_agent, wishes.language, "these credentials" if credentials else ""]
    if any(changed):
        typer.echo(f"{known.podcast} is subscribed to already; from now on with {' and '.join(filter(None, changed))}")
        return
    # It has moved, or this is another way to write it
    other = "" if known.url == without_userinfo(url) else f" at {known.url}"
    typer.echo(f"{known.podcast} is subscribed to already{other}; `soundbite run` fetches what is new")
