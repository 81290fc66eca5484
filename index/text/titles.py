"""What an episode's title says of its subject; pure."""

import re

# `90. Why …`, `#204: …`, `Ep. 12 - …`, `S2E5 | …`, and a number after `Episode` or `#` anywhere. A year is a subject.
_AT_FIRST = re.compile(r"^\s*(?:s\d+\s?e)?(?!(?:19|20)\d\d\b)\d{1,4}\s?(?:[.:)|]|\s[-–—])\s+", re.IGNORECASE)  # noqa: RUF001
_NUMBERED = re.compile(r"(?:\b(?:episode|ep|folge|episodio|épisode|nr)\b\.?\s?#?|#)\d{1,5}\b", re.IGNORECASE)
_SEASON = re.compile(r"\bs\d{1,2}\s?[:,]?\s?e\d{1,4}\b", re.IGNORECASE)


def without_number(title: str) -> str:
    """The title without the number of the episode, unless it is nothing else."""
    subject = _AT_FIRST.sub("", _SEASON.sub(" ", _NUMBERED.sub(" ", title)))
    return subject if any(character.isalpha() for character in subject) else title
