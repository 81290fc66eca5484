"""What there is to read: podcasts, their episodes, and one episode with its transcript."""

import math
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from index.catalogue import EpisodeStatus
from ingest.errors import IndexingError, PodcastNotFoundError
from ingest.identity import slug
from ingest.links import is_video, moment, takes_time, web_address
from ingest.models import Transcript
from search_api.deps import Backend, BackendDep
from search_api.display import podcast_title
from search_api.listing import EpisodeFilter
from search_api.overview import OverviewDep
from search_api.reading import listed_chapters, paragraphs
from search_api.responses import formats_of
from search_api.templating import render

PAGE = 50  # episodes on a page of the list
SIMILAR = 4
STATES = {"transcribed": "not searchable yet", "pending": "waiting", "failed": "failed"}

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/podcasts")
def podcasts(overview: OverviewDep) -> str:
    """Every podcast, with how much of it there is."""
    return render("podcasts.html", podcasts=overview.get().podcasts)


@router.get("/episodes")
def episodes(
    overview: OverviewDep,
    podcast: str = "",
    title: Annotated[str, Query(max_length=200)] = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> str:
    """Episodes, newest first: all, or those of one podcast or with words in their titles. Raises `PodcastNotFoundError`."""
    there = overview.get()
    chosen = slug(podcast) if podcast.strip() else ""
    if chosen and chosen not in there.titles:
        raise PodcastNotFoundError(podcast[:60], "no such podcast here")
    found = EpisodeFilter(words=title).of(one for one in there.episodes if chosen in {"", one.podcast})
    return render(
        "episodes.html",
        overview=there,
        podcast=chosen,
        title=title,
        found=len(found),
        shown=found[(page - 1) * PAGE : page * PAGE],
        page=page,
        pages=max(1, math.ceil(len(found) / PAGE)),
        states=STATES,
    )


@router.get("/episodes/{key}")
def episode(key: str, backend: BackendDep, overview: OverviewDep) -> str:
    """One whole transcript, with times that play. Raises `NotFoundError`, `TranscriptError`."""
    transcript = backend.transcript(key)
    about = transcript.episode
    link, audio = web_address(about.link), web_address(about.audio_url)
    return render(
        "episode.html",
        episode=about,
        podcast=podcast_title(slug(about.podcast), overview.get().titles),
        podcast_slug=slug(about.podcast),
        audio="" if is_video(audio) else audio,
        link=link or audio,
        elsewhere=next((one for one in (link, audio) if takes_time(one)), ""),
        moment=moment,
        flag=transcript.provenance.get("flag", ""),
        approximate=transcript.provenance.get("times") == "approximate",
        speakers=speakers_of(transcript),
        duration=transcript.duration,
        formats=formats_of(transcript),
        chapters=listed_chapters(about),
        paragraphs=paragraphs(transcript),
        similar=similar(backend, about.key),
    )


def similar(backend: Backend, key: str) -> list[EpisodeStatus]:
    """Other episodes about the same things; none where the index cannot tell."""
    try:
        return [one.episode for one in backend.similar(key, SIMILAR)]
    except IndexingError:
        return []


def speakers_of(transcript: Transcript) -> tuple[str, ...]:
    """Who speaks, in the order in which they first do."""
    names = [one.speaker for one in transcript.segments] + [turn.speaker for turn in transcript.turns]
    return tuple(dict.fromkeys(filter(None, names)))
