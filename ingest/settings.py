"""What a user may set, read once at the edges: environment `SOUNDBITE_…`, overridden by command-line options."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

VERSION = "0.1.0"


VectorIndex = Literal["auto", "exact", "ivf_sq", "ivf_rq"]


class Settings(BaseSettings):
    """Each field is a promise; the library's functions take values, never this object."""

    model_config = SettingsConfigDict(env_prefix="SOUNDBITE_", frozen=True)

    home: Path = Field(default=Path.home() / ".soundbite", description="where all state lives; nothing else is written")
    embedding_model: str = Field(default="all-MiniLM-L6-v2", description="any sentence-transformers name or directory")
    query_prefix: str = Field(default="", description="before every question; empty: what the model's files say")
    passage_prefix: str = Field(default="", description="before every passage; empty: what the model's files say")
    rerank_model: str = Field(default="", description="any sentence-transformers cross-encoder, name or directory")
    whisper_model: str = Field(default="small", description="a published Whisper model's name, or a directory")
    whisper_device: Literal["auto", "cpu", "cuda"] = "auto"
    whisper_compute_type: str = Field(default="", description="empty: int8 on a CPU, float16 on a GPU")
    whisper_beam_size: int = Field(default=5, gt=0, description="more is slower and a little better")
    whisper_batch_size: int = Field(default=0, ge=0, description="windows decoded together; 0: 4 on a CPU, 8 on a GPU")
    whisper_threads: int = Field(default=0, ge=0, description="0: as many as the speech library thinks best")
    keep_words: bool = Field(default=False, description="keep each word's times beside the transcript, too")
    language: str = Field(default="", description="empty: detected for each episode")
    allow_hosts: str = Field(default="", description="comma-separated host names that may have non-public addresses")
    user_agent: str = f"soundbite/{VERSION} (podcast transcripts and search)"
    timeout: float = Field(default=30.0, gt=0, description="seconds without progress before a request is given up")
    host_delay: float = Field(default=1.0, ge=0, description="seconds between two requests to one host")
    poll_least_hours: float = Field(default=1.0, gt=0, description="no feed is asked more often on a schedule")
    poll_most_hours: float = Field(default=24.0, gt=0, description="nor less often, unless its host asks for it")
    max_audio_mb: int = Field(default=1024, gt=0, description="larger audio is refused")
    keep_audio: bool = Field(default=False, description="keep audio after it was transcribed")

    vector_index: VectorIndex = Field(
        default="auto", description="auto: every vector is looked at up to 50,000 chunks, ivf_rq beyond"
    )
    memory_chunks: int = Field(default=20_000, ge=0, description="an index of at most so many is kept in memory")
    max_kept_audio_mb: int = Field(default=10_240, gt=0, description="beyond it the oldest audio kept is dropped")

    @property
    def hosts_allowed(self) -> frozenset[str]:
        """`allow_hosts` as a set of lower-case names."""
        return frozenset(name.strip().lower() for name in self.allow_hosts.split(",") if name.strip())

    @property
    def library_dir(self) -> Path:
        """The Markdown transcripts: the record of truth."""
        return self.home / "library"

    @property
    def index_dir(self) -> Path:
        """LanceDB: derived, may be deleted and rebuilt."""
        return self.home / "index"

    @property
    def audio_dir(self) -> Path:
        """Audio on its way to becoming text."""
        return self.home / "audio"

    @property
    def models_dir(self) -> Path:
        """Published Whisper models, once fetched."""
        return self.home / "models"

    @property
    def glossary_dir(self) -> Path:
        """Names and corrections for each podcast, written by hand: `<podcast>.txt`."""
        return self.home / "glossaries"

    @property
    def ledger_path(self) -> Path:
        """SQLite: feeds, and which episodes are pending, done or failed."""
        return self.home / "ledger.sqlite"
