"""How hits read on the page: what stands around the answer, why it was found, where it plays. Functions of data, no HTML."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from index.query import Excerpt, Hit
from ingest.links import is_video, takes_time, web_address
from ingest.sentences import STOPS, between, join_sentences, split_sentences
from ingest.times import clock, parse_date, play_url
from search_api.citations import cited_address

AROUND = (
    2  # sentences shown before and after the answer: enough to see what it is about, and a card stays under ten lines
)
MOST_WORDS = 3  # of the question that a reason names
# Of questions put to 110 real episodes, the best hits of those that nothing answers have cosines of .24 to .36, the best of
# the others .39 to .73 (all-MiniLM-L6-v2).
CLOSE, NEAR = 0.45, 0.37
_SPEAKER_LABEL = re.compile(rf"([^.:\n{STOPS}]{{1,80}}): ")
_FRAGMENT_START = re.compile(r"#t=([\d.]+)")


def long_date(published: datetime | None) -> str:
    """`20 February 2025`; empty for None."""
    return f"{published.day} {published:%B %Y}" if published else ""


def host_name(address: str) -> str:
    """`youtube.com`: where a link leads, for people."""
    return (urlsplit(address).hostname or "").removeprefix("www.")


@dataclass(frozen=True, slots=True)
class PassageParagraph:
    """A paragraph of a passage in three parts; `marked` is what of the answer stands in it.

    `speaker` is empty where the hit's heading names it, or it is unknown.
    """

    before: str
    marked: str = ""
    after: str = ""
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class HitView:
    """A hit with what the page says of it in words.

    `near` are the answer and the sentences around it, `whole` the whole passage, empty where that is no more. `time` is when
    the answer starts, empty where unknown. `audio` is a recording that plays from `start` (seconds), `play` its address
    there; all for a player, and empty where only `outside` leads to it, at the moment where it takes one.
    `moment` is what is copied and collected.
    """

    hit: Hit
    near: list[PassageParagraph]
    whole: list[PassageParagraph]
    time: str
    published: datetime | None
    podcast: str
    page: str
    audio: str
    play: str
    start: float
    outside: str
    why: str
    moment: dict[str, Any]
    more: "list[HitView]"

    @property
    def plays_outside(self) -> bool:
        """Whether the link from here leads to the moment in a player elsewhere."""
        return takes_time(self.outside)


def hit_view(hit: Hit, podcasts: Mapping[str, str] | None = None) -> HitView:
    """The view of one hit; `podcasts` are their titles by slug."""
    answer, published = hit.answer, parse_date(hit.published or "")
    time = "" if answer.start is None else clock(answer.start)
    podcast = podcast_title(hit.podcast, podcasts or {})
    whole = passage_paragraphs(hit.passage.text, answer)
    part = around_answer(whole)
    near = unlabelled(around_answer(with_neighbours(whole, hit)), answer.speaker)
    plays = not is_video(hit.audio_url) and bool(web_address(hit.audio_url))
    found = _FRAGMENT_START.search(hit.play_url)
    page = play_url(f"/episodes/{hit.key}", answer.start)
    outside = hit.link if plays else hit.link if takes_time(hit.link) else hit.play_url or hit.link
    said = {
        "speaker": answer.speaker,
        "title": hit.title,
        "podcast": podcast,
        "date": long_date(published),
        "time": time,
    }
    cited = cited_address(hit.link, hit.audio_url, answer.start)
    source = (answer.speaker, f"“{hit.title}”", podcast, said["date"], time)
    return HitView(
        hit=hit, near=near, whole=whole if part != whole else [], time=time, published=published, podcast=podcast, page=page,
        audio=web_address(hit.audio_url) if plays else "", play=hit.play_url if plays else "",
        start=float(found[1]) if plays and found else 0.0, outside=outside, why=reasons(hit),
        moment={
            "text": answer.text, **said, "page": page, "link": cited, "citation": citation(answer.text, source, cited),
            "approximate": hit.approximate,
        },
        more=[hit_view(one, podcasts) for one in hit.more],
    )  # fmt: skip


def podcast_title(slug: str, podcasts: Mapping[str, str]) -> str:
    """What people call a podcast: its title, else its slug as words."""
    return podcasts.get(slug) or slug.replace("-", " ").capitalize()


def passage_paragraphs(text: str, answer: Excerpt) -> list[PassageParagraph]:
    """A passage's text by paragraphs, with each paragraph of the answer marked where it first stands.

    Where speakers are known, turns open with `Name: `; a single turn's speaker is left to the heading.
    """
    passage: list[PassageParagraph] = []
    parts = [part for part in text.split("\n\n") if part.strip()]
    unmarked = answer.text.split("\n\n")
    for part in parts:
        label = _SPEAKER_LABEL.match(part) if answer.speaker else None
        words = part[label.end() :] if label else part
        holds = unmarked and unmarked[0] in words
        split = words.partition(unmarked.pop(0)) if holds else (words, "", "")
        passage.append(PassageParagraph(*split, label[1] if label and len(parts) > 1 else ""))
    return passage


def with_neighbours(passage: list[PassageParagraph], hit: Hit) -> list[PassageParagraph]:
    """A passage with what is said before and after it; where that is by others, each paragraph says by whom."""
    if not any(one.marked for one in passage):
        return passage
    named = [replace(passage[0], speaker=passage[0].speaker or hit.answer.speaker), *passage[1:]]
    before = [PassageParagraph(one.text, speaker=one.speaker) for one in hit.before]
    after = [PassageParagraph(one.text, speaker=one.speaker) for one in hit.after]
    if before and before[-1].speaker == named[0].speaker:
        said = before.pop().before
        named[0] = replace(named[0], before=said + between(said, named[0].before + named[0].marked) + named[0].before)
    if after and after[0].speaker == next((one.speaker for one in reversed(named) if one.speaker), ""):
        last, more = named[-1], after.pop(0).before
        more = between(last.before + last.marked + last.after, more) + more
        named[-1] = replace(last, after=last.after + more) if last.marked else replace(last, before=last.before + more)
    return [*before, *named, *after]


def around_answer(passage: list[PassageParagraph], sentences: int = AROUND) -> list[PassageParagraph]:
    """The answer with at most so many sentences before and after it; the whole passage where none is marked."""
    marked = [place for place, one in enumerate(passage) if one.marked]
    if not marked:
        return passage
    shown = passage[marked[0] : marked[-1] + 1]
    first, rest = _last_sentences(shown[0].before, sentences)
    shown[0] = replace(shown[0], before=first)
    for one in reversed(passage[: marked[0]]):
        if rest <= 0:
            break
        text, rest = _last_sentences(one.before, rest)
        shown.insert(0, replace(one, before=text))
    last, rest = _first_sentences(shown[-1].after, sentences)
    shown[-1] = replace(shown[-1], after=last)
    for one in passage[marked[-1] + 1 :]:
        if rest <= 0:
            break
        text, rest = _first_sentences(one.before, rest)
        shown.append(replace(one, before=text))
    return shown


def unlabelled(shown: list[PassageParagraph], speaker: str) -> list[PassageParagraph]:
    """The same without labels where the heading's speaker says all of it."""
    alone = {one.speaker for one in shown} <= {speaker, ""}
    return [replace(one, speaker="") for one in shown] if alone else shown


