"""What `soundbite doctor` looks at: the home directory, the models, the index, the feeds."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flows.names import next_feed
from index.embed.languages import unknown_languages
from index.embed.model_files import locate
from index.embed.pair import EmbedderPair
from index.embed.rerank import CrossReranker
from index.open import EXPORTS, open_embedder, open_store
from ingest.errors import IndexingError, IndexNotBuiltError, SoundbiteError, TranscriptionError
from ingest.feeds.poll import gone_for_good
from ingest.ledger import Ledger
from ingest.open import open_library
from ingest.pipeline import MAX_KEPT_AUDIO
from ingest.settings import VERSION, Settings
from ingest.speech.diarize import open_diarizer
from ingest.speech.faster_whisper import devices
from ingest.storage import home_error
from ingest.times import now
from ingest.weights.files import located, model_path, require_whole
from ingest.weights.published import EMBEDDING


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `found` says what to do where it is not well."""

    what: str
    found: str
    ok: bool = True

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; what cannot be looked at is a finding, too."""
    looks: tuple[tuple[str, Callable[[Settings], Iterator[Finding]]], ...] = (
        ("ledger", _ledger),
        ("home", _home),
        ("feeds", _feeds),
        ("speech model", _speech),
        ("speakers", _speakers),
        ("embedding model", _models),
        ("index", _index),
    )
    findings = [Finding("version", f"soundbite {VERSION}, {os.cpu_count()} cores")]
    for what, look in looks:
        try:
            findings += look(settings)
        except SoundbiteError as error:
            findings.append(Finding(what, str(error), ok=False))
    return findings


def _ledger(settings: Settings) -> Iterator[Finding]:
    ledger = Ledger(settings.ledger_place)
    ledger.open()
    yield Finding("ledger", f"{ledger} can be written")
    if claims := ledger.claimed(now()):
        owners = len({claim.owner for claim in claims})
        yield Finding("claims", f"{len(claims)} episodes are in hand, of {owners} workers")


def _home(settings: Settings) -> Iterator[Finding]:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise home_error(settings.home, error) from error
    free = shutil.disk_usage(settings.home).free / 2**30
    writable = os.access(settings.home, os.W_OK)
    can = "can be written" if writable else "cannot be written, only searched; check its permissions and its disk"
    yield Finding("home", f"{settings.home} {can}, {free:.1f} GiB free", ok=writable and free > 1)
    library = open_library(settings)
    yield Finding("library", f"{len(library.documents())} transcripts in {library.storage.where()}")
    kept = sum(path.stat().st_size for path in settings.audio_dir.rglob("*") if path.is_file()) / 2**20
    yield Finding("audio kept", f"{kept:.0f} MiB of at most {MAX_KEPT_AUDIO >> 20}")


def _feeds(settings: Settings) -> Iterator[Finding]:
    ledger = Ledger(settings.ledger_place)
    pending, failed = ledger.counts()
    yield Finding("feeds", f"{len(ledger.feeds())} subscribed; episodes: {pending} pending, {failed} failed")
    if not ledger.feeds() and open_library(settings).feeds():
        yield Finding("feeds", next_feed(settings), ok=False)
    for feed in ledger.feeds():
        if feed.gone:
            yield Finding(feed.podcast, gone_for_good(feed.podcast), ok=False)
        elif feed.last_error:
            yield Finding(feed.podcast, f"{feed.last_error} ({feed.failures} times in a row)", ok=False)


def _speech(settings: Settings) -> Iterator[Finding]:
    if settings.whisper_url:
        yield Finding("speech model", f"{settings.whisper_model}, run by the server at {settings.whisper_url}")
        return
    try:
        yield Finding(
            "speech model", f"{settings.whisper_model}: {located(settings.whisper_model, settings.models_dir)}"
        )
    except TranscriptionError as error:
        yield Finding("speech model", str(error), ok=False)
    gpus = devices()
    kind = settings.whisper_compute_type or ("float16" if gpus else "int8")
    yield Finding("transcription runs on", f"{gpus or 'no'} GPU, {os.cpu_count()} cores; {kind} by default")


def _speakers(settings: Settings) -> Iterator[Finding]:
    open_diarizer(settings.speakers)
    told = "not told apart by voice" if settings.speakers == "off" else f"told apart by voice ({settings.speakers})"
    yield Finding("speakers", told)


def _models(settings: Settings) -> Iterator[Finding]:
    """The models of search: whether their files are here, whole, and of the right kind."""
    yield _model("embedding model", settings.embedding_model, lambda: _files(settings, settings.embedding_model))
    if settings.query_model:
        yield _model("model for questions", settings.query_model, lambda: _query_model(settings))
    if settings.rerank_model:
        reranker = CrossReranker(settings.rerank_model, settings.index_dir / EXPORTS)
        yield _model("re-ranking model", settings.rerank_model, lambda: reranker.find(fetch=False))


def _files(settings: Settings, model: str) -> Path:
    path = model_path(model, settings.models_dir, EMBEDDING)
    if path:
        require_whole(model, path, EMBEDDING)
    return locate(str(path or model), fetch=False)


def _query_model(settings: Settings) -> Path:
    found, _ = (_files(settings, model) for model in (settings.query_model, settings.embedding_model))
    pair = open_embedder(settings)
    if isinstance(pair, EmbedderPair):
        pair.require_one_length()
    return found


def _model(what: str, name: str, find: Callable[[], Path]) -> Finding:
    try:
        return Finding(what, f"{name}: {find()}")
    except IndexingError as error:
        return Finding(what, str(error), ok=False)


def _index(settings: Settings) -> Iterator[Finding]:
    store = open_store(settings)
    try:
        stored = store.counts()
        store.check_files()
    except IndexNotBuiltError:
        yield Finding("index", "nothing indexed yet; `soundbite run` or `soundbite import FILE...` fills it")
        return
    behind = f" ({stored['unindexed']} read beside the full-text index)" if stored["unindexed"] else ""
    yield Finding(
        "index", f"{stored['episodes']} episodes, {stored['chunks']} chunks{behind} in {store.storage.where()}"
    )
    languages = Counter(episode.language or "unknown" for episode in store.episodes())
    if languages:
        yield Finding("languages", ", ".join(f"{name} {count}" for name, count in languages.most_common()))
    if unknown := unknown_languages(settings.embedding_model, languages.keys() - {"unknown"}):
        yield Finding("embedding model", unknown, ok=False)
