"""Puts a question in the terms of the index: its languages, what its words mean there, and which are mistyped."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from index.scoring import TermFrequencies
from index.store.schema import EPISODES, LANGUAGE, LENGTH, PASSAGES
from index.store.term_counts import Terms
from index.text import question as words
from index.text.language import ENGLISH, stemmed_as
from index.text.question import Question

GERMAN = "de"  # writes compounds as one word, and nouns so that they can be told


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in the index's terms, their statistics, how many episodes there are, and their languages (codes, `de`).

    `version` is the index's, see `Store.version`.
    """

    question: Question
    frequencies: TermFrequencies
    episodes: int = 0
    languages: frozenset[str] = frozenset()
    version: str = ""


async def ask(terms: Terms, text: str) -> Asked:
    """A question as the index understands it; with its typing errors corrected in words that the index lacks."""
    counts, languages = await _counts(terms, text)
    stemming = sorted({stemmed_as(language) for language in languages}) or [ENGLISH]
    suggestion = ""
    if lacking := words.lacking(text, stemming, counts):
        vocabulary = await terms.vocabulary()
        corrections = {word: vocabulary.correction(word) for word in lacking}
        if any(corrections.values()):
            text = suggestion = words.corrected(text, corrections)
            counts, languages = await _counts(terms, text)
    compounds: dict[str, list[str]] = {}
    if GERMAN in languages:
        vocabulary = await terms.vocabulary()
        for word in words.plain_words(text):
            found = vocabulary.compounds(word)
            compounds[word], counts = list(found), counts | found
    question = words.ask(text, stemming, counts, compounds)
    frequencies = TermFrequencies(counts.get(PASSAGES, 0), counts.get(LENGTH, 0), counts)
    return Asked(replace(question, suggestion=suggestion), frequencies, counts.get(EPISODES, 0), languages)


async def _counts(terms: Terms, text: str) -> tuple[dict[str, int], frozenset[str]]:
    """How many chunks have each term that the text may mean, and the languages of the index."""
    counts: dict[str, int] = {}
    known = {ENGLISH}
    while True:
        counts |= await terms.lookup(words.names(text, known), totals=True)
        languages = frozenset(_languages(counts))
        stemming = {stemmed_as(language) for language in languages}
        if stemming <= known:
            return counts, languages
        known |= stemming  # few indexes have another language than English


def _languages(counts: dict[str, int]) -> Iterable[str]:
    return (name.removeprefix(LANGUAGE) for name, count in counts.items() if name.startswith(LANGUAGE) and count > 0)
