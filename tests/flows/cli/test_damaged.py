"""What a person can still do in a home of which something is damaged or lost, and what they are told."""

import errno
import json
import os

import pytest

from flows import engine
from flows.context import alone
from flows.run import Run
from ingest.errors import HomeError
from ingest.ledger import Ledger
from ingest.library import Library
from ingest.models import Episode, Segment, Subscription, Transcript, Turn
from ingest.times import now

NOISE = os.urandom(5000)
DAMAGES = {
    "noise": lambda _: NOISE,
    "no header": lambda content: b"\0" * 100 + content[100:],
    "cut in the first page": lambda content: content[:1000],
    "noise behind the header": lambda content: content[:100] + NOISE + content[5100:],
}


def transcript(podcast, feed):
    episode = Episode(podcast, "1", "Prices", source_feed=feed)
    return Transcript(episode, (Turn("The price is fine.", "Ann"),), (Segment(0.0, 2.0, "The price is fine.", "Ann"),))


@pytest.fixture
def filled(home, call):
    """A home with one transcript, indexed, of a feed that is subscribed to."""
    Library(home / "library").write(transcript("quota", "https://quota.example/feed.xml?a=1&b=2"))
    Ledger(home / "ledger.sqlite").subscribe(Subscription("quota", "https://quota.example/feed.xml?a=1&b=2"), now())
    assert call("index")[0] == 0
    return home


def damage(home, how):
    file = home / "ledger.sqlite"
    content = file.read_bytes()
    for beside in home.glob("ledger.sqlite-*"):
        beside.unlink()
    file.write_bytes(DAMAGES[how](content))


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_ledger_stops_no_search(filled, call, how):
    damage(filled, how)

    assert "The price is fine" in call("search", "price", "--podcast", "quota", "--mode", "text")[1]
    listed = json.loads(call("episodes", "--json")[1])["episodes"]
    assert [("Prices", "indexed")] == [(episode["title"], episode["status"]) for episode in listed]
    assert 0 == call("index")[0]


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_ledger_stops_a_run_which_says_what_to_do(filled, call, how):
    damage(filled, how)

    code, _, told = call("run")

    assert (1, True, True) == (code, "is damaged" in told, "rename the file" in told)
    assert 1 == call("doctor")[0]


def test_a_lost_ledger_is_told_with_the_feeds_that_transcripts_name(filled, call):
    Library(filled / "library").write(transcript("other", "https://other.example/rss"))
    Library(filled / "library").write(transcript("imported", ""))
    for file in filled.glob("ledger.sqlite*"):
        file.unlink()
    words = (
        "next: soundbite add https://other.example/rss; soundbite add 'https://quota.example/feed.xml?a=1&b=2'",
        "Next: soundbite add FEED_URL",
    )

    assert words[0] in call("run")[2]
    assert words[0] in call("feeds")[1]
    assert words[1] not in call("feeds")[1]


@pytest.mark.usefixtures("home")
def test_an_empty_home_proposes_no_feed(call):
    assert "Next: soundbite add FEED_URL" in call("run")[2]
    assert "Next: soundbite add FEED_URL" in call("feeds")[1]


@pytest.mark.parametrize("table", ["chunks", "episodes", "terms"])
@pytest.mark.parametrize("left", [0, 3, 100])
def test_a_file_of_the_index_that_was_cut_is_told_and_made_anew(filled, call, table, left):
    file = max((filled / "index" / "index-1" / f"{table}.lance" / "data").glob("*.lance"))
    os.truncate(file, left)

    code, found, _ = call("doctor", "--json")
    index = next(one for one in json.loads(found)["findings"] if one["what"] == "index")
    assert (1, False, True) == (code, index["ok"], "index --rebuild" in index["found"])
    code, _, told = call("index")
    assert (1, True) == (code, "index --rebuild" in told)
    assert 0 == call("index", "--rebuild")[0]
    assert "The price is fine" in call("search", "price", "--mode", "text")[1]


