"""Measure a model directory on freshly synthesised speech, through the real faster-whisper. Needs espeak-ng.

python -m tests.speech.evaluate tests/speech/model            # a few minutes on one core
python -m tests.speech.evaluate tests/speech/model --quick    # a third of the sentences
"""

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import count as counter
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel, decode_audio

from tests.speech.scores import Errors, Word, middle, nearest_starts, time_errors, total, word_errors
from tests.speech.sentences import sentence
from tests.speech.synthesize import RATE, Speech, say, through_mp3

HERE = Path(__file__).parent
SAMPLE = HERE.parent / "sample"
SEED = 20_000_001  # far from every seed of the training sentences
SHORTEST = 5  # words
KNOWN = ("en-us", "en-us+f3", "en-us+m3", "en")
STEADY = {
    "beam_size": 5,
    "temperature": 0,
    "condition_on_previous_text": False,
}  # no sampling: the same text every time


class Recording(NamedTuple):
    """Samples at `RATE` and what is said in them; `starts` of the sentences in seconds."""

    samples: np.ndarray
    text: str
    words: list[Word]
    starts: list[float]


def record(
    texts: Iterable[str], voice: str, speed: int, draw: random.Random, pause: tuple[float, float] = (0.2, 1.0)
) -> Recording:
    """The sentences one after the other, with pauses in seconds between them."""
    parts, words, starts, length = [], [], [], 0
    spoken = list(texts)
    for text in spoken:
        speech: Speech = say(text, voice, speed)
        at = length / RATE
        words += [Word(w.text, w.start + at, w.end + at) for w in speech.words]
        starts.append(words[-len(speech.words)].start)
        parts += [speech.samples, np.zeros(round(draw.uniform(*pause) * RATE), np.float32)]
        length += len(parts[-2]) + len(parts[-1])
    return Recording(np.concatenate(parts), " ".join(spoken), words, starts)


def compressed(recording: Recording, rate: int = 22_050) -> Recording:
    """The recording after MP3 at 64 kb/s."""
    return recording._replace(samples=through_mp3(recording.samples, rate))


@cache
def formulas() -> frozenset[str]:
    """Sentences that the grammar draws often ("Let me ask you a question."): training is sure to have heard them."""
    drawn = Counter(sentence(draw, loose=0) for draw in [random.Random(SEED - 1)] for _ in range(8000))
    return frozenset(text for text, times in drawn.items() if times > 1)


def unseen(count: int, seed: int) -> list[str]:
    """Sentences of the grammar by another seed than training's, without very short ones and formulas."""
    draw = random.Random(SEED + seed)
    drawn = (sentence(draw, loose=0) for _ in counter())
    return list(islice((t for t in drawn if len(t.split()) >= SHORTEST and t not in formulas()), count))


def singles(texts: list[str], voices: tuple[str, ...] = KNOWN, speed: int = 160) -> Iterator[Recording]:
    """One recording a sentence, the voices in turn."""
    draw = random.Random(SEED)
    for index, text in enumerate(texts):
        yield record([text], voices[index % len(voices)], speed, draw)


def sample_episodes() -> Iterator[tuple[str, Recording]]:
    """The sample podcast's episodes by their names, as they are committed."""
    for script in sorted((SAMPLE / "scripts").glob("*.txt")):
        text = " ".join(line.split(": ", 1)[1] for line in script.read_text(encoding="utf-8").splitlines())
        samples = decode_audio(str(next((SAMPLE / "audio").glob(script.stem + ".*"))))
        yield script.stem, Recording(samples, text, [], [])


