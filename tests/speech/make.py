"""Make the small speech model: sentences, speech, tokenizer, training, conversion. Resumable; needs espeak-ng.

    python -m tests.speech.make --minutes 90 --out /tmp/speech                         # from scratch
    python -m tests.speech.make --minutes 30 --out /tmp/speech                         # continue from its checkpoint
    python -m tests.speech.evaluate /tmp/speech/model

Each step is left out when its result is there. Shards are made before training; more can be added to
OUT/shards while it runs and are taken up.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch

from tests.speech import shards, tokenizer
from tests.speech.export import export
from tests.speech.train import Plan, Trainer

SHARD = 1500  # sentences, about 1.3 hours of speech


def make_shards(folder: Path, count: int, workers: int) -> None:
    """Bring the folder to `count` shards."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [n for n in range(count) if not (folder / f"{n}.shard").exists()]
    with ProcessPoolExecutor(workers) as pool:
        jobs = [pool.submit(shards.make, folder / f"{n}.shard", SHARD, 1000 + n) for n in missing]
        for job in jobs:
            job.result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=90, help="of training")
    parser.add_argument("--out", type=Path, required=True, help="folder for everything; the model is in OUT/model")
    parser.add_argument("--shards", type=int, default=12, help=f"of {SHARD} sentences each, about 2 minutes to make")
    parser.add_argument("--rate", type=float, help="highest learning rate (default 2e-3, to continue 6e-4)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that synthesise")
    parser.add_argument("--threads", type=int, default=1, help="of training")
    arguments = parser.parse_args()
    out: Path = arguments.out
    torch.set_num_threads(arguments.threads)
    make_shards(out / "shards", arguments.shards, arguments.workers)
    words = out / "tokenizer.json"
    if not words.exists():
        tokenizer.build(words)
    checkpoint = out / "last.pt"
    goes_on = checkpoint.exists()
    rate = arguments.rate or (6e-4 if goes_on else 2e-3)
    Trainer(out, words, checkpoint if goes_on else None).run(Plan(arguments.minutes, rate, short=not goes_on))
    print("written:", export(checkpoint, words, out / "model"))


if __name__ == "__main__":
    main()
