"""Which languages an embedding model was trained on, as far as its name tells."""

import re
from collections.abc import Iterable

MULTILINGUAL = "intfloat/multilingual-e5-small"  # a model to name where another language is needed: 118 million weights
# Models of one language whose names do not say so, and the sign of those whose names do (`bge-small-en-v1.5`).
_ENGLISH = re.compile(
    r"all-minilm|all-mpnet|all-distilroberta|multi-qa-|msmarco-|mdbr-leaf|gte-(?:small|base|large)$|(?:^|/)e5-(?:small|base|large)"
    r"|arctic-embed-(?:xs|s|m|l)$|\b(?:en|english)\b"
)
_MANY = re.compile(r"multilingual|\bm3\b|labse|xlm")


def knows(model: str, language: str) -> bool:
    """Whether a model was trained on a language (`de`); True where that is not known, of the model or of the text."""
    name = model.lower().partition("@")[0]
    return language in {"", "en"} or bool(_MANY.search(name)) or not _ENGLISH.search(name)


def unknown_languages(model: str, languages: Iterable[str]) -> str:
    """A sentence about those of the languages that the model does not know; empty where it knows all."""
    unknown = sorted(language for language in languages if not knows(model, language))
    if not unknown:
        return ""
    return (
        f"The embedding model {model.partition('@')[0]} does not know {', '.join(unknown)}, so that transcripts in it are "
        f"found by words alone; to find them by meaning, set SOUNDBITE_EMBEDDING_MODEL={MULTILINGUAL} and run "
        "`soundbite index --rebuild`"
    )
