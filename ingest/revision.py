"""Brings what a feed says of an episode by now to its document: title and addresses, never the text."""

from ingest.finite import read_json, write_json
from ingest.identity import one_line
from ingest.models import Episode
from ingest.transcripts.document import BULLETS, HEADING
from ingest.web.credentials import without_userinfo

FIELDS = ("title", "published", "link", "audio_url", "source_feed")  # that may change; guid and podcast are who it is


def revised_markdown(text: str, episode: Episode) -> str:
    """The document with the feed's newer title and bullets; every other line stays as it is, edited by hand or not."""
    lines = text.splitlines(keepends=True)
    end = next((number for number, line in enumerate(lines) if line.strip() == HEADING), 0)
    titled = False
    for number, line in enumerate(lines[:end]):
        ending = line[len(line.rstrip("\r\n")) :]
        bullet = line.removeprefix("- ").partition(":")[0]
        if line.lstrip("\ufeff").startswith("# ") and not titled:
            titled = True
            mark = "\ufeff" * line.startswith("\ufeff")
            lines[number] = f"{mark}# {one_line(episode.title)}{ending}"
        elif line.startswith("- ") and BULLETS.get(bullet) in FIELDS:
            lines[number] = f"- {bullet}: {one_line(_told(episode, BULLETS[bullet]))}{ending}"
    return "".join(lines)


def revised_sidecar(text: str, episode: Episode) -> str:
    """The JSON beside it likewise; as it is where it cannot be read or is not ours."""
    try:
        document = read_json(text)
        ours = document["soundbite"]["episode"]
    except (ValueError, TypeError, KeyError):
        return text
    if not isinstance(ours, dict):
        return text
    ours |= {name: _told(episode, name) for name in FIELDS} | {"people": list(episode.people)}
    provenance = document["soundbite"].get("provenance")
    if isinstance(provenance, dict):  # an earlier version wrote passwords into it
        cleaned = {name: without_userinfo(value) for name, value in provenance.items() if isinstance(value, str)}
        document["soundbite"]["provenance"] = provenance | cleaned
    document["soundbite"]["episode"] = {name: value for name, value in ours.items() if value not in ("", [])}
    return write_json(document)


def _told(episode: Episode, name: str) -> str:
    return without_userinfo(str(getattr(episode, name)))
