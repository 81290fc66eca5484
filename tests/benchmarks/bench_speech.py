"""Our way from sound to words beside bare faster-whisper, sequential and batched, with the same model and threads.

`python -m tests.benchmarks speech --recordings DIR --model base`: the sample podcast, recordings made of it (long
silence, noise, music), and those of DIR, which has a manifest.json: a list of `file`, `language`, and `reference` or
`reference_file` (turns may begin with a name). CPU seconds of one thread. What was measured is kept in `--home` and
measured again only where the sound, the model, the library or our code has changed.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from ingest.audio.decode import RATE, Recording, Samples
from ingest.settings import Settings
from ingest.speech import faster_whisper, transcribe
from ingest.speech.decoding import missing
from ingest.speech.faster_whisper import find_speech
from ingest.speech.segments import Word
from ingest.speech.server import wav
from ingest.weights.files import located
from tests.benchmarks.measure import Row, row, seconds
from tests.speech.scores import word_errors

SAMPLE = Path(__file__).parents[1] / "sample"
EPISODES = ("first-calls", "pipeline-review")  # one with music and a sponsor's message, one of talk alone
TALK = 6  # times the episode of talk alone in a row: seven minutes, where what a file costs once hardly counts
EXCERPT = 13  # sentences, half a minute, that harder recordings are made of
WORSE = 0.01  # wrong words by which ours may be worse than the better of the bare ways
CPU = 1.05  # of bare batched, on clean speech
MIXED = 0.25  # wrong words at most, where several languages are in one file
NAME = re.compile(r"^[A-Z]\w*: ", re.MULTILINE)
SHORT = 15.0  # seconds of the recordings that are joined into one of several languages


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording: what is said (None where nobody knows), and when its sentences start where that is known."""

    name: str
    sound: Samples
    text: str | None
    language: str = "en"
    starts: tuple[float, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether it is clear speech in one language, as far as its words are known."""
        return "+" not in self.name and bool(self.text)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one way made of it: words, and what it cost in CPU seconds."""

    words: tuple[Word, ...]
    seconds: float

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words)


