"""Tells sentences that sell something from those that answer something, by how sponsors' messages are worded; pure.

A message opens by naming its sponsor and goes on, in the same turn, as far as it keeps calling to act (an address, a code,
a trial). What is read out in many episodes word for word is found where hits are compared (`index.passages`).
"""

import re
from collections.abc import Sequence

REACH = 14  # sentences a message may go on after its opening: about a minute and a half
CALLS = 3  # so many calls to act within `CLOSE` sentences are a message without an opening
CLOSE = 6

_OPENS = re.compile(
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


def adverts(said: Sequence[tuple[str, int]]) -> list[bool]:
    """For each sentence, given with the number of its turn, whether it belongs to a sponsor's message."""
    calls = [bool(_CALLS.search(text)) for text, _ in said]
    sold = [False] * len(said)
    for i, (text, turn) in enumerate(said):
        if _OPENS.search(text):
            reach = [j for j in range(i, min(len(said), i + REACH + 1)) if said[j][1] == turn and (calls[j] or j == i)]
            sold[i : reach[-1] + 1] = [True] * (reach[-1] + 1 - i)
    for i in range(len(said)):
        near = [j for j in range(i, min(len(said), i + CLOSE)) if calls[j] and said[j][1] == said[i][1]]
        if calls[i] and len(near) >= CALLS:
            sold[i : near[-1] + 1] = [True] * (near[-1] + 1 - i)
    return sold
