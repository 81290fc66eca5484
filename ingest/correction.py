"""Takes a publisher's corrected transcript (a speaker's right name) for an episode that is done."""

from dataclasses import replace
from hashlib import sha256

from ingest.errors import FetchError, TranscriptError
from ingest.feeds.reading import user_agent_header
from ingest.models import Episode, Transcript
from ingest.pipeline import MAX_TRANSCRIPT_BYTES, PUBLISHER_TRIES, IngestContext, feed_of, publisher_transcript
from ingest.transcripts.document import is_edited
from ingest.web import client as web


def corrected(context: IngestContext, episode: Episode) -> str:
    """Write the publisher's newer transcript over its older one; says so in plain words, empty where there is none.

    A document that was edited by hand stays, and so does one that was transcribed from the audio. A host that does not
    answer is asked again after the feed's next change. Raises `HomeError`.
    """
    document = context.library.locate(episode)
    try:
        old = context.library.read(document.name) if document else None
        if old is None or old.provenance.get("source") != "publisher" or not _is_another(context, episode, old):
            return ""
        obtained, _ = publisher_transcript(context, episode, PUBLISHER_TRIES)
    except (FetchError, TranscriptError):
        return ""
    if obtained is None or obtained.transcript.segments == old.segments:
        return ""
    if is_edited(old):
        return f"{episode.title!r} was edited here: its publisher's corrected transcript is not taken"
    known = old.episode.chapters  # of a file that may not be reached just now
    told = replace(obtained.transcript.episode, chapters=obtained.transcript.episode.chapters or known)
    context.library.write(replace(obtained.transcript, episode=told), obtained.original)
    return f"corrected: the transcript of {episode.title!r}, by its publisher"


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