def episode(name: str, sentences: int = 0) -> Spoken:
    """An episode of the sample podcast, or its first sentences."""
    lines = json.loads((SAMPLE / "times.json").read_text("utf-8"))[name]
    sound = sound_of(SAMPLE / "audio" / f"{name}.mp3")
    if sentences:
        sound, lines = sound[: round(lines[sentences]["start"] * RATE) - RATE // 5], lines[:sentences]
    return Spoken(name, sound, " ".join(line["text"] for line in lines), starts=tuple(line["start"] for line in lines))


def long_talk() -> Spoken:
    """Clear talk about as long as an episode."""
    one, pause = episode(EPISODES[-1]), np.zeros(RATE, np.float32)
    sound = np.concatenate([x for _ in range(TALK) for x in (one.sound, pause)])
    return Spoken(f"{one.name} x {TALK}", sound, " ".join([str(one.text)] * TALK))


def made(spoken: Spoken) -> Iterator[Spoken]:
    """Harder recordings, made of a clear one."""
    noise = np.random.default_rng(1).standard_normal(60 * RATE).astype(np.float32)
    loud = np.sqrt(np.mean(spoken.sound[np.abs(spoken.sound) > 0.01] ** 2))
    noisy = spoken.sound + noise[: len(spoken.sound)] * loud * 10**-0.5
    yield Spoken(f"{spoken.name} + noise at 10 dB", noisy, spoken.text)
    parts = np.split(spoken.sound, [round(start * RATE) - RATE // 5 for start in spoken.starts[4::4]])
    silence = np.zeros(25 * RATE, np.float32)
    apart = np.concatenate([sound for part in parts for sound in (part, silence)])
    yield Spoken(f"{spoken.name} + 25 s silences", apart, spoken.text)
    moments = np.arange(30 * RATE) / RATE
    chords = sum(np.sin(2 * np.pi * tone * (1 + moments // 4 % 3 / 8) * moments) for tone in (220, 277, 330, 440))
    music = (0.1 * chords * np.exp(-2 * (moments % 0.5))).astype(np.float32)
    yield Spoken("music", music, "")
    yield Spoken("music + speech", np.concatenate([music, spoken.sound]), spoken.text)
    yield Spoken("hiss", 0.05 * noise, "")


def recorded(folder: Path) -> Iterator[Spoken]:
    """The recordings of a folder, and its short ones of several languages joined."""
    short = []
    for entry in json.loads((folder / "manifest.json").read_text("utf-8")):
        text = entry.get("reference")
        if entry.get("reference_file"):
            text = turns((folder / entry["reference_file"]).read_text("utf-8"))
        spoken = Spoken(entry["file"], sound_of(folder / entry["file"]), text, entry["language"])
        yield spoken
        if text and len(spoken.sound) < SHORT * RATE and not entry.get("synthetic"):
            short.append(spoken)
    if len({one.language for one in short}) > 1:
        pause = np.zeros(RATE, np.float32)
        for order in (short, short[::-1]):
            sound = np.concatenate([x for one in order for x in (one.sound, pause)])
            name = " + ".join(one.language for one in order)
            yield Spoken(name, sound, " ".join(str(one.text) for one in order), "")


def turns(text: str) -> str:
    """What is said in a text whose turns begin with names; headings and clocks are not said."""
    lines = text.splitlines()
    named = [line for line in lines if NAME.match(line) and not line.startswith(("Host: ", "Guest: "))]
    return " ".join(NAME.sub("", line) for line in named or lines)


def sound_of(path: Path) -> Samples:
    with Recording(path) as recording:
        return np.concatenate(list(recording.blocks()))


def plain(text: str) -> str:
    return "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))


def sequential(model: Any, sound: Samples, _: Path) -> list[Word]:
    segments, _ = model.transcribe(sound, vad_filter=True, word_timestamps=True, beam_size=5)
    return [Word(word.start, word.end, word.word) for one in segments for word in one.words or ()]


def batched(model: Any, sound: Samples, _: Path) -> list[Word]:
    from faster_whisper import BatchedInferencePipeline

    segments, _ = BatchedInferencePipeline(model).transcribe(sound, word_timestamps=True, beam_size=5, batch_size=4)
    return [Word(word.start, word.end, word.word) for one in segments for word in one.words or ()]


class Ours:
    """Our way; its model is loaded at the first use."""

    def __init__(self, model: str) -> None:
        self.transcriber = transcribe.Transcriber(model, models_dir=Path(), device="cpu", threads=1)
        self.transcriber.load()

    def __call__(self, _: Any, sound: Samples, folder: Path) -> list[Word]:
        file = folder / "sound.wav"
        file.write_bytes(wav(sound))  # sound that differs in its last bit gives other words
        return list(self.transcriber.transcribe(file).words)


class Kept:
    """What was measured before, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def get(self, key: str, make: Callable[[], Heard]) -> Heard:
        if key not in self.known:
            heard = make()
            self.known[key] = [heard.seconds, [[word.start, word.end, word.text] for word in heard.words]]
            self.path.write_text(json.dumps(self.known), "utf-8")
        took, words = self.known[key]
        return Heard(tuple(Word(*word) for word in words), took)


def measured(ways: dict[str, Any], loaded: Any, one: Spoken, kept: Kept, versions: dict[str, str]) -> dict[str, Heard]:
    key = sha256(one.sound.tobytes()).hexdigest()[:16]

    def make(way: str) -> Heard:
        words: list[Word] = []
        took = seconds(lambda: words.extend(ways[way](loaded(), one.sound, kept.path.parent)))
        return Heard(tuple(words), took)

    return {way: kept.get(f"{way} {versions[way]} {key}", lambda way=way: make(way)) for way in ways}


def wrong(one: Spoken, heard: Heard) -> float:
    """The share of wrong words; where nobody speaks, the words invented."""
    if not one.text:
        return float(len(heard.text.split()))
    return word_errors(plain(one.text), plain(heard.text)).rate / 100


def late(one: Spoken, heard: Heard) -> float:
    """The median seconds between a sentence's start and the nearest word's."""
    return median(min(abs(word.start - start) for word in heard.words) for start in one.starts)


def run(model: str, folder: Path | None, home: Path) -> list[Row]:
    from faster_whisper import WhisperModel

    home.mkdir(parents=True, exist_ok=True)
    path = str(located(model, Settings().models_dir))
    kept = Kept(home / f"speech-{model}.json")
    loads: list[Any] = []

    def loaded() -> Any:
        if not loads:
            loads.append(WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=1))
        return loads[0]

    code = sha256(b"".join(file.read_bytes() for file in sorted(Path(faster_whisper.__file__).parent.glob("*.py"))))
    library = version("faster-whisper")
    versions = {"sequential": library, "batched": library, "ours": code.hexdigest()[:8]}
    ways = {"sequential": sequential, "batched": batched, "ours": Ours(path)}
    found = []
    talk = long_talk()
    everything = chain(
        map(episode, EPISODES), [talk], made(episode(EPISODES[-1], EXCERPT)), recorded(folder) if folder else ()
    )
    for spoken in everything:
        one = replace(spoken, sound=(spoken.sound * 32_768).round().clip(-32_768, 32_767).astype(np.float32) / 32_768)
        if model.endswith(".en") and one.language != "en":
            continue
        heard = measured(ways, loaded, one, kept, versions)
        speech = find_speech(one.sound)
        lost = {way: sum(gap.length for gap in missing(speech, each.words)) for way, each in heard.items()}
        rates = {way: wrong(one, each) for way, each in heard.items()}
        found.append((one, heard, rates, lost))
        told = "   -      -      -   " if one.text is None else "  ".join(f"{rates[way]:5.3f}" for way in ways)
        times = "  ".join(f"{late(one, each):4.2f}" for each in heard.values()) if one.starts else ""
        print(
            f"  {one.name[:44]:44} {len(one.sound) / RATE:5.0f} s  {told}   "
            f"{'  '.join(f'{lost[way]:4.1f}' for way in ways)}   "
            f"{'  '.join(f'{each.seconds:5.1f}' for each in heard.values())}   {times}",
            flush=True,
        )
    print("  (recording, its length; then of sequential, batched, ours: wrong words, seconds lost, CPU s, seconds off)")
    heard = next(heard for one, heard, *_ in found if one.name == talk.name)
    cost = row(f"{model}: CPU on clear talk as long as an episode", heard["ours"].seconds / heard["batched"].seconds, f"batched ({heard['batched'].seconds:.0f} s)", most=CPU)  # fmt: skip
    return [*summary(model, found), cost]


def summary(model: str, found: list[tuple[Spoken, dict[str, Heard], dict[str, float], dict[str, float]]]) -> list[Row]:
    known = [(one, rates) for one, _, rates, _ in found if one.text and one.language]
    excess = {one.name: rates["ours"] - min(rates["sequential"], rates["batched"]) for one, rates in known}
    worst = max(excess, key=lambda name: excess[name])
    clean = [heard for one, heard, _, _ in found if one.clean]
    cpu = {way: sum(heard[way].seconds for heard in clean) for way in ("batched", "ours")}
    mixed = [rates["ours"] for one, _, rates, _ in found if not one.language]
    rows = [
        row(f"{model}: wrong words more than the better bare way, at most", excess[worst], worst, most=WORSE, unit=""),
        row(f"{model}: recordings where that is more than {WORSE}", sum(e > WORSE for e in excess.values()), f"of {len(excess)}", unit=""),
        row(f"{model}: speech lost, seconds", sum(lost["ours"] for *_, lost in found), f"sequential {sum(lost['sequential'] for *_, lost in found):.1f}, batched {sum(lost['batched'] for *_, lost in found):.1f}", most=0, unit=""),
        row(f"{model}: CPU on clear speech", cpu["ours"] / cpu["batched"], f"batched ({cpu['batched']:.0f} s)", most=CPU),
        row(f"{model}: words invented in music and hiss", sum(rates["ours"] for one, _, rates, _ in found if one.text == ""), "", most=0, unit=""),
    ]  # fmt: skip
    return rows + (
        [row(f"{model}: wrong words, several languages", max(mixed), "", most=MIXED, unit="")] if mixed else []
    )
