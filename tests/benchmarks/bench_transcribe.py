"""What our path from a file to a written transcript costs beside a bare faster-whisper call with the same model and options.

`python -m tests.benchmarks.bench_transcribe --minutes 60` (a quarter of an hour on one core): CPU seconds, one thread, so
that a busy machine hardly shows; each run in a process of its own, so that each has its own peak of memory. Decoding again
what looks wrong is work that the bare call does not do, and is shown on a line of its own.

Seen for an hour with the tests' own model: bare 184 s and 1.5 GB; ours 166 s (0.90) and 0.5 GB, 14 s of it around the
model (hearing speech 10, decoding the file 2, features 2); 32 s more to decode 27 of 427 windows again, after which 3.5 %
of the words are wrong, bare 3.7; one window after another 211 s (1.27 of batched) and 3.3 %.
"""

import argparse
import multiprocessing
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel

from ingest.audio.decode import RATE, Recording, quietest
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript, Turn
from ingest.speech.decoding import within
from ingest.speech.quality import check
from ingest.speech.segments import Word, sentences
from ingest.speech.transcribe import Transcriber, stretches
from ingest.speech.windows import pack
from tests.test_transcribe import MODEL, save

SAMPLE = Path(__file__).parents[1] / "sample"
TARGET = 1.03  # of the bare call, for a one-hour file
BATCH = 4
EPISODE = Episode("bench", "guid", "An hour")


@dataclass(frozen=True)
class Run:
    """One run: CPU seconds, megabytes of memory at most, and what it made."""

    seconds: float
    megabytes: float
    text: str
    words: tuple[Word, ...] = ()
    segments: tuple[Segment, ...] = ()
    figures: dict[str, Any] | None = None
    flag: str = ""

    @property
    def again(self) -> float:
        """CPU seconds spent on decoding again: as large a share of the run as it was of the clock's time."""
        figures = self.figures or {}
        return self.seconds * figures.get("share_again", 0.0)


def bare(model: str, audio: Path) -> Run:
    whisper = WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=1)
    begun = process_time()
    segments, _ = BatchedInferencePipeline(whisper).transcribe(
        str(audio), beam_size=5, batch_size=BATCH, temperature=0.0, word_timestamps=True, without_timestamps=False
    )
    text = " ".join(segment.text.strip() for segment in segments)
    return Run(process_time() - begun, peak(), text)


def ours(model: str, batch: int, audio: Path) -> Run:
    """From the file to the transcript in the library, with checkpoints."""
    transcriber = Transcriber(model, models_dir=audio.parent, device="cpu", batch_size=batch, threads=1)
    transcriber.load()
    with TemporaryDirectory() as directory:
        begun = process_time()
        made = transcriber.transcribe(audio, checkpoint=Path(directory) / "checkpoint.json")
        write(directory, made.segments, made.provenance)
        seconds = process_time() - begun
    figures = made.provenance["figures"]
    figures["share_again"] = figures["seconds_again"] / (figures["real_time_factor"] * made.duration)
    text = " ".join(segment.text for segment in made.segments)
    return Run(seconds, peak(), text, made.words, made.segments, figures, made.provenance["flag"])


def write(directory: str, segments: tuple[Segment, ...], provenance: dict[str, Any]) -> None:
    turns = (Turn(" ".join(segment.text for segment in segments)),)
    library = Library(Path(directory) / "library")
    library.write(Transcript(EPISODE, turns, segments, provenance=provenance))


