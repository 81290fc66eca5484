"""What search is measured on: a folder of transcripts with judged questions, or the bundled sample podcast."""

import json
import shutil
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from index.build import update
from index.chunk import split
from index.open import open_searcher
from index.search import Searcher
from ingest.errors import IndexMismatchError, NotFoundError
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript, Turn
from ingest.settings import Settings
from ingest.transcripts.document import text_body
from tests.benchmarks.evaluation import Passage
from tests.benchmarks.questions import Judged, read_questions, tokens

SAMPLE = Path(__file__).parents[1] / "sample"
PIECES = 200  # word pieces of another system's passage: about as long as ours
FOLDER = "DIR holds corpus/*.md (transcripts as Soundbite writes them) and questions.jsonl (judged questions)"


@dataclass(frozen=True, slots=True)
class Corpus:
    """A library with its questions, and our index of it, all under `home`."""

    library: Library
    questions: list[Judged]
    searcher: Searcher
    home: Path

    def holds(self, questions: Path) -> bool:
        """Whether these questions are about this library."""
        try:
            return bool(read_judged(questions, self.library))
        except (NotFoundError, ValueError):
            return False


def open_corpus(folder: Path | None, home: Path, most: int = 0) -> Corpus:
    """The folder's transcripts (the first `most`, if that is set) indexed under `home`; without a folder the sample's."""
    home /= f"{folder.resolve().name}{most or ''}" if folder else "sample"
    library = copied(folder, home / "library", most) if folder else sample(home / "library")
    searcher = open_searcher(Settings(home=home))
    try:
        update(library, searcher.store, searcher.embedder, _told)
    except IndexMismatchError:  # of an earlier version
        update(library, searcher.store, searcher.embedder, _told, rebuild=True)
    questions = read_judged((folder or SAMPLE) / "questions.jsonl", library, partly=bool(most))
    return Corpus(library, questions, searcher, home)


def _told(step) -> None:
    if step.done % 10 == 0:
        print(f"  indexed {step.done} of {step.total} episodes", flush=True)


def copied(folder: Path, root: Path, most: int) -> Library:
    """The folder's transcripts in a library of ours, so that nothing is written beside them."""
    if not (folder / "questions.jsonl").exists():
        raise SystemExit(f"There is no {folder / 'questions.jsonl'}: {FOLDER}.")
    (root / "corpus").mkdir(parents=True, exist_ok=True)
    for path in sorted((folder / "corpus").glob("*.md"))[: most or None]:
        for source in (path, path.with_suffix(".json")):
            target = root / "corpus" / source.name
            if source.exists() and not target.exists():
                shutil.copy2(source, target)
    return Library(root)


def sample(root: Path) -> Library:
    """The sample podcast as transcripts, under the titles that its questions name."""
    library = Library(root)
    entries = [json.loads(line) for line in (SAMPLE / "questions.jsonl").read_text("utf-8").splitlines()]
    titles = {entry["episode"]: entry["episode_id"] for entry in entries if entry.get("episode_id")}
    for name, said in json.loads((SAMPLE / "times.json").read_text("utf-8")).items():
        turns = tuple(Turn(one["text"], one["speaker"]) for one in said)
        segments = tuple(Segment(one["start"], one["end"], one["text"], one["speaker"]) for one in said)
        library.write(Transcript(Episode("sample", name, titles.get(name, name)), turns, segments))
    return library


def read_judged(path: Path, library: Library, *, partly: bool = False) -> list[Judged]:
    """The questions of a file; with `partly`, only what the library can answer, and what nothing answers."""

    @cache
    def words_of(episode: str) -> list[str]:
        return tokens(text_body(library.read(library.find(episode).name).turns))

    questions = read_questions(path, words_of)
    if not partly:
        return questions
    held = {document.guid for document in library.documents()}
    inside = {one.id: tuple(place for place in one.places if place.episode in held) for one in questions}
    return [replace(one, places=inside[one.id]) for one in questions if inside[one.id] or not one.places]


def transcripts(given: Corpus) -> list[Transcript]:
    return [given.library.read(document.name) for document in given.library.documents()]


def pieces(given: Corpus) -> list[Passage]:
    """All transcripts cut into passages of whole sentences, as other systems are given them."""
    count = given.searcher.embedder.count
    return [
        Passage((transcript.episode.guid, transcript.episode.title), chunk.text)
        for transcript in transcripts(given)
        for chunk in split(transcript, count, PIECES, 0, PIECES)
    ]


def vectors(given: Corpus, cut: list[Passage]) -> np.ndarray:
    """Their vectors by our model, float32 [passages, dimension], kept beside the index."""
    embedder = given.searcher.embedder
    mark = sha256("\0".join([embedder.name, *(one.text for one in cut)]).encode()).hexdigest()[:12]
    path = given.home / f"passages-{mark}.npy"
    if not path.exists():
        parts = []
        for begin in range(0, len(cut), 500):
            parts.append(embedder.embed_passages([one.text for one in cut[begin : begin + 500]]))
            print(f"  embedded {begin + len(parts[-1]):,} of the other systems' {len(cut):,} passages", flush=True)
        np.save(path, np.concatenate(parts))
    return np.load(path)


class Embedded:
    """Our embedder with the questions' vectors made beforehand, in `known`, so that searching alone is measured."""

    def __init__(self, embedder, questions) -> None:
        self._embedder = embedder
        self.known = {question: embedder.embed_query(question) for question in questions}
        self._corrected = {}

    def __getattr__(self, name):
        return getattr(self._embedder, name)

    def embed_query(self, text):
        if text not in self.known and text not in self._corrected:  # a question without its typing errors
            self._corrected[text] = self._embedder.embed_query(text)
        return self.known[text] if text in self.known else self._corrected[text]

    def embed_queries(self, texts):
        return np.array([self.embed_query(text) for text in texts], np.float32)
