"""Standing questions: each has a name, and new moments that answer it are an RSS feed of the server's."""

import json
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from pathlib import Path

from index.query import MAX_LIMIT, Hit, Query
from index.search import Searcher, answers
from ingest.errors import AlertNotFoundError, HomeError
from ingest.identity import slug
from ingest.storage import write_in_home

RECENT = timedelta(days=90)  # newer moments are asked for by themselves, so that an archive does not crowd them out
SHOWN = 50  # moments in a feed


@dataclass(frozen=True, slots=True)
class Alert:
    """A question that is asked again and again; the others narrow it, and are empty for all."""

    name: str
    question: str
    podcast: str = ""
    speaker: str = ""
    language: str = ""

    def query(self) -> Query:
        """The question. Raises `QueryError` where it cannot be asked."""
        return Query(self.question, MAX_LIMIT, podcast=self.podcast, speaker=self.speaker, language=self.language)


class Alerts:
    """The standing questions in one JSON file. Raises `HomeError` where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> list[Alert]:
        """Every alert, by name; what a later version has added is left out."""
        try:
            entries = json.loads(self.path.read_text("utf-8")) if self.path.exists() else []
            known = {field.name for field in fields(Alert)}
            return [Alert(**{name: entry[name] for name in known & entry.keys()}) for entry in entries]
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise HomeError(self.path, f"cannot be read ({error}); correct or remove it") from error

    def find(self, name: str) -> Alert:
        """One alert, by its name. Raises `AlertNotFoundError`."""
        known = {alert.name: alert for alert in self.all()}
        if slug(name) not in known:
            there = ", ".join(known) or "none yet; `soundbite alert add NAME QUESTION` adds one"
            raise AlertNotFoundError(name[:60], f"no such alert here ({there})")
        return known[slug(name)]

    def add(self, alert: Alert) -> Alert:
        """Keep an alert, in place of one of the same name; its name becomes a slug. Raises `QueryError`."""
        alert = replace(alert, name=slug(alert.name))
        alert.query()
        self._write([*(one for one in self.all() if one.name != alert.name), alert])
        return alert

    def remove(self, name: str) -> Alert:
        """Forget an alert. Raises `AlertNotFoundError`."""
        alert = self.find(name)
        self._write([one for one in self.all() if one.name != alert.name])
        return alert

    def _write(self, alerts: list[Alert]) -> None:
        entries = [asdict(alert) for alert in sorted(alerts, key=lambda alert: alert.name)]
        write_in_home(self.path, json.dumps(entries, ensure_ascii=False, indent=1) + "\n")


def new_moments(searcher: Searcher, query: Query, now: datetime) -> list[Hit]:
    """The moments that answer a question well, the latest published first. Raises as `Searcher.search`."""
    found: dict[str, Hit] = {}
    recent = max(now - RECENT, query.published_from or now - RECENT)
    for asked in (replace(query, since=recent), query):
        hits = searcher.search(asked).hits
        found |= {hit.id: hit for hit in hits if answers(hit) and not hit.advert}
    ordered = sorted(found.values(), key=lambda hit: hit.score, reverse=True)
    return sorted(ordered, key=lambda hit: hit.published or "", reverse=True)[:SHOWN]
