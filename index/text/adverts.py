"""Finds sponsors' messages by their wording; pure.

A message opens by naming its sponsor. It goes on, in the same turn, as far as it calls to act: an address, a code, a trial.
What is read aloud in many episodes word for word is found where hits are compared (`index.passages`).
"""

import re
from collections.abc import Sequence

MAX_MESSAGE = 14  # sentences after the opening: about a minute and a half
MIN_CALLS, CALL_WINDOW = 3, 6  # three calls to act within six sentences are a message without an opening

_OPENINGS = re.compile(
    r"\b(?:brought to you by|word from (?:our|my|the) sponsors?"
    r"|(?:episode|show|podcast|week|program(?:me)?) (?:is|was) (?:\w+ )?(?:sponsored|supported|presented|made possible) by"
    r"|(?:today['’]s|our|this (?:episode|week|show)['’]s) sponsors?\b(?! (?:is|was|were) (?:a|an|the|my|his|her|their)\b)"  # noqa: RUF001
    r"|the sponsors? (?:of|for|behind) (?:this|today['’]s|our|the) (?:episode|show|week|podcast)"  # noqa: RUF001
    r"|(?:thanks|thank you) to .{2,60} for (?:sponsoring|supporting))",
    re.IGNORECASE,
)
_CALLS = re.compile(
    r"\b(?:[\w-]{1,63}\.(?:com|io|ai|co|org|net|app|dev|fm|ly|de|co\.uk)\b|[\w-]{1,63} dot (?:com|io|ai|co|org|net)\b"
    r"|(?:promo|discount|coupon|offer) code|use (?:the |my |our )?code|free trial|\d+ ?(?:%|percent) off"
    r"|sign up (?:today|now|for free|at)|get started (?:today|now|for free|at)|book a demo|try it (?:today|for free)"
    r"|(?:head|go) (?:on )?(?:over )?to \w+(?:\.| dot | slash )|no credit card|first (?:month|year|three months) free"
    r"|learn more at|link in the (?:show notes|description)|companies like .{2,60} (?:use|trust|rely))",
    re.IGNORECASE,
)


def find_adverts(sentences: Sequence[tuple[str, int]]) -> list[bool]:
    """For each sentence, given with the number of its turn, whether it belongs to a sponsor's message."""
    calls = [bool(_CALLS.search(text)) for text, _ in sentences]

    def calls_within(i: int, count: int) -> list[int]:
        """The calls to act among so many sentences from `i` on, in its turn."""
        places = range(i, min(len(sentences), i + count))
        return [j for j in places if calls[j] and sentences[j][1] == sentences[i][1]]

    found = [False] * len(sentences)
    for i, (text, _) in enumerate(sentences):
        last = -1
        if _OPENINGS.search(text):
            last = max([i, *calls_within(i, MAX_MESSAGE + 1)])
        if calls[i] and len(close := calls_within(i, CALL_WINDOW)) >= MIN_CALLS:
            last = max(last, close[-1])
        found[i : last + 1] = [True] * max(0, last + 1 - i)
    return found
