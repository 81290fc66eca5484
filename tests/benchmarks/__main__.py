"""`make bench`, or `python -m tests.benchmarks [PART ...]`: what is measured, as ratios to something else in the same run.

feeds, limits, backlog, embedding, search, server, speech, transcribe and scale run on the bundled sample, in about ten minutes.
quality, peers, adverts and models need `--folder DIR`: transcripts (DIR/corpus/*.md) with judged questions (DIR/questions.jsonl);
with it, the others use that folder, too. Times are CPU time of one core.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before any library counts the cores
os.environ.setdefault("TQDM_DISABLE", "1")  # progress bars of other libraries

import argparse
import warnings
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from tests.benchmarks import (
    bench_adverts,
    bench_backlog,
    bench_embedding,
    bench_feeds,
    bench_ledger,
    bench_limits,
    bench_memory,
    bench_models,
    bench_quality,
    bench_scale,
    bench_search,
    bench_server,
    bench_speakers,
    bench_speech,
    bench_transcribe,
)
from tests.benchmarks.corpus import FOLDER, Corpus, copied, open_corpus
from tests.benchmarks.measure import Row, table

ON_SAMPLE = ("feeds", "limits", "backlog", "embedding", "search", "server", "speech", "transcribe", "scale")
ON_FOLDER = ("quality", "peers", "adverts", "models")
WITH_EXTRA = ("speakers", "ledger", "memory")  # and the extra `bench`, PostgreSQL's server, or a quarter of an hour
PEERS = ("txtai", "qdrant_client", "faiss")
NOT_RUN = f"""
Not measured: the quality of search, and search beside other systems. Both need transcripts with judged questions:
  python -m tests.benchmarks quality peers --folder DIR
{FOLDER}."""
NOT_INSTALLED = "The other systems are installed with: pip install -c constraints.txt -e '.[bench]'"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join((*ON_SAMPLE, *WITH_EXTRA, *ON_FOLDER)))
    parser.add_argument("--folder", type=Path, help=FOLDER)
    parser.add_argument("--episodes", type=int, default=0, help="only the first N transcripts of the folder")
    parser.add_argument("--home", type=Path, default=Path(".demo/bench"), help="where indexes are kept between runs")
    parser.add_argument("--items", type=int, default=2_000, help="of the feed (default %(default)s)")
    parser.add_argument(
        "--recordings", type=Path, help="a folder of recordings with a manifest.json, for speech and speakers"
    )
    parser.add_argument("--model", default=bench_transcribe.MODEL, help="of speech (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=2, help="of audio (default %(default)s)")
    parser.add_argument("--long", type=float, default=0, help="minutes of one long episode, for memory alone")
    parser.add_argument("--feeds", type=int, default=bench_ledger.FEEDS, help="in the ledger (default %(default)s)")
    parser.add_argument("--rows", type=int, default=bench_scale.ROWS, help="chunks at most (default %(default)s)")
    asked = parser.parse_args()
    parts = asked.parts or [*ON_SAMPLE, *(ON_FOLDER if asked.folder else ())]
    if unknown := set(parts) - {*ON_SAMPLE, *WITH_EXTRA, *ON_FOLDER}:
        parser.error(
            f"there is no part {', '.join(sorted(unknown))}; choose from {', '.join((*ON_SAMPLE, *WITH_EXTRA, *ON_FOLDER))}"
        )
    if not asked.folder and (without := set(parts) & set(ON_FOLDER)):
        parser.error(f"{', '.join(sorted(without))} needs --folder DIR; {FOLDER}")
    warnings.simplefilter("ignore")  # of other systems: the table is what is read

    @cache
    def corpus() -> Corpus:
        print("  indexing what is to be searched, once", flush=True)
        return open_corpus(asked.folder, asked.home, asked.episodes)

    run: dict[str, Callable[[], list[Row]]] = {
        "feeds": lambda: bench_feeds.run(asked.items),
        "limits": bench_limits.run,
        "backlog": bench_backlog.run,
        "embedding": lambda: bench_embedding.run(corpus()),
        "search": lambda: bench_search.run(corpus()),
        "ledger": lambda: bench_ledger.run(asked.feeds),
        "memory": lambda: bench_memory.run(asked.model, asked.home, asked.minutes, asked.long),
        "speakers": lambda: bench_speakers.run(asked.recordings),
        "speech": lambda: bench_speech.run(asked.model, asked.recordings, asked.home),
        "transcribe": lambda: bench_transcribe.run(asked.minutes, asked.model),
        "server": lambda: bench_server.run(corpus()),
        "scale": lambda: bench_scale.run(corpus(), asked.rows),
        "quality": lambda: bench_quality.run(corpus()),
        "peers": lambda: bench_search.compared(corpus()),
        "models": lambda: bench_models.run(
            copied(asked.folder, asked.home / "unindexed" / asked.folder.name, 0), asked.home
        ),
        "adverts": lambda: bench_adverts.run(copied(asked.folder, asked.home / "unindexed" / asked.folder.name, 0)),
    }
    rows, begun = [], monotonic()
    for number, name in enumerate(parts, 1):
        print(f"[{number}/{len(parts)}] {name} ({monotonic() - begun:.0f} s so far)", flush=True)
        rows += run[name]()
    print(f"\n{table(rows)}\n\nMeasured in {monotonic() - begun:.0f} s.")
    if not asked.folder:
        print(NOT_RUN)
    if not all(find_spec(name) for name in PEERS):
        print(NOT_INSTALLED)


if __name__ == "__main__":
    main()
