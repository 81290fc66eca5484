"""Runs ingestions in forks of itself, one after the other, so that a killed one costs no start of Python.

A line of JSON on stdin asks for one: `home`, `at` (the point to die at, 0 for none) and `told` (the file for what it leaves,
or empty). A line on stdout says how it ended: the signal, or 0.
"""

import json
import os
import sys
import traceback
from contextlib import closing
from pathlib import Path

import ingest.pipeline
from flows import context, work
from flows import run as runs
from flows.progress import Reporter
from ingest.audio import download
from tests.crash.points import Points
from tests.faults import files
from tests.flows.test_run import opened


def ingest_once(home, at):
    """One run as `soundbite run` makes it, without Prefect; the points that it passed."""
    with Points(at, home) as points, opened(home) as run_context:
        report = runs.run(run_context, Reporter(None))
    assert not report.failed, report.failed
    return points.seen


def state(home):
    """What is left of a run: all that must be the same however often it was killed, and what must not be there."""
    with opened(home) as run_context:
        records = {record.episode.guid: record.status for record in run_context.ingest.ledger.records()}
        store = run_context.store
        indexed = {one.key: (one.title, one.chunks, one.content_hash) for one in store.episodes()}
        documents = sorted(document.key for document in run_context.ingest.library.documents())
        chunks, terms = store._run(rows)
    kept = {name: data.decode() for name, data in files(home / "library").items() if not name.startswith(".")}
    left_over = [
        name for name in files(home)
        if name.startswith("audio/") or name.endswith((".part", "/WRITING")) or "/.tmp" in name
    ]  # fmt: skip
    return {
        "records": records, "documents": documents, "indexed": indexed, "chunks": sorted(chunks), "terms": sorted(terms),
        "library": kept, "left_over": left_over, "folders": sorted(p.name for p in (home / "index").glob("index-*")),
    }  # fmt: skip


async def rows(tables):
    chunks = await tables.chunks.query().select(["id", "key"]).to_list()
    terms = await tables.terms.table.query().where("chunks > 0").select(["term", "chunks"]).to_list()
    return [(row["key"], row["id"]) for row in chunks], [(row["term"], row["chunks"]) for row in terms]


def child(home, at, told):
    ingest.pipeline.iso_milliseconds = lambda _: "2026-02-01T00:00:00.000Z"
    download.KEPT_HEADERS = tuple(name for name in download.KEPT_HEADERS if name != "date")  # else no two are alike
    for module, name in ((context, "MIN_FREE_DISK"), (work, "MIN_FREE_DISK"), (download, "SPARE_DISK")):
        setattr(module, name, 0)  # a disk may be full to its last byte
    seen = ingest_once(home, at)
    if told:
        Path(told).write_text(json.dumps({"seen": seen, "state": state(home)}))


def main():
    with closing(os.fdopen(os.dup(1), "w")) as answers:
        os.dup2(2, 1)
        print("ready", file=answers, flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            pid = os.fork()
            if not pid:
                code = 1
                try:
                    child(Path(asked["home"]), asked["at"], asked["told"])
                    code = 0
                except BaseException:  # noqa: BLE001 - told, then the fork ends
                    traceback.print_exc()
                finally:
                    os._exit(code)
            print(os.waitpid(pid, 0)[1], file=answers, flush=True)


if __name__ == "__main__":
    __import__("lancedb.merge")  # once, for all forks

    main()
