"""The server under load: eight clients for some seconds while episodes are indexed, and txtai's API on the same text and model.

Both serve over real connections from a process of their own; both embed each question. Writes go on during ours alone,
since txtai's API rebuilds what it serves from.
"""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from socket import socket
from urllib.parse import quote

import numpy as np

from index.build import update
from index.embed.sentence_transformers import SentenceEmbedder
from index.query import Query
from ingest.models import Turn
from tests.benchmarks.corpus import Corpus, pieces, transcripts
from tests.benchmarks.measure import Row, row

CLIENTS, SECONDS, QUESTIONS = 8, 15, 200
OURS = """
import sys, uvicorn
from pathlib import Path
from index.embed.sentence_transformers import SentenceEmbedder
from index.search import Searcher
from index.store.lance import Store
from ingest.settings import Settings
from search_api.app import create_app
home = Path(sys.argv[1])
opener = lambda settings: Searcher(Store(Path(sys.argv[2])), SentenceEmbedder('all-MiniLM-L6-v2', Path(sys.argv[2]) / 'encoder'))
uvicorn.run(create_app(Settings(home=home), opener), port=int(sys.argv[3]), log_level='error')
"""
THEIRS = "import sys, uvicorn; uvicorn.run('txtai.api:app', port=int(sys.argv[1]), log_level='error')"


@dataclass(frozen=True, slots=True)
class Load:
    """What clients saw: milliseconds of wall time, answers by status; and the server's CPU milliseconds a request."""

    p50: float
    p99: float
    per_second: float
    cpu: float
    statuses: Counter[int]


def run(given: Corpus) -> list[Row]:
    asked = [one.question for one in given.questions] or ["how do I review the pipeline?"]
    questions = [text for text, _ in zip(itertools.cycle(asked), range(QUESTIONS), strict=False)]
    root = given.searcher.store.root
    with served(OURS, str(given.home), str(root)) as (address, pid):
        ours = under_load(
            lambda text: f"{address}/v1/search?q={quote(text)}", questions, pid, lambda stop: write(given, stop)
        )
        alone, together = batch(address, questions[:100])
    wrong = {status: count for status, count in ours.statuses.items() if status not in {200, 503}}
    rows = [
        *told("ours, while episodes are indexed", ours),
        row("answers that are neither 200 nor 503", sum(wrong.values()), str(dict(ours.statuses)), most=0, unit=""),
        row("100 searches one by one / in a batch", alone / together, f"{alone:.2f} s / {together:.2f} s", least=1),
        *stages(given, questions),
    ]
    if not find_spec("txtai"):
        return rows
    with served(THEIRS, environment={"CONFIG": str(theirs(given))}) as (address, pid):
        other = under_load(lambda text: f"{address}/search?query={quote(text)}&limit=10", questions, pid)
    return [
        *rows,
        *told("txtai's API", other),
        row("requests a second, ours / txtai's", ours.per_second / other.per_second, "same run", least=1),
        row("p50, txtai's / ours", other.p50 / ours.p50, "same run", least=1),
    ]


def told(who: str, load: Load) -> list[Row]:
    against = f"{CLIENTS} clients, {SECONDS} s"
    return [
        row(f"{who}: requests a second", load.per_second, against, unit=""),
        row(f"{who}: p50", load.p50, against, unit=" ms"),
        row(f"{who}: p99", load.p99, against, unit=" ms"),
        row(f"{who}: CPU a request", load.cpu, against, unit=" ms"),
    ]


def stages(given: Corpus, questions: list[str]) -> list[Row]:
    """Shares of the stages of a search, and of writing its JSON."""
    from pydantic import TypeAdapter

    from index.query import Answer

    spent: Counter[str] = Counter()
    writer = TypeAdapter(Answer)
    for text in questions[:50]:
        answer = given.searcher.search(Query(text, explain=True))
        spent.update(answer.explanation.stages_ms)
        begun = time.perf_counter()
        writer.dump_json(answer)
        spent["JSON"] += (time.perf_counter() - begun) * 1000
    total = sum(spent.values())
    return [
        row(f"share of {stage}", 100 * value / total, "50 searches, one by one", unit=" %")
        for stage, value in spent.items()
    ]


def under_load(address_of, questions, pid, beside=None) -> Load:
    """Ask from `CLIENTS` threads for `SECONDS`; `beside` runs meanwhile, until its event is set."""
    for text in questions[:20]:
        ask(address_of(text))
    times: list[float] = []
    statuses: Counter[int] = Counter()
    stop, numbers = threading.Event(), itertools.count()

    def client() -> None:
        while not stop.is_set():
            begun = time.perf_counter()
            statuses[ask(address_of(questions[next(numbers) % len(questions)]))] += 1
            times.append((time.perf_counter() - begun) * 1000)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    threads += [threading.Thread(target=beside, args=(stop,))] if beside else []
    cpu, begun = cpu_seconds(pid), time.perf_counter()
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    stop.set()
    wall, cpu = time.perf_counter() - begun, cpu_seconds(pid) - cpu
    for thread in threads:
        thread.join()
    p50, p99 = np.percentile(times, [50, 99])
    return Load(float(p50), float(p99), len(times) / wall, cpu * 1000 / len(times), statuses)


def ask(address: str, body: bytes | None = None) -> int:
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"} if body else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def batch(address: str, questions: list[str]) -> tuple[float, float]:
    """Seconds of these searches one after the other, and of the same in one request."""
    begun = time.perf_counter()
    for text in questions:
        ask(f"{address}/v1/search?q={quote(text)}")
    alone = time.perf_counter() - begun
    body = json.dumps({"searches": [{"q": text} for text in questions]}).encode()
    begun = time.perf_counter()
    assert ask(f"{address}/v1/search/batch", body) == 200
    return alone, time.perf_counter() - begun


def write(given: Corpus, stop: threading.Event) -> None:
    """Change an episode and bring the index up to date, again and again; at the end as it was."""
    before = transcripts(given)[0]
    embedder = SentenceEmbedder("all-MiniLM-L6-v2", given.searcher.store.root / "encoder")
    for number in itertools.count():
        if stop.wait(0.5):
            break
        given.library.write(replace(before, turns=(*before.turns, Turn(f"One more sentence, number {number}."))))
        update(given.library, given.searcher.store, embedder)
    given.library.write(before)
    update(given.library, given.searcher.store, embedder)


def theirs(given: Corpus) -> Path:
    """An index of txtai's, words and vectors, of the same text by the same model; the file that its API reads."""
    from txtai import Embeddings

    model = str(given.searcher.embedder.directory)
    cut, folder = pieces(given), given.home / "txtai"
    options = {"path": model, "hybrid": True, "content": True}
    if not folder.exists():
        index = Embeddings(options)
        index.index([(i, piece.text, None) for i, piece in enumerate(cut)])
        index.save(str(folder))
    config = given.home / "txtai.json"  # JSON is YAML
    config.write_text(json.dumps({"path": str(folder), "writable": False, "embeddings": options}))
    return config


@contextmanager
def served(program: str, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[tuple[str, int]]:
    """A server in a process of its own: its address and process id."""
    with socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    env = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2"} | (environment or {})
    process = subprocess.Popen([sys.executable, "-c", program, *arguments, str(port)], env=env)
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 120
    try:
        while True:
            try:
                ask(f"{address}/")
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("a server did not start") from None
                time.sleep(0.2)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(30)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and all its threads so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
