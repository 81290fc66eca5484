"""`python -m tests.benchmarks [FOLDER]`: retrieval quality over a folder of transcripts with judged questions."""

import argparse
from pathlib import Path

from tests.benchmarks import retrieval

JUDGED = Path(__file__).parents[3] / "shared" / "retrieval"


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=JUDGED, help="holds corpus/*.md and questions.jsonl")
    parser.add_argument("--home", type=Path, default=Path(".demo/bench"), help="where the index is kept between runs")
    asked = parser.parse_args()
    if not (asked.folder / "questions.jsonl").exists():
        parser.exit(0, "no judged questions here; give a folder that holds corpus/*.md and questions.jsonl\n")
    retrieval.run(asked.folder, asked.home)


if __name__ == "__main__":
    main()
