"""Turns the entities of HTML into characters, whatever number somebody writes. Pure."""

import html
import re

LONG_NUMBER = re.compile(r"&#[0-9]{100,}+;?")  # Python reads at most 4,300 digits, and raises ValueError beyond


def unescaped(text: str) -> str:
    """The text with its entities as characters; U+FFFD for a number that stands for none, as browsers have it."""
    return html.unescape(LONG_NUMBER.sub("\ufffd", text))
