"""Numbers and JSON without NaN and infinity: JSON does not have them, Python reads and writes them unless told otherwise."""

import json
from math import inf, isfinite
from typing import Any


def finite(value: Any, least: float = -inf, most: float = inf, unit: str = "") -> float:
    """A number, or text that is one. Raises ValueError where it is not finite or out of bounds, TypeError for no number."""
    try:
        number = float(value)
    except OverflowError as error:  # a whole number of 309 digits or more
        raise ValueError("a number has too many digits") from error
    if not isfinite(number):
        raise ValueError(f"{value!r} is no finite number")
    if not least <= number <= most:
        raise ValueError(f"{number:g}{unit} is not from {least:g} to {most:g}{unit}")
    return number


def read_json(text: str | bytes) -> Any:
    """A JSON document. Raises ValueError, also for a number that is not finite."""
    try:
        return json.loads(text, parse_constant=finite, parse_float=finite)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def write_json(document: Any) -> str:
    """A JSON document of some lines, as UTF-8 can hold it. Raises ValueError where a number is not finite."""
    text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    # half a surrogate pair cannot be written as UTF-8; as `\udXXX` it is JSON again
    return text.encode("utf-8", "backslashreplace").decode()
