"""Finds out whether a publisher wants no machine to use a podcast: tags in the feed, HTTP headers, a page's meta. Pure.

`podcast:txt` is of the podcast namespace, `tdm-reservation` of the TDM Reservation Protocol
(w3.org/community/reports/tdmrep), `noai` a word that robots' directives hold by custom, `Content-Usage` a draft of the
IETF (draft-ietf-aipref-attach).
"""

import re
from collections.abc import Iterable, Mapping

PURPOSE = re.compile(
    r"(?:^|[^a-z])(?:no)?-?_?(?:ai|tdm|llms?|robots|generative|text-and-data-mining|machine-?learning|training)(?:$|[^a-z])"
)
REFUSAL = re.compile(
    r"\b(?:no|none|never|noai|no-ai|noml|den(?:y|ied)|disallow(?:ed)?|forbid(?:den)?|prohibit(?:ed)?|reserved|false|"
    r"opt(?:ed)?-?\s?out|(?:do|may|must)\s?not|(?:train-)?(?:gen)?ai=n)\b"
)
RESERVED = re.compile(r"\s*(?:1|true|yes|reserved)\b")
ALLOWED = re.compile(r"\s*(?:0|no|false|allow\w*)\s*\Z")
OURS = frozenset({"*", "soundbite"})  # the names in a robots' directive that mean us


def by_tags(texts: Iterable[tuple[str, str]]) -> str:
    """How `podcast:txt` tags, as (purpose, text), opt out; empty where they do not."""
    for purpose, text in texts:
        name, said = purpose.strip().lower(), " ".join(text.lower().split())
        if not PURPOSE.search(name):
            continue
        negative = bool(re.match(r"(?:no-?ai|no-?llm|no-?tdm|opt-?out)", name))
        refuses = not ALLOWED.match(said) if negative else bool(REFUSAL.search(said))
        if refuses or (name.startswith("tdm") and RESERVED.match(said)):
            return f'podcast:txt purpose="{name[:40]}"'
    return ""


def by_headers(headers: Mapping[str, str]) -> str:
    """How an answer's headers (lower-case names) opt out; empty where they do not."""
    if RESERVED.match(headers.get("tdm-reservation", "").lower()):
        return "the header TDM-Reservation"
    if _robots_refuse(headers.get("x-robots-tag", "")):
        return "noai in the header X-Robots-Tag"
    if re.search(r"\b(?:train-)?(?:gen)?ai=n\b", headers.get("content-usage", "").lower()):
        return "the header Content-Usage"
    return ""


META = re.compile(rb"<meta\s[^<>]{0,1000}>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""\b(name|content)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)


def by_page(page: bytes) -> str:
    """How the meta tags of a web page opt out; empty where they do not."""
    for found in META.finditer(page):
        said = {name.lower(): a or b or c for name, a, b, c in ATTRIBUTE.findall(found[0].decode("utf-8", "replace"))}
        name, content = said.get("name", "").lower(), said.get("content", "")
        if name == "tdm-reservation" and RESERVED.match(content.lower()):
            return "the page's meta tdm-reservation"
        if name in {"robots", "soundbite"} and _robots_refuse(content):
            return "noai in the page's meta robots"
    return ""


def _robots_refuse(directives: str) -> bool:
    """Whether a robots' directive says `noai` to us: what follows `name:` is for the robot of that name."""
    meant = True
    for part in directives.lower().split(","):
        name, colon, word = part.rpartition(":")
        if colon and re.fullmatch(r"\s*[\w*-]+\s*", name) and name.strip() != "unavailable_after":
            meant = name.strip() in OURS
        if meant and word.strip() in {"noai", "noml"}:
            return True
    return False


def told(reason: str, what: str = "its episodes are") -> str:
    """What a person is told of such a feed, or of single episodes."""
    return (
        f"its publisher opts out of use by AI ({reason}): {what} not fetched; "
        "SOUNDBITE_RESPECT_OPT_OUT=false fetches all the same"
    )
