"""The templates: one environment, which escapes whatever it is given."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ingest.links import is_video, moment, playing, takes_time, web_address
from ingest.sentences import between, join_sentences
from ingest.times import clock, fragment_seconds, parse_date
from search_api.display import host_name, long_date
from search_api.responses import transcript_path

TEMPLATES = Environment(
    loader=PackageLoader("search_api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def date_words(iso: str | None) -> str:
    """`20 February 2025` for an ISO date; empty for None."""
    return long_date(parse_date(iso or ""))


def span_words(seconds: float) -> str:
    """`31 hours`, `48 minutes`: how long something takes to hear."""
    hours, minutes = round(seconds / 3600), round(seconds / 60)
    number, unit = (hours, "hour") if hours > 1 else (max(1, minutes), "minute")
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


for function in (
    between, clock, date_words, fragment_seconds, host_name, is_video, join_sentences, long_date, moment, playing, span_words,
    takes_time, transcript_path, web_address,
):  # fmt: skip
    TEMPLATES.globals[function.__name__] = function


def render(name: str, **values: Any) -> str:
    """One page from its template."""
    return TEMPLATES.get_template(name).render(values)
