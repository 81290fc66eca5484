"""What our path from a file to a written transcript costs beside a bare faster-whisper call with the same model and options.

`python -m tests.benchmarks.bench_transcribe [minutes] [model]`: CPU seconds of this process (one thread), so that a busy
machine does not show; the two take turns. Decoding again what looks wrong is work that the bare call does not do, and is
shown on a line of its own.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel

from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from ingest.sound import RATE, Recording
from ingest.transcribe import Transcriber, Transcription
from tests.test_transcribe import MODEL, save

SAMPLE = Path(__file__).parents[1] / "sample"
TARGET = 1.03  # of the bare call, for a one-hour file
ROUNDS = 2


def seconds(call: Callable[[], object]) -> tuple[float, object]:
    """CPU seconds of a call, and its result."""
    begun = process_time()
    result = call()
    return process_time() - begun, result


def bare(model: WhisperModel, audio: Path) -> str:
    segments, _ = BatchedInferencePipeline(model).transcribe(
        str(audio), beam_size=5, batch_size=4, temperature=0.0, word_timestamps=True, without_timestamps=False
    )
    return " ".join(segment.text.strip() for segment in segments)


def ours(transcriber: Transcriber, audio: Path, library: Library) -> Transcription:
    made = transcriber.transcribe(audio, checkpoint=library.root / "checkpoint.json")
    (library.root / "checkpoint.json").unlink()
    turns = (Turn(" ".join(segment.text for segment in made.segments)),)
    library.write(Transcript(Episode("bench", "guid", "An hour"), turns, made.segments, provenance=made.provenance))
    return made


def script() -> str:
    return " ".join(
        line.partition(":")[2]
        for path in sorted(SAMPLE.glob("scripts/*.txt"))
        for line in path.read_text().splitlines()
    )


def errors(spoken: str, written: str) -> float:
    """Word error rate."""
    said, heard = (re.findall(r"[a-z']+", text.lower()) for text in (spoken, written))
    row = np.arange(len(heard) + 1)
    for count, word in enumerate(said, 1):
        best = np.minimum(row[1:] + 1, row[:-1] + [word != other for other in heard])
        row = np.minimum.accumulate(np.concatenate([[count], best]) - np.arange(len(row))) + np.arange(len(row))
    return float(row[-1]) / len(said)


def main(minutes: float = 5.7, model: str = MODEL) -> None:
    with TemporaryDirectory() as directory:
        sound = []
        for path in sorted(SAMPLE.glob("audio/*.mp3")):
            with Recording(path) as recording:
                sound.extend(recording.blocks())
        whole = np.concatenate(sound)
        times = max(1, round(minutes * 60 * RATE / len(whole)))
        audio = save(Path(directory) / "long.flac", whole, times)
        length = times * len(whole) / RATE
        library = Library(Path(directory) / "library")
        library.root.mkdir()
        theirs = WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=1)
        mine = Transcriber(model, models_dir=library.root, device="cpu", batch_size=4, threads=1)
        loaded = mine.load()
        with Recording(audio) as recording:
            decoding, blocks = seconds(lambda: np.concatenate(list(recording.blocks())))
        hearing, _ = seconds(lambda: loaded.speech(blocks))
        takes = []
        for _ in range(ROUNDS):
            cost, made = seconds(lambda: ours(mine, audio, library))
            figures = made.provenance["figures"]
            again = cost * figures["seconds_again"] / (figures["real_time_factor"] * length)
            cost_bare, text = seconds(lambda: bare(theirs, audio))
            takes.append((cost - again, again, cost_bare))
        first, again, cost_bare = (min(column) for column in zip(*takes, strict=True))
        spoken = " ".join([script()] * times)
        written = " ".join(segment.text for segment in made.segments)
        hour = 3600 / length
        print(f"{length / 60:.1f} minutes of audio, CPU seconds per hour of it, best of {ROUNDS}:")
        print(f"  bare faster-whisper              {cost_bare * hour:8.1f}   word errors {errors(spoken, text):.1%}")
        print(
            f"  ours, file to written transcript {first * hour:8.1f}   {first / cost_bare:.3f} of bare (at most {TARGET})"
        )
        print(f"    of it decoding the file        {decoding * hour:8.1f}")
        print(f"    of it hearing where speech is  {hearing * hour:8.1f}")
        print(f"  and decoding again what failed   {again * hour:8.1f}   word errors {errors(spoken, written):.1%}")
        print(f"  flag: {made.provenance['flag'] or 'none'}; coverage {figures['coverage']:.1%}")


if __name__ == "__main__":
    main(*(kind(value) for kind, value in zip((float, str), sys.argv[1:], strict=False)))
