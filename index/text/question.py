"""The words of a question as terms: in every language of the index, as phrases in quotes, and corrected; pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from index.text.language import QUESTION_WORDS, STOP_WORDS
from index.text.phrases import Row, rows_of
from index.text.terms import compounds, is_unspaced, stems, terms_of, tokens

# Straight, English, German and French quotes; one without its partner is an ordinary character.
_QUOTED = re.compile('"([^"]+)"|“([^“”]+)”|„([^„“”]+)[“”]|«([^«»]+)»')


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """One thing a question asks for: any of `forms` is it, the most frequent first; `word` is how it was typed."""

    word: str
    forms: tuple[str, ...]

    @property
    def term(self) -> str:
        """The form that stands for all of them in the collection's statistics."""
        return self.forms[0]

    @property
    def is_subject(self) -> bool:
        """Whether this is worth a mark; `what`, `how` and `my` are not."""
        return self.word.lower() not in QUESTION_WORDS


@dataclass(frozen=True, slots=True)
class Question:
    """What is searched for: `text` for the vector, `terms` for the words.

    Each of `phrases` is a number of rows; a passage answers if it has one row of each phrase.
    `suggestion` is the question with its typing errors corrected, empty where there are none; then all else is of that.
    """

    text: str
    terms: tuple[QueryTerm, ...] = ()
    phrases: tuple[tuple[Row, ...], ...] = ()
    suggestion: str = ""

    @property
    def paired(self) -> bool:
        """Whether a text may write in several words what is one term here, such as `follow up`."""
        return any(len(term.forms) > 1 or "-" in term.word for term in self.terms)


def phrases(text: str) -> list[str]:
    """What stands in quotes."""
    found = (next(filter(None, match.groups()), "") for match in _QUOTED.finditer(text))
    return [phrase for phrase in found if any(character.isalnum() for character in phrase)]


def without_quotes(text: str) -> str:
    """The text without the quotes around phrases, with single spaces."""
    return " ".join(_QUOTED.sub(lambda match: f" {next(filter(None, match.groups()), '')} ", text).split())


def names(text: str, languages: Iterable[str]) -> set[str]:
    """All terms whose numbers must be known to ask for a text in these languages."""
    return {term for language in languages for term in stems(text, language)}


def plain_words(text: str) -> list[str]:
    """The tokens of a text that are letters alone."""
    return [match[0] for match in tokens(text) if match[0].isalpha()]


def lacking(text: str, languages: Sequence[str], counts: Mapping[str, int]) -> list[str]:
    """The words of which no form is counted in any language, stop words aside."""
    return [
        word
        for word in plain_words(text)
        if (forms := [term.text for language in languages for term in terms_of(word, language)])
        and not any(counts.get(form, 0) for form in forms)
    ]


def corrected(text: str, corrections: Mapping[str, str]) -> str:
    """The text with single spaces, and each of these words replaced that has a correction."""
    for match in reversed(list(tokens(text))):
        if correction := corrections.get(match[0], ""):
            correction = correction.lower() if match[0].islower() else correction
            text = text[: match.start()] + correction + text[match.end() :]
    return " ".join(text.split())


def ask(
    text: str, languages: Sequence[str], counts: Mapping[str, int], further: Mapping[str, Sequence[str]] | None = None
) -> Question:
    """The question in the words of these languages, of which `counts` says how many chunks have each.

    `further` are more forms of some of its words.
    """
    plain = without_quotes(text)
    leading = leading_languages(plain, languages)
    rows = (rows_of(phrase, leading) for phrase in phrases(text))
    return Question(plain, tuple(_terms(plain, languages, leading, counts, further or {})), tuple(filter(None, rows)))


def leading_languages(text: str, languages: Sequence[str]) -> list[str]:
    """Those of the languages whose stop words the text has most of; all where it has none."""
    words = [match[0].casefold() for match in tokens(text)]
    known = {language: sum(word in STOP_WORDS.get(language, ()) for word in words) for language in languages}
    return [language for language in languages if known[language] == max(known.values())]


def _terms(
    text: str,
    languages: Sequence[str],
    leading: Collection[str],
    counts: Mapping[str, int],
    further: Mapping[str, Sequence[str]],
) -> Iterator[QueryTerm]:
    """Each word once; the forms that a word has in several languages are one term."""
    said: dict[tuple[int, int], list[str]] = {}
    for language in [*leading, *(other for other in languages if other not in leading)]:
        for place, forms in _forms(text, language, counts):
            if language in leading or place in said:  # else it is a stop word of the language it is asked in
                said.setdefault(place, []).extend(forms)
    typed = [match[0] for match in tokens(text)]
    for i, word in enumerate(typed):
        if (i, 0) in said:
            said[i, 0].extend(further.get(word, ()))
    given: set[str] = set()
    for (i, _), forms in sorted(said.items()):
        unique = tuple(sorted(dict.fromkeys(forms), key=lambda form: -counts.get(form, 0)))
        if unique[0] not in given:
            given.add(unique[0])
            yield QueryTerm(typed[i], unique)


def _forms(text: str, language: str, counts: Mapping[str, int]) -> Iterator[tuple[tuple[int, int], list[str]]]:
    """The forms of each term, with the number of its token and its own within that."""
    words = [match[0] for match in tokens(text)]
    further: dict[int, list[str]] = {}
    for begin, end, term in compounds(words, language):
        if counts.get(term, 0):
            place = next((i for i in range(begin, end) if terms_of(words[i], language)), begin)
            further.setdefault(place, []).append(term)
            if end - begin > 2:  # `one on one` is nothing but the compound
                words[begin:end] = ["-".join(words[begin:end]), *[""] * (end - begin - 1)]
    for i, word in enumerate(words):
        terms = terms_of(word, language) if word else ()
        said = [term for term in terms if not term.beside]
        whole = [term for term in terms if term.beside and (term.begin, term.end) == (0, len(word))]
        parts = [term for term in terms if term.beside and term not in whole and not is_unspaced(word)]
        if parts and not any(counts.get(term.text, 0) for term in [*said, *whole]):
            said = parts  # nobody writes this compound as one word
        others = [*(term.text for term in whole), *further.get(i, ())]
        for j, found in enumerate(said):
            yield (i, j), [found.text, *(others if j == 0 or whole else ())]
