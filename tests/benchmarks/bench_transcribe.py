"""What our path from a file to a written transcript costs beside bare faster-whisper with the same model and options.

`python -m tests.benchmarks transcribe --minutes 60`: CPU seconds, one thread, each run in a process of its own.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ingest.audio.decode import RATE, Recording
from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from ingest.settings import Settings
from ingest.speech.transcribe import Transcriber
from ingest.weights.files import located
from tests.benchmarks.measure import Row, peak, row, seconds
from tests.flac import write_flac
from tests.speech.scores import word_errors

TESTS = Path(__file__).parents[1]
MODEL = "tiny.en"
TARGET = 1.05
BATCH = 4


@dataclass(frozen=True, slots=True)
class Spent:
    """One run: CPU seconds, megabytes at most, and the text that it made."""

    seconds: float
    megabytes: float
    text: str


def bare(model: str, audio: Path) -> Spent:
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    pipeline = BatchedInferencePipeline(WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=1))
    options: dict[str, Any] = {"beam_size": 5, "batch_size": BATCH, "word_timestamps": True}
    parts: list[str] = []
    took = seconds(lambda: parts.extend(one.text.strip() for one in pipeline.transcribe(str(audio), **options)[0]))
    return Spent(took, peak(), " ".join(parts))


def ours(model: str, audio: Path) -> Spent:
    """From the file to the transcript in the library, with checkpoints."""
    transcriber = Transcriber(model, models_dir=audio.parent, device="cpu", threads=1)
    transcriber.load()
    made = []

    def whole(folder: Path) -> None:
        made.append(transcriber.transcribe(audio, checkpoint=folder / "checkpoint.json"))
        turns = (Turn(" ".join(one.text for one in made[0].segments)),)
        episode = Episode("bench", "guid", "An hour")
        Library(folder / "library").write(Transcript(episode, turns, made[0].segments, provenance=made[0].provenance))

    with TemporaryDirectory() as folder:
        took = seconds(lambda: whole(Path(folder)))
    return Spent(took, peak(), " ".join(one.text for one in made[0].segments))


def recorded(folder: Path, minutes: float) -> tuple[Path, int, float]:
    """The sample podcast again and again as one 16 kHz file: where, how many times, and its seconds."""
    sound = []
    for path in sorted((TESTS / "sample").glob("audio/*.mp3")):
        with Recording(path) as recording:
            sound.extend(recording.blocks())
    samples = np.concatenate(sound)
    times = max(1, round(minutes * 60 * RATE / len(samples)))
    return write_flac(folder / "long.flac", samples, times), times, times * len(samples) / RATE


def spoken(times: int) -> str:
    """What is said in that file."""
    paths = sorted((TESTS / "sample").glob("scripts/*.txt"))
    lines = [line.partition(":")[2] for path in paths for line in path.read_text("utf-8").splitlines()]
    return " ".join(lines * times)


def _apart(call: Any, *arguments: Any) -> Any:
    """The result of a call in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(call, *arguments).result()


def run(minutes: float, model: str = MODEL) -> list[Row]:
    model = str(located(model, Settings().models_dir))
    with TemporaryDirectory() as folder:
        audio, times, length = _apart(recorded, Path(folder), minutes)
        print(f"  transcribing {length / 60:.1f} minutes of audio twice", flush=True)
        theirs, mine = (_apart(call, model, audio) for call in (bare, ours))
    wrong = [word_errors(spoken(times), one.text).rate / 100 for one in (theirs, mine)]
    peer = f"bare batched faster-whisper ({theirs.seconds:.0f} s"
    return [
        row(
            f"transcribing {length / 60:.1f} minutes, CPU time",
            mine.seconds / theirs.seconds,
            f"{peer}; ours {mine.seconds:.0f} s)",
            most=TARGET,
        ),
        row("word errors", wrong[1] / wrong[0], f"the same ({wrong[0]:.1%}; ours {wrong[1]:.1%})"),
        row(
            "peak memory",
            mine.megabytes / theirs.megabytes,
            f"the same ({theirs.megabytes:.0f} MB; ours {mine.megabytes:.0f} MB)",
        ),
    ]