def _last_sentences(text: str, most: int) -> tuple[str, int]:
    """The end of a text, and how many sentences may still come before it."""
    parts = split_sentences(text.strip()) if text.strip() else []
    kept = join_sentences(parts[-most:] if most else [])
    return kept + text[len(text.rstrip()) :] if kept else "", most - len(parts)


def _first_sentences(text: str, most: int) -> tuple[str, int]:
    """The beginning of a text, and how many sentences may still come after it."""
    parts = split_sentences(text.strip()) if text.strip() else []
    kept = join_sentences(parts[:most])
    return text[: len(text) - len(text.lstrip())] + kept if kept else "", most - len(parts)


def reasons(hit: Hit) -> str:
    """Why a hit was found, in words: `Says “discount”; close in meaning`; empty where there is nothing to say."""
    answer = hit.answer.text.casefold()
    words = dict.fromkeys(hit.passage.text[begin:end].casefold() for begin, end in hit.highlights)
    kept: list[str] = []
    for word in sorted(words, key=lambda word: word not in answer):
        if not any(word.startswith(one) or one.startswith(word) for one in kept):  # `call` says what `calls` does
            kept.append(word)
    named = ", ".join(f"“{word}”" for word in kept[:MOST_WORDS])
    cosine = hit.scores.vector
    close = "" if cosine is None or cosine < NEAR else "close in meaning" if cosine >= CLOSE else "near in meaning"
    why = "; ".join(part for part in (f"says {named}" if named else "", close) if part)
    return why[:1].upper() + why[1:]


def citation(quote: str, source: Iterable[str], address: str) -> str:
    """One line: the quote, its source (speaker, title, podcast, date, time; empty ones left out), and its address."""
    where = ", ".join(part for part in source if part)
    return f"“{' '.join(quote.split())}” — {where}. {address}".strip()
