"""Two indexes side by side on saved questions: what a change of the embedding model does to their answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.query import Hit, Query
from index.search import Searcher

DEPTH = 5  # hits of each question that are compared


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first hits of a question, and how many of the first `DEPTH` episodes both indexes name."""

    question: str
    before: Hit | None
    after: Hit | None
    shared: int

    @property
    def same_first(self) -> bool:
        """Whether both begin with the same words, or both find nothing."""
        return _words(self.before) == _words(self.after)


def compare(questions: Sequence[str], before: Searcher, after: Searcher) -> Iterator[Comparison]:
    """Ask both every question. Raises what `Searcher.search` raises."""
    for question in questions:
        old, new = (searcher.search(Query(question, limit=DEPTH)).hits for searcher in (before, after))
        shared = {hit.key for hit in old} & {hit.key for hit in new}
        yield Comparison(question, next(iter(old), None), next(iter(new), None), len(shared))


def _words(hit: Hit | None) -> tuple[str, str]:
    return (hit.key, hit.answer.text) if hit else ("", "")
