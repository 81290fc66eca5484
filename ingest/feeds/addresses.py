"""Reads a feed's address as people paste it, and finds the feed that a web page names. Pure."""

import re

from ingest.entities import unescaped
from ingest.feeds.entries import absolute
from ingest.web.credentials import split_userinfo

# Schemes that podcast apps and browsers gave feeds, so that a click subscribes; each stands for http
SUBSCRIBE = r"(?:feed|feeds|rss|itpcs?|pcasts?|podcasts?|podcast-rss|itms(?:-podcasts?|s)?|zune|antennapod-subscribe)"
NESTED = re.compile(rf"(?:{SUBSCRIBE}):(?://)?(?=https?:/{{1,2}})", re.IGNORECASE)
PLAIN = re.compile(rf"({SUBSCRIBE}):(?://)?(?=[^\s/])", re.IGNORECASE)
WEB = re.compile(r"(https?):/{1,3}(?=[^\s/])", re.IGNORECASE)
BARE = re.compile(
    r"(?://)?(?:[^\s/@]*@)?(?:[\w-]+\.[\w.-]*\w|localhost|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#]\S*)?", re.IGNORECASE
)
FILES = re.compile(r"[^/]*\.(?:opml|xml|rss|txt|csv|mp3|m4a)", re.IGNORECASE)


def read_address(text: str) -> list[str]:
    """The web addresses that a text may mean, in the order to try them; none where it is no address.

    A fragment is left out, since it is not sent.
    """
    url = text.strip(" \t\r\n\ufeff\u200b<>\"'\u201c\u201d\u201e\u2018\u2019,;")
    url = NESTED.sub("", url)
    schemes: tuple[str, ...]
    if found := WEB.match(url):
        return [_without_fragment(f"{found[1].lower()}://{url[found.end() :]}")]
    if found := PLAIN.match(url):
        schemes = ("https", "http") if found[1].lower().rstrip("t").endswith("cs") else ("http", "https")
    elif BARE.fullmatch(url) and not url.lower().startswith("mailto:") and not FILES.fullmatch(url):
        url = url.removeprefix("//")
        # a password is never tried without TLS where nobody wrote http
        schemes = ("https",) if split_userinfo(f"https://{url}")[1] else ("https", "http")
    else:
        return []
    rest = url[found.end() :] if found else url
    return [_without_fragment(f"{scheme}://{rest}") for scheme in schemes]


def _without_fragment(url: str) -> str:
    """The address, its user and password kept."""
    clean, userinfo = split_userinfo(url)
    scheme, slashes, rest = clean.partition("#")[0].partition("//")
    return f"{scheme}{slashes}{userinfo}@{rest}" if userinfo else f"{scheme}{slashes}{rest}"


LINK = re.compile(r"<link\s[^<>]{1,2000}>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""([a-z]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "text/xml", "application/xml")
MAX_PAGE = 2 * 2**20  # bytes of a page that are looked through


def feed_links(page: bytes, base: str) -> list[str]:
    """The feeds that a web page names by `<link rel=alternate>`, in its order, those of comments last."""
    found = dict[str, bool]()
    for tag in LINK.finditer(page[:MAX_PAGE].decode("utf-8", "replace")):
        said = {name.lower(): unescaped(a or b or c).strip() for name, a, b, c in ATTRIBUTE.findall(tag[0])}
        kind = said.get("type", "").lower().partition(";")[0].strip()
        url = absolute(base, said.get("href", ""))
        if url and kind in FEED_TYPES and "alternate" in said.get("rel", "").lower().split():
            found.setdefault(url, "comment" in f"{said.get('title', '')} {url}".lower())
    return sorted(found, key=lambda url: found[url])
