"""Puts a question in the terms of the index: its languages, what its words mean there, and which are mistyped."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from index.scoring import TermFrequencies
from index.store.generations import Tables
from index.store.schema import LANGUAGE, LENGTH, PASSAGES
from index.store.term_counts import lookup
from index.text import question as words
from index.text.language import ENGLISH, stemmed_as
from index.text.question import Question
from index.text.vocabulary import Vocabulary

GERMAN = "de"  # writes compounds as one word, and nouns so that they can be told


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in the index's terms, their statistics, and the languages of its transcripts (codes, `de`)."""

    question: Question
    frequencies: TermFrequencies
    languages: frozenset[str] = frozenset()


class Vocabularies:
    """The words of an index, read where a question needs them and again once they have changed."""

    def __init__(self) -> None:
        self._read: tuple[Any, Vocabulary] | None = None

    async def of(self, tables: Tables) -> Vocabulary:
        """The words as they are now."""
        version = tables.generation, await tables.terms.version()
        if self._read is None or self._read[0] != version:
            self._read = version, await _vocabulary(tables.terms)
        return self._read[1]


async def ask(tables: Tables, text: str, vocabularies: Vocabularies) -> Asked:
    """A question as the index understands it; with its typing errors corrected in words that the index lacks."""
    counts, languages = await _counts(tables.terms, text)
    stemming = sorted({stemmed_as(language) for language in languages}) or [ENGLISH]
    suggestion = ""
    if lacking := words.lacking(text, stemming, counts):
        vocabulary = await vocabularies.of(tables)
        corrections = {word: vocabulary.correction(word) for word in lacking}
        if any(corrections.values()):
            text = suggestion = words.corrected(text, corrections)
            counts, languages = await _counts(tables.terms, text)
    compounds: dict[str, list[str]] = {}
    if GERMAN in languages:
        vocabulary = await vocabularies.of(tables)
        for word in words.plain_words(text):
            found = vocabulary.compounds(word)
            compounds[word], counts = list(found), counts | found
    question = words.ask(text, stemming, counts, compounds)
    frequencies = TermFrequencies(counts.get(PASSAGES, 0), counts.get(LENGTH, 0), counts)
    return Asked(replace(question, suggestion=suggestion), frequencies, languages)


async def _counts(terms: Any, text: str) -> tuple[dict[str, int], frozenset[str]]:
    """How many chunks have each term that the text may mean, and the languages of the index."""
    counts: dict[str, int] = {}
    known = {ENGLISH}
    while True:
        counts |= await lookup(terms, {PASSAGES, *words.names(text, known)}, totals=True)
        languages = frozenset(_languages(counts))
        stemming = {stemmed_as(language) for language in languages}
        if stemming <= known:
            return counts, languages
        known |= stemming  # few indexes have another language than English


def _languages(counts: dict[str, int]) -> Iterable[str]:
    return (name.removeprefix(LANGUAGE) for name, count in counts.items() if name.startswith(LANGUAGE) and count > 0)


async def _vocabulary(terms: Any) -> Vocabulary:
    rows = (await terms.query().where("chunks > 0").select(["term", "chunks", "words"]).to_arrow()).to_pylist()
    written = [(*word.partition(":")[::2], row) for row in rows for word in row["words"] or ()]
    chunks = next((row["chunks"] for row in rows if row["term"] == PASSAGES), 0)
    return Vocabulary(
        words=[word for _, word, _ in written],
        terms=[row["term"] for *_, row in written],
        languages=[language for language, *_ in written],
        counts=[row["chunks"] for *_, row in written],
        chunks=chunks,
    )
