"""What a user may set, read once at the edges: environment `SOUNDBITE_…`, overridden by command-line options."""

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.errors import SettingsError

VERSION = "0.1.0"
PREFIX = "SOUNDBITE_"
LEDGER_ENGINES = ("postgresql+psycopg://", "postgresql://")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]+[a-z0-9](/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


class Settings(BaseSettings):
    """Each field is a promise; the library's functions take values, never this object."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    home: Path = Field(default=Path("~/.soundbite"), description="where all state lives", validate_default=True)
    ledger: SecretStr = Field(
        default=SecretStr(""),
        description="postgresql+psycopg://USER:PASSWORD@HOST/NAME, which several machines share; empty: a file in the home",
    )
    library: str = Field(
        default="", description="where transcripts lie: a folder or s3://bucket/prefix; empty: the home"
    )
    index: str = Field(default="", description="where the index lies: a folder or s3://bucket/prefix; empty: the home")
    embedding_model: str = Field(default="all-MiniLM-L6-v2", description="any sentence-transformers name or directory")
    query_model: str = Field(
        default="", description="for questions alone, made for the embedding model; empty: the same"
    )
    query_prefix: str = Field(default="", description="before every question; empty: what the model's files say")
    passage_prefix: str = Field(default="", description="before every passage; empty: what the model's files say")
    passage_int8: bool = Field(default=False, description="embed passages with weights of 8 bits, twice as fast")
    rerank_model: str = Field(default="", description="any sentence-transformers cross-encoder, name or directory")
    whisper_model: str = Field(default="small", description="a published Whisper model's name, or a directory")
    whisper_device: Literal["auto", "cpu", "cuda"] = "auto"
    whisper_compute_type: str = Field(default="", description="empty: int8 on a CPU, float16 on a GPU")
    whisper_url: str = Field(
        default="", description="a server with OpenAI's API that runs the model; empty: this machine"
    )
    whisper_api_key: SecretStr = Field(default=SecretStr(""), description="what that server wants as a bearer token")
    language: str = Field(default="", description="empty: detected for each episode")
    speakers: Literal["off", "auto", "pyannote"] = Field(default="off", description="tell voices apart, and with what")
    allow_hosts: str = Field(default="", description="comma-separated host names that may have non-public addresses")
    server_names: str = Field(
        default="",
        description="comma-separated host names that the server is called by, beside localhost and addresses",
    )
    cors_origins: str = Field(
        default="", description="comma-separated origins of web pages that may ask the server, as https://a.example"
    )
    access_log: Literal["off", "paths", "full"] = Field(
        default="off", description="a line for each request to the server; full: with what was asked"
    )
    user_agent: str = f"soundbite/{VERSION} (podcast transcripts and search)"
    notify_url: str = Field(
        default="", pattern="^(https?://.+)?$", description="told by POST, as JSON, what failed in a scheduled run"
    )
    max_audio_mb: int = Field(default=1024, gt=0, description="larger audio is refused")
    respect_opt_out: bool = Field(default=True, description="leave episodes alone whose publisher opts out of AI use")
    keep_audio: bool = Field(default=False, description="keep audio after it was transcribed, up to 10 GiB")

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        """A service file's `~` is nobody's shell."""
        return home.expanduser().absolute()

    @field_validator("ledger")
    @classmethod
    def _known_engine(cls, ledger: SecretStr) -> SecretStr:
        """The message must not show the password."""
        if ledger.get_secret_value() and not ledger.get_secret_value().startswith(LEDGER_ENGINES):
            raise ValueError(f"should begin with {' or '.join(LEDGER_ENGINES)}")
        return ledger

    @field_validator("library", "index")
    @classmethod
    def _place(cls, place: str) -> str:
        """An absolute path, or the address of a bucket."""
        if "://" not in place:
            return str(Path(place).expanduser().absolute()) if place else ""
        if not _BUCKET.fullmatch(place.rstrip("/")):
            raise ValueError("give a folder, or s3://bucket/prefix with letters, digits and . _ - / in it")
        return place.rstrip("/")

    @property
    def hosts_allowed(self) -> frozenset[str]:
        """`allow_hosts` as a set of lower-case names."""
        return _names(self.allow_hosts)

    @property
    def names_served(self) -> frozenset[str]:
        """`server_names` as a set of lower-case names."""
        return _names(self.server_names)

    @property
    def origins_allowed(self) -> frozenset[str]:
        """`cors_origins` as a set, without slashes at their ends."""
        return frozenset(origin.rstrip("/") for origin in _names(self.cors_origins))

    @property
    def library_dir(self) -> Path:
        """The home's folder for the library; without another setting the Markdown transcripts: the record of truth."""
        return self.home / "library"

    @property
    def index_dir(self) -> Path:
        """The home's folder for the index (LanceDB: derived, may be deleted and rebuilt) and for models written out."""
        return self.home / "index"

    @property
    def catalogues_dir(self) -> Path:
        """What is remembered of libraries in buckets: a cache, may be deleted."""
        return self.home / "catalogues"

    @property
    def audio_dir(self) -> Path:
        """Audio on its way to becoming text."""
        return self.home / "audio"

    @property
    def models_dir(self) -> Path:
        """Published models, shared by all homes: a cache, as other programs have it."""
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute()
        return cache / "soundbite" / "models"

    @property
    def glossary_dir(self) -> Path:
        """Names and corrections for each podcast, written by hand: `<podcast>.txt`."""
        return self.home / "glossaries"

    @property
    def alerts_path(self) -> Path:
        """Standing questions, which the server makes feeds of."""
        return self.home / "alerts.json"

    @property
    def keys_path(self) -> Path:
        """Who may ask the server, by the hashes of their keys."""
        return self.home / "keys.json"

    @property
    def ledger_place(self) -> Path | str:
        """Feeds, and which episodes are pending, done or failed: a SQLite file, or the URL of a PostgreSQL database."""
        return self.ledger.get_secret_value() or self.home / "ledger.sqlite"


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


def read_settings() -> Settings:
    """The settings that the environment holds. Raises `SettingsError` for a name or a value that cannot be meant."""
    for name in os.environ:
        if name.upper().startswith(PREFIX):
            _check_name(name.upper())
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = PREFIX + "_".join(str(part) for part in wrong["loc"]).upper()
        raise SettingsError(name, f"{wrong['msg'].removeprefix('Value error, ')}; correct or unset it") from error


def _check_name(name: str) -> None:
    known = [f"{PREFIX}{field.upper()}" for field in Settings.model_fields]
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"the settings are {', '.join(known)};"
        raise SettingsError(name, f"is no setting; {hint} correct or unset it")
