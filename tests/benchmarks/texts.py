"""What search is measured on: a folder of transcripts with judged questions, or else the bundled sample podcast."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from index.build import update
from index.chunk import split
from index.open import open_searcher
from index.search import Searcher
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript, Turn
from ingest.settings import Settings
from tests.benchmarks.judging import read_file
from tests.benchmarks.questions import Judged

SAMPLE = Path(__file__).parents[1] / "sample"
PIECES = 200  # word pieces of a peer's passage: what a reader sees of ours


@dataclass(frozen=True, slots=True)
class Texts:
    """A library with its questions, and our index of it."""

    library: Library
    questions: list[Judged]
    searcher: Searcher
    home: Path


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage as any other system would be given it."""

    episode: str
    text: str


def texts(folder: Path, home: Path) -> Texts:
    """Index the folder under `home`, unless that is done; the sample podcast where there is no such folder."""
    judged = (folder / "questions.jsonl").exists()
    if not judged:
        home = home.with_name(f"{home.name}-sample")
    library = Library(folder) if judged else sample(home / "library")
    searcher = open_searcher(Settings(home=home))
    told = [0]

    def progress(step):
        if step.done >= told[0] + 10:
            told[0] = step.done
            print(
                f"  indexed {step.done} of {step.total} episodes, {step.chunks_per_second} chunks a second", flush=True
            )

    update(library, searcher.store, searcher.embedder, progress)
    questions = (folder if judged else SAMPLE) / "questions.jsonl"
    return Texts(library, read_file(questions, library), searcher, home)


def sample(root: Path) -> Library:
    """The sample podcast as transcripts, under the titles that its questions name."""
    library = Library(root)
    rows = [json.loads(line) for line in (SAMPLE / "questions.jsonl").read_text("utf-8").splitlines()]
    titles = {row["episode"]: row["episode_id"] for row in rows if row.get("episode_id")}
    for name, said in json.loads((SAMPLE / "times.json").read_text("utf-8")).items():
        turns = tuple(Turn(one["text"], one["speaker"]) for one in said)
        segments = tuple(Segment(one["start"], one["end"], one["text"], one["speaker"]) for one in said)
        library.write(Transcript(Episode("sample", name, titles.get(name, name)), turns, segments))
    return library


def pieces(given: Texts) -> list[Piece]:
    """All transcripts cut into passages of whole sentences."""
    found = []
    for path in given.library.paths():
        transcript = given.library.read(path)
        cut = split(transcript, given.searcher.embedder.count, PIECES, 0, PIECES)
        found += [Piece(transcript.episode.guid, chunk.text) for chunk in cut]
    return found


def vectors(given: Texts, cut: list[Piece]) -> np.ndarray:
    """Their vectors by the same model, kept beside the index."""
    mark = sha256("\0".join([given.searcher.embedder.name, *(piece.text for piece in cut)]).encode()).hexdigest()[:12]
    path = given.home / f"passages-{mark}.npy"
    if not path.exists():
        parts = []
        for begin in range(0, len(cut), 500):
            parts.append(given.searcher.embedder.embed_passages([piece.text for piece in cut[begin : begin + 500]]))
            print(f"  embedded {begin + len(parts[-1])} of the peers' {len(cut)} passages", flush=True)
        np.save(path, np.concatenate(parts))
    return np.load(path)