def around(model: str, audio: Path, made: Run) -> dict[str, float]:
    """CPU seconds of each part of our path that is not the model, done once more by itself."""
    whisper = Transcriber(model, models_dir=audio.parent, device="cpu", threads=1).load()
    features = whisper._model.feature_extractor
    spent: dict[str, float] = {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        begun = process_time()
        result = call()
        spent[name] = spent.get(name, 0.0) + process_time() - begun
        return result

    def decoded() -> None:
        with Recording(audio) as recording:
            for _ in recording.blocks():
                pass

    timed("decoding the file", decoded)
    with Recording(audio) as recording:
        heard = lambda sound: timed("hearing where speech is", partial(whisper.speech, sound))  # noqa: E731 - used once
        for start, samples, speech in stretches(recording.blocks(), heard, window=whisper.window):
            quiet = partial(quietest, samples)
            length = len(samples) / RATE
            windows = timed("packing and checking", partial(pack, speech, length, quiet, whisper.window))
            for window in windows:
                piece = samples[int(window.start * RATE) : int(window.end * RATE)]
                timed("features of the windows", partial(features, piece))
                words = [w for w in made.words if window.start <= w.start - start / RATE < window.end]
                timed("packing and checking", partial(check, within(speech, window), words, 0.0))
    timed("packing and checking", lambda: sentences(made.words))
    with audio.open("rb") as file, TemporaryDirectory() as directory:
        timed("hashing and writing", lambda: file_digest(file, "sha256"))
        timed("hashing and writing", lambda: write(directory, made.segments, made.figures or {}))
    return spent


def peak() -> float:
    """Megabytes of memory that this process had at most."""
    status = Path("/proc/self/status").read_text()  # getrusage would count what the parent had before
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def alone(call: Callable[[], Any]) -> Any:
    """The result of a call in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(call).result()


def script() -> str:
    return " ".join(
        line.partition(":")[2]
        for path in sorted(SAMPLE.glob("scripts/*.txt"))
        for line in path.read_text().splitlines()
    )


def errors(spoken: str, written: str) -> float:
    """Word error rate."""
    names: dict[str, int] = {}
    said, heard = (
        np.array([names.setdefault(word, len(names)) for word in re.findall(r"[a-z']+", text.lower())])
        for text in (spoken, written)
    )
    row = np.arange(len(heard) + 1)
    for count, word in enumerate(said, 1):
        best = np.minimum(row[1:] + 1, row[:-1] + (heard != word))
        row = np.minimum.accumulate(np.concatenate([[count], best]) - np.arange(len(row))) + np.arange(len(row))
    return float(row[-1]) / len(said)


def recorded(directory: Path, minutes: float) -> tuple[Path, int, float]:
    """A file of the sample podcast again and again, how often, and its seconds."""
    sound = []
    for path in sorted(SAMPLE.glob("audio/*.mp3")):
        with Recording(path) as recording:
            sound.extend(recording.blocks())
    whole = np.concatenate(sound)
    times = max(1, round(minutes * 60 * RATE / len(whole)))
    return save(directory / "long.flac", whole, times), times, times * len(whole) / RATE


def table(rows: list[tuple[str, float, str]], hour: float) -> None:
    for name, seconds, more in rows:
        print(f"  {name:34} {seconds * hour:8.1f}   {more}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.6, help="of audio, about (default %(default)s)")
    parser.add_argument("--model", default=MODEL, help="directory of a model (default: the tests' own)")
    parser.add_argument("--rounds", type=int, default=1, help="bare and ours in turn; the best of each counts")
    asked = parser.parse_args()
    with TemporaryDirectory() as directory:
        audio, times, length = alone(partial(recorded, Path(directory), asked.minutes))
        hour, spoken = 3600 / length, " ".join([script()] * times)
        rounds = [
            [alone(partial(job, asked.model, *more, audio)) for job, *more in ((bare,), (ours, BATCH))]
            for _ in range(asked.rounds)
        ]
        theirs, made = (min(column, key=lambda run: run.seconds - run.again) for column in zip(*rounds, strict=True))
        parts = alone(partial(around, asked.model, audio, made))
        first = made.seconds - made.again
        print(f"{length / 60:.1f} minutes of audio, CPU seconds per hour of it, best of {asked.rounds}:")
        wrong = f"word errors {errors(spoken, theirs.text):.1%}, at most {theirs.megabytes:.0f} MB"
        table([("bare faster-whisper, batched", theirs.seconds, wrong)], hour)
        ratio = f"{first / theirs.seconds:.3f} of bare (at most {TARGET}), {first / length:.4f} of real time"
        rows = [("ours, file to written transcript", first, ratio)]
        rows += [(f"  of it {name}", seconds, f"{seconds / first:.1%}") for name, seconds in parts.items()]
        rest = first - sum(parts.values())
        rows += [("  of it the model", rest, f"{rest / first:.1%}")]
        wrong = f"word errors {errors(spoken, made.text):.1%}, at most {made.megabytes:.0f} MB"
        again = f"{len(made.figures['redecoded'])} of {made.figures['windows']} windows; then {wrong}"
        table([*rows, ("and decoding again what failed", made.again, again)], hour)
        print(f"  coverage {made.figures['coverage']:.1%}, flag: {made.flag or 'none'}")
        one = alone(partial(ours, asked.model, 1, audio))
        wrong = f"{(one.seconds - one.again) / first:.2f} of batched; word errors {errors(spoken, one.text):.1%}"
        table([("ours, one window after another", one.seconds - one.again, wrong)], hour)


if __name__ == "__main__":
    main()
