"""Settings from the environment: what is meant, and what cannot be."""

from pathlib import Path

import pytest

from ingest.errors import SettingsError
from ingest.settings import Settings, read_settings


def test_a_home_may_begin_with_a_tilde_that_no_shell_has_read(monkeypatch):
    """Service files hold `~` as it is."""
    monkeypatch.setenv("SOUNDBITE_HOME", "~/pods")

    assert Path.home() / "pods" == read_settings().home


def test_a_home_is_absolute_wherever_a_process_goes(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOUNDBITE_HOME", "pods")

    assert tmp_path / "pods" == read_settings().home


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("SOUNDBITE_WHISPER_MODL", "SOUNDBITE_WHISPER_MODEL"),
        ("SOUNDBITE_LANGAUGE", "SOUNDBITE_LANGUAGE"),
        ("SOUNDBITE_ZZZZZZZZZZZZZZZZZZZZZZZ", "the settings are"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_nearest_name(monkeypatch, name, hint):
    monkeypatch.setenv(name, "x")

    with pytest.raises(SettingsError, match=hint) as refused:
        read_settings()
    assert name == refused.value.subject


def test_a_value_that_makes_no_sense_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("SOUNDBITE_MAX_AUDIO_MB", "many")

    with pytest.raises(SettingsError, match="correct or unset it") as refused:
        read_settings()
    assert "SOUNDBITE_MAX_AUDIO_MB" == refused.value.subject


@pytest.mark.parametrize(("cache", "expected"), [("/var/cache", "/var/cache"), ("~/mine", "mine"), ("", ".cache")])
def test_speech_models_lie_in_the_users_cache_for_all_homes(monkeypatch, tmp_path, cache, expected):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", cache)

    assert tmp_path / expected / "soundbite" / "models" == read_settings().models_dir


def test_there_are_few_promises():
    assert len(Settings.model_fields) <= 26


@pytest.mark.parametrize(
    "url", ["mysql://ann:s3cret@x/y", "postgres:ann:s3cret@x", "/s3cret/ledger.sqlite", "sqlite:///s3cret"]
)
def test_a_ledger_of_another_engine_is_refused_without_its_password(monkeypatch, url):
    monkeypatch.setenv("SOUNDBITE_LEDGER", url)

    with pytest.raises(SettingsError, match=r"SOUNDBITE_LEDGER.*postgresql\+psycopg://") as told:
        read_settings()

    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://ann:s3cret@x/y", "postgresql://ann:s3cret@x:5432/y?sslmode=require"]
)
def test_the_ledgers_url_is_kept_and_never_shown(monkeypatch, tmp_path, url):
    assert tmp_path / "home" / "ledger.sqlite" == read_settings().ledger_place
    monkeypatch.setenv("SOUNDBITE_LEDGER", url)

    assert url == read_settings().ledger_place
    assert "s3cret" not in f"{read_settings()!r} {read_settings().model_dump()}"