def sets(share: float) -> dict[str, Callable[[], Iterable[Recording]]]:
    """Every set by name, made when it is asked for; `share` of the sentences."""
    count = round(60 * share)
    free = (HERE / "free_sentences.txt").read_text(encoding="utf-8").splitlines()[: count or None]
    draw = random.Random(SEED)
    long = {
        f"{minutes} min {voice}": (lambda v=voice, s=seed: [record(unseen(round(75 * share), s), v, 160, draw)])
        for minutes, voice, seed in ((5, "en-us", 3), (5, "en-us+f3", 4))
    }
    return {
        "known voices, single sentences": lambda: singles(unseen(count, 1)),
        "the same after MP3 64 kb/s": lambda: map(compressed, singles(unseen(count, 1))),
        "free English, single sentences": lambda: singles(free),
        "free English, one recording": lambda: [record(free, "en-us", 160, draw)],
        "free English, one recording, MP3": lambda: [compressed(record(free, "en-us+f3", 160, draw))],
        **long,
        "5 min en-us, MP3 64 kb/s": lambda: [compressed(record(unseen(round(75 * share), 3), "en-us", 160, draw))],
        "sample podcast as committed": lambda: (recording for _, recording in sample_episodes()),
        "sample podcast, MP3 64 kb/s": lambda: (compressed(recording) for _, recording in sample_episodes()),
        "unseen speed, 120 words a minute": lambda: singles(unseen(count // 2, 5), speed=120),
        "unseen speed, 220 words a minute": lambda: singles(unseen(count // 2, 5), speed=220),
        "unseen voice en-us+m7": lambda: singles(unseen(count // 2, 6), ("en-us+m7",)),
        "unseen voice en-us+f5": lambda: singles(unseen(count // 2, 6), ("en-us+f5",)),
        "unseen voice en-gb-scotland": lambda: singles(unseen(count // 2, 6), ("en-gb-scotland",)),
    }


def measure(transcribe: Callable, recordings: Iterable[Recording]) -> dict[str, float]:
    """WER in percent, median seconds of segment starts and word times, and time spent per second of sound."""
    errors: list[Errors] = []
    segment_off, word_off, seconds, began = [], [], 0.0, time.perf_counter()
    for recording in recordings:
        segments = list(transcribe(recording.samples)[0])
        errors.append(word_errors(recording.text, " ".join(s.text for s in segments)))
        seconds += len(recording.samples) / RATE
        if recording.starts:
            segment_off += nearest_starts(recording.starts, [s.start for s in segments])
        if recording.words:
            heard = [Word(w.word, w.start, w.end) for s in segments for w in s.words or []]
            word_off += time_errors(recording.words, heard)
    sum_ = total(errors)
    row = {"wer": round(sum_.rate, 1), "words": sum_.spoken, "segment": round(float(middle(segment_off)), 3)}
    return row | {"word": round(float(middle(word_off)), 3), "speed": round((time.perf_counter() - began) / seconds, 3)}


def ways(model: WhisperModel) -> dict[str, Callable]:
    """The ways to call faster-whisper that the figures are given for."""
    batched = BatchedInferencePipeline(model)
    return {
        "sequential": lambda a: model.transcribe(a, word_timestamps=True, **STEADY),
        "with previous text": lambda a: model.transcribe(
            a, word_timestamps=True, **STEADY | {"condition_on_previous_text": True}
        ),
        "batched": lambda a: batched.transcribe(a, batch_size=4, word_timestamps=True, **STEADY),
        "batched, timestamps": lambda a: batched.transcribe(
            a, batch_size=4, without_timestamps=False, word_timestamps=True, **STEADY
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--quick", action="store_true", help="a third of the sentences")
    parser.add_argument("--only", default="", help="only the sets whose name holds this")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    model = WhisperModel(str(arguments.model), device="cpu", compute_type="int8", cpu_threads=1)
    figures = {}
    for name, recordings in sets(1 / 3 if arguments.quick else 1).items():
        if arguments.only not in name:
            continue
        made = list(recordings())
        single = "single" in name or "unseen" in name or "the same" in name
        for way, transcribe in ways(model).items():
            rare = way == "with previous text" and ("podcast as" not in name or arguments.quick)
            if rare or (single and way != "sequential"):
                continue
            figures[f"{name} | {way}"] = measure(transcribe, made)
            print(f"{name:36s} {way:20s}", figures[f"{name} | {way}"], flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