@pytest.mark.parametrize("writable", [True, False])
def test_a_home_that_cannot_be_written_is_told(filled, call, monkeypatch, writable):
    monkeypatch.setattr(os, "access", lambda path, mode: writable or (path, mode) != (filled, os.W_OK))

    found = json.loads(call("doctor", "--json")[1])["findings"]

    home = next(one for one in found if one["what"] == "home")
    assert (writable, writable) == (home["ok"], "can be written" in home["found"])


@pytest.mark.usefixtures("filled")
def test_a_run_holds_the_home_from_before_the_engine_starts(call, monkeypatch):
    seen = []

    def engine_starts(settings, begun, _selection):
        with pytest.raises(HomeError, match="another run"), alone(settings.home):
            pass
        seen.append(begun)
        return {"new": [], "failed": [], "warnings": [], "summary": ""}

    monkeypatch.setattr(engine, "complete", engine_starts)
    monkeypatch.setattr(Run, "has_work", True)

    assert (0, 1) == (call("run")[0], len(seen))


def refuse(monkeypatch, name, number):
    """Let the system refuse to open one file, as on a disk that is full or cannot be written."""
    opened = os.open

    def open_other(path, *arguments, **options):
        if os.path.basename(os.fspath(path)) == name:  # noqa: PTH119 - also bytes
            raise OSError(number, os.strerror(number), path)
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", open_other)


REFUSALS = {errno.EROFS: "Read-only file system", errno.ENOSPC: "the disk is full", errno.EACCES: "Permission denied"}


@pytest.mark.parametrize("number", REFUSALS)
@pytest.mark.parametrize(
    "command", [("run",), ("run", "--json"), ("transcribe", "a-key"), ("transcribe", "--podcast", "quota")]
)
def test_what_takes_the_homes_lock_says_in_one_line_that_it_cannot(filled, call, monkeypatch, command, number):
    refuse(monkeypatch, "run.lock", number)

    code, out, told = call(*command)

    assert (1, "", 1) == (code, out, told.count("\n")), told
    assert f"{filled}: cannot be written" in told
    assert REFUSALS[number] in told


def test_a_lock_that_is_a_folder_is_told(filled, call):
    (filled / "run.lock").mkdir()
    assert "cannot be written (Is a directory)" in call("run")[2]


def test_an_error_inside_a_run_is_not_taken_for_one_of_its_lock(tmp_path):
    with pytest.raises(FileNotFoundError, match="theirs"), alone(tmp_path):
        raise FileNotFoundError("theirs")


@pytest.mark.parametrize("what", ["port", "", "broken"])
def test_prefects_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch, what):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    server = engine.Server(None, 4200)
    if what == "port":
        (tmp_path / "prefect" / ".port.part").mkdir(parents=True)
        with pytest.raises(HomeError, match="port: cannot be written"), engine.noted(tmp_path, server):
            pass
    elif what == "broken":
        (tmp_path / "prefect" / "prefect.db.broken").mkdir(parents=True)
        (tmp_path / "prefect" / "prefect.db").write_bytes(NOISE)
        with pytest.raises(HomeError, match=r"prefect\.db: cannot be written"):
            engine.set_aside_if_broken(tmp_path / "prefect" / "prefect.db")
    else:
        (tmp_path / "prefect").touch()
        with pytest.raises(HomeError, match="prefect: cannot be written"):
            engine.prepare(tmp_path)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EROFS, "Read-only file system", "/made-up/audio"), "/made-up/audio: cannot be used (Read-only"),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "/made-up/y"), "/made-up/y: cannot be used (Permission"),
    ],
)
def test_a_file_that_no_command_has_reckoned_with_is_told_in_one_line(call, monkeypatch, error, words):
    def fail(*_):
        raise error

    monkeypatch.setattr(Ledger, "feeds", fail)
    code, _, told = call("feeds")
    assert (1, 1, True) == (code, told.count("\n"), words in told), told
