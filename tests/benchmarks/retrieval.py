"""How often the right passage is found: judged questions over a folder of transcripts, every mode side by side.

A passage is right when it comes from the right episode and holds the judged words, letter case and punctuation aside.
"""

import json
import re
import statistics
import time

from index.build import update
from index.embed import DEFAULT, SentenceEmbedder
from index.search import EXPORTS, Searcher
from index.store import Store
from ingest.library import Library

MODES = ("text", "vector", "hybrid")
_WORD = re.compile(r"[a-z0-9]+")
_APOSTROPHE = re.compile("['’]")  # noqa: RUF001 - the typographic one is meant
COLUMNS = ("MRR@10", "hit@1", "hit@5", "hit@10")


def plain(text):
    """Letters and digits with single spaces, and one at both ends, so that `in` compares whole words."""
    return f" {' '.join(_WORD.findall(_APOSTROPHE.sub('', text.lower())))} "


def right_rank(question, hits):
    """The rank of the first right passage, 0 where there is none."""
    answers = [(place["episode_id"], plain(place["span"])) for place in (question, *question.get("alt_spans", []))]
    found = (
        hit.rank for hit in hits if any(hit.episode_id == guid and span in plain(hit.text) for guid, span in answers)
    )
    return next(found, 0)


def figures(ranks):
    """Mean reciprocal rank and shares of questions answered within 1, 5 and 10 hits."""
    n = max(1, len(ranks))
    reciprocal = sum(1 / rank for rank in ranks if rank) / n
    return (reciprocal, *(sum(0 < rank <= k for rank in ranks) / n for k in (1, 5, 10)))


def auc(answered, unanswerable):
    """How often the best score of a question with an answer is above one without (0.5 is chance)."""
    pairs = [(high > low) + (high == low) / 2 for high in answered for low in unanswerable]
    return statistics.fmean(pairs) if pairs else float("nan")


def measure(searcher, questions, mode):
    """Ranks by type of question, best scores with and without an answer, words of the passages, milliseconds."""
    ranks, best, words, took = {}, {True: [], False: []}, [], []
    for question in questions:
        answer = searcher.search(question["question"], limit=10, mode=mode)
        took.append(answer.took_ms)
        words += [len(hit.text.split()) for hit in answer.hits]
        best[bool(question["span"])].append(answer.hits[0].score if answer.hits else 0.0)
        if question["span"]:
            ranks.setdefault(question["type"], []).append(right_rank(question, answer.hits))
    return ranks, best, words, took


def report(searcher, questions):
    """Print the table and return its rows: (mode, type, number, figures)."""
    rows = []
    print(f"{'mode':8}{'questions':14}{'n':>4}  " + "".join(f"{name:>8}" for name in COLUMNS))
    for mode in MODES:
        ranks, best, words, took = measure(searcher, questions, mode)
        everything = {"all": [rank for group in ranks.values() for rank in group], **ranks}
        for kind, group in everything.items():
            rows.append((mode, kind, len(group), figures(group)))
            print(f"{mode:8}{kind:14}{len(group):>4}  " + "".join(f"{value:8.3f}" for value in rows[-1][3]))
        print(
            f"{mode:8}AUC {auc(best[True], best[False]):.3f}, {statistics.fmean(words):.0f} words a passage, "
            f"median {statistics.median(took):.0f} ms"
        )
        if mode == "hybrid":
            weak = [sum(score < 0.45 for score in best[there]) / max(1, len(best[there])) for there in (True, False)]
            print(f"{mode:8}weak: {weak[0]:.3f} of the answerable, {weak[1]:.3f} of the unanswerable")
    return rows


def run(folder, home):
    """Index `folder/corpus` under `home`, unless that is done, and report."""
    store, model = Store(home / "index"), SentenceEmbedder(DEFAULT, home / "index" / EXPORTS)
    started = time.perf_counter()
    built = update(Library(folder), store, model, lambda step: print(step, flush=True))
    print(f"{built}\nindexed in {time.perf_counter() - started:.1f} s: {store.counts()}")
    questions = [
        json.loads(line) for line in (folder / "questions.jsonl").read_text("utf-8").splitlines() if line.strip()
    ]
    return report(Searcher(store, model), questions)
