"""Tells languages apart by their tags, codes and names, as feeds write them."""

from contextlib import suppress
from functools import lru_cache

ANY_LANGUAGE = frozenset({"und", "mul", "zxx"})
ONE_LANGUAGE = {"nb": "no", "nn": "no", "yue": "zh"}  # spoken by one show, written under either code
COUNTRIES = {"jp": "ja", "cn": "zh", "cz": "cs", "dk": "da", "gr": "el", "ua": "uk"}  # where languages are meant


@lru_cache(1 << 10)
def primary_language(language: str) -> str:
    """The primary subtag that a tag, an older or longer code or a language's name means; empty where it means none.

    `en-GB`, `eng` and `English` are `en`, `iw` is `he`, `cmn` is `zh`; Norwegian is one language, however written.
    """
    from langcodes import Language, find, standardize_tag  # its tables take 50 ms to load

    said = language.strip()[:80].replace("_", "-")
    code = ""
    with suppress(ValueError):
        code = standardize_tag(COUNTRIES.get(said.lower(), said), macro=True).partition("-")[0]
    if not 1 < len(code) < 4 or not Language.get(code).is_valid():
        code = ""
        with suppress(LookupError):  # no code: a name, in English or in the language itself
            code = find(said).language or ""
    return "" if code in ANY_LANGUAGE else ONE_LANGUAGE.get(code, code)


@lru_cache(1 << 8)
def language_name(code: str) -> str:
    """A language's name in English, for people: `de` is German; the code itself where it is none."""
    from langcodes import Language

    try:
        return Language.get(code).display_name()
    except ValueError:
        return code
