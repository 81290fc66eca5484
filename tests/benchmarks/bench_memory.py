"""What a worker holds after each of 20 episodes, and at most in a long one; `… memory [--minutes M] [--long MINUTES]`.

Speech model, download, library, ledger and index are real, and each step is a run's own. An episode is sound of the
sample podcast in another order, loudness and noise. With `--long`, one episode of that length, of which a sixth is
speech, is compared with one of ten minutes, each in a process of its own.
"""

import multiprocessing
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from flows import run as runs
from flows.context import open_context
from flows.progress import Reporter
from index.embed.sentence_transformers import SentenceEmbedder
from index.open import EXPORTS
from ingest.audio.decode import RATE, Recording, Samples
from ingest.settings import Settings
from tests.benchmarks.bench_transcribe import TESTS, _apart
from tests.benchmarks.measure import Row, peak, row
from tests.flac import write_flac
from tests.flows.test_run import feed, subscribe
from tests.podcast_host import PodcastHost, document

EPISODES, SETTLED = 20, 10  # episodes, and the one after which a worker's memory is compared
MOST = 1.05
SHORT = 10.0  # minutes, beside a long one
SPEECH, PERIOD = 20, 120  # seconds of speech in so many of a long episode, else it would take an hour to run


def episodes(folder: Path, lengths: Sequence[float], *, sparse: bool) -> list[Path]:
    """Files of so many minutes each, with the sample podcast's sound from another place on, louder or softer, in noise.

    With pauses where they are `sparse`.
    """
    sound = []
    for path in sorted((TESTS / "sample").glob("audio/*.mp3")):
        with Recording(path) as recording:
            sound.extend(recording.blocks())
    spoken = np.concatenate(sound)
    return [episode(folder, seed, spoken, round(each * 60 * RATE), sparse=sparse) for seed, each in enumerate(lengths)]


def episode(folder: Path, seed: int, spoken: Samples, length: int, *, sparse: bool) -> Path:
    random = np.random.default_rng(seed)
    spoken = np.roll(spoken, -int(random.integers(len(spoken))))
    made: Samples = np.resize(spoken, length) * np.float32(random.uniform(0.5, 1.0))
    if sparse:
        for start in range(SPEECH * RATE, length, PERIOD * RATE):
            made[start : start + (PERIOD - SPEECH) * RATE] = 0
    for start in range(0, length, 60 * RATE):
        piece = made[start : start + 60 * RATE]
        piece += random.normal(0, 0.002, len(piece)).astype(np.float32)
    return write_flac(folder / f"{seed}.flac", np.clip(made, -1, 1))


def serve(audio: Sequence[Path], told: Connection) -> None:
    newest = datetime(2026, 1, 5, 8, tzinfo=UTC)
    dates = {f"e{n}": format_datetime(newest - timedelta(days=n), usegmt=True) for n in range(len(audio))}
    with PodcastHost() as host:
        host.serve("/feed.xml", document(feed(*dates, dates=dates)))
        for guid, path in zip(dates, audio, strict=True):
            host.serve(f"/audio/{guid}.mp3", document(path.read_bytes(), "audio/flac"))
        told.send(host.url("/feed.xml"))
        told.recv()


@contextmanager
def hosted(audio: Sequence[Path]) -> Iterator[str]:
    """The feed's address at a host in another process, whose memory is not ours."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    serving = context.Process(target=serve, args=(audio, theirs), daemon=False)
    serving.start()
    try:
        yield ours.recv()
    finally:
        ours.send("over")
        serving.join()


def resident() -> float:
    """Megabytes that this process holds now (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def forget_peak() -> None:
    """Let `peak` begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def worked(model: str, encoder: Path, home: Path, url: str) -> list[tuple[float, float]]:
    """Megabytes after each episode, and at most during it."""
    (home / "index").mkdir(parents=True)
    (home / "index" / EXPORTS).symlink_to(encoder.absolute())
    found = []
    with open_context(Settings(home=home, allow_hosts="127.0.0.1", whisper_model=model)) as context:
        subscribe(context, url)
        for number, record in enumerate(context.ingest.ledger.records(), 1):
            forget_peak()
            report = runs.take_one(context, Reporter(None), record.episode.key)
            assert len(report.new) == 1, report
            found.append((resident(), peak()))
            print(f"  episode {number:2}: {found[-1][0]:.0f} MB, {found[-1][1]:.0f} MB at most", flush=True)
    return found


def measured(model: str, encoder: Path, audio: Sequence[Path], home: Path) -> list[tuple[float, float]]:
    with hosted(audio) as url:
        return _apart(worked, model, encoder, home, url)


def exported(encoder: Path) -> None:
    SentenceEmbedder("all-MiniLM-L6-v2", encoder).embed_query("hello")


def run(model: str, home: Path, minutes: float, long: float) -> list[Row]:
    encoder = home / EXPORTS
    _apart(exported, encoder)
    with TemporaryDirectory(prefix="soundbite-bench-") as temporary:
        folder = Path(temporary)
        if long:
            audio = _apart(partial(episodes, sparse=True), folder, (SHORT, long))
            (few,), (many,) = (measured(model, encoder, [each], folder / f"home {each.stem}") for each in audio)
            told = f"{SHORT:g} minutes ({few[1]:.0f} MB; {many[1]:.0f} MB)"
            return [row(f"memory at most, an episode of {long:g} minutes", many[1] / few[1], told)]
        audio = _apart(partial(episodes, sparse=False), folder, [minutes] * EPISODES)
        found = measured(model, encoder, audio, folder / "home")
    after = [one for one, _ in found]
    told = f"after {SETTLED} ({after[SETTLED - 1]:.0f} MB; after {EPISODES} {after[-1]:.0f} MB)"
    return [row(f"memory of a worker after {EPISODES} episodes", after[-1] / after[SETTLED - 1], told, most=MOST)]
