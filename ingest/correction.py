"""Takes a publisher's corrected transcript (a speaker's right name) for an episode that is done."""

from dataclasses import replace
from hashlib import sha256

from ingest.errors import FetchError, TranscriptError
from ingest.feeds.reading import user_agent_header
from ingest.models import Episode, Transcript
from ingest.pipeline import MAX_TRANSCRIPT_BYTES, IngestContext, Obtained, feed_of, publisher_transcript
from ingest.sentences import word_count
from ingest.transcripts.document import is_edited
from ingest.web import client as web

MIN_WORDS_LEFT = 0.8  # of the earlier words; a correction, or a show's other adverts, change a few in a hundred


def corrected(context: IngestContext, episode: Episode) -> str:
    """Write the publisher's newer transcript over its older one; says so in plain words, empty where there is none.

    A document that was edited by hand stays, and so does one that was transcribed from the audio, or has much more of the
    words. An earlier text with more words is kept beside the newer one. A host that does not answer is asked again after
    the feed's next change. Raises `HomeError`.
    """
    document = context.library.locate(episode)
    try:
        old = context.library.read(document.name) if document else None
        if old is None or old.provenance.get("source") != "publisher" or not _is_another(context, episode, old):
            return ""
        obtained, refused = publisher_transcript(context, episode)
    except (FetchError, TranscriptError):
        return ""
    if obtained is None:
        return f"{episode.title!r}: its publisher's newer transcript is not taken: {refused[0]}" if refused else ""
    return _taken(context, old, obtained) if obtained.transcript.segments != old.segments else ""


def _taken(context: IngestContext, old: Transcript, obtained: Obtained) -> str:
    """Write what was obtained in place of the old, unless that would lose words; says so."""
    newer, title = obtained.transcript, obtained.transcript.episode.title
    if is_edited(old):
        return f"{title!r} was edited here: its publisher's corrected transcript is not taken"
    before, after = _words(old), _words(newer)
    if after < MIN_WORDS_LEFT * before * _share_of_audio(old.episode, newer.episode):
        return f"{title!r}: its publisher's newer transcript has {after} words of {before} and is not taken"
    known = old.episode.chapters  # of a file that may not be reached just now
    newer = replace(newer, episode=replace(newer.episode, chapters=newer.episode.chapters or known))
    context.library.write(newer, obtained.original, keep_earlier=after < before)
    return f"corrected: the transcript of {title!r}, by its publisher"


def _words(transcript: Transcript) -> int:
    """How many words it has."""
    return sum(word_count(turn.text) for turn in transcript.turns)


def _share_of_audio(before: Episode, after: Episode) -> float:
    """How much of the earlier audio is left, from 0 to 1, by the durations that the feed has declared for it."""
    return min(1.0, after.duration / before.duration) if before.duration and after.duration else 1.0


def _is_another(context: IngestContext, episode: Episode, old: Transcript) -> bool:
    """Whether the publisher's file is another one than the document was made of. Raises FetchError."""
    known = old.provenance
    if known.get("url") not in {link.url for link in episode.transcripts}:
        return True
    conditions = {"etag": "if-none-match", "last-modified": "if-modified-since"}
    asked = {header: str(known[name]) for name, header in conditions.items() if known.get(name)}
    answer = web.fetch(
        context.client,
        str(known["url"]),
        headers=user_agent_header(feed_of(context, episode).user_agent_override) | asked,
        credentials=context.ledger.credentials(episode.podcast),
        max_bytes=MAX_TRANSCRIPT_BYTES,
    )
    return answer.status == 200 and sha256(answer.body).hexdigest() != known.get("sha256")
