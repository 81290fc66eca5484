"""What does not fit together in a home is found and said with what mends it."""

import os
import shutil

import pytest

from flows.verify import differences
from index.build import tidy
from tests.flows.test_run import context, documents, host, records, run  # noqa: F401 - fixtures
from tests.podcast_host import Reply

pytestmark = pytest.mark.usefixtures("host")


@pytest.fixture
def done(context):  # noqa: F811
    """A home after a run."""
    run(context)
    assert told(context) == []
    return context


def told(context):  # noqa: F811
    ingest = context.ingest
    return [f"{one.what} {one.found}" for one in differences(ingest.library, ingest.ledger, context.store)]


def path(context, number):  # noqa: F811
    return context.ingest.library.root / documents(context)[number].name


def edit(context):  # noqa: F811
    file = path(context, 0)
    file.write_text(file.read_text().replace("meeting", "appointment"))


def delete(context):  # noqa: F811
    path(context, 0).unlink()


def copy(context):  # noqa: F811
    shutil.copyfile(path(context, 0), path(context, 0).with_name("copy.md"))


def damage(context):  # noqa: F811
    path(context, 0).write_text("# No transcript\n")


def lose_chunks(context):  # noqa: F811
    key = documents(context)[0].key
    context.store._run(lambda tables: tables.chunks.delete(f"key = '{key}'"))


def lose_entry(context):  # noqa: F811
    key = documents(context)[0].key
    context.store._run(lambda tables: tables.episodes.delete(f"key = '{key}'"))


def truncate(context):  # noqa: F811
    file = next(path for path in context.store.root.rglob("*.lance") if path.is_file())
    os.truncate(file, file.stat().st_size // 2)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (edit, ["has changed since it was indexed; `soundbite index`"]),
        (delete, ["done by the ledger and not in the library", "is indexed and not in the library"]),
        (copy, ["is held by", "has changed since"]),
        (damage, ["2026", "done by the ledger", "indexed and not in the library"]),
        (lose_chunks, ["has 0 chunks in the index instead of 1; `soundbite index --rebuild`"]),
        (lose_entry, ["is not indexed", "chunks of 1 episodes that it does not list"]),
        (truncate, ["is damaged; `soundbite index --rebuild`"]),
        (lambda context: shutil.rmtree(context.store.root), ["is not built, for 2 transcripts; `soundbite index`"]),  # noqa: F811
    ],
)
def test_what_does_not_fit_together_is_found(done, harm, words):
    harm(done)

    found = "\n".join(told(done))

    assert [word for word in words if word not in found] == [], found


@pytest.mark.parametrize("harm", [edit, delete, lambda context: shutil.rmtree(context.store.root)])  # noqa: F811
def test_what_a_run_mends_is_mended(done, harm):
    harm(done)
    assert told(done)

    run(done)

    assert [] == told(done)


def test_maintenance_removes_what_killed_writers_have_left_and_harms_nothing(done):
    left = done.store.root / "index-1" / "chunks.lance" / "data" / ".tmpAbCdEf"
    left.write_bytes(b"half")
    (done.store.root / "index-1" / "WRITING").write_text("0000000000000000")

    tidy(done.store)

    assert [] == told(done)
    assert not left.exists()
    assert {"episodes": 2, "chunks": 2, "unindexed": 0} == done.store.counts()


# Trying again


@pytest.mark.parametrize("status", [404, 500])
def test_what_failed_is_pending_again_where_a_person_says_so(context, host, call, status):  # noqa: F811
    host.serve("/audio/two.mp3", Reply(status))
    run(context)
    two = records(context)["two"].episode.key

    listed = call("episodes", "--failed", "--home", context.home)
    assert (0, True, False) == (listed[0], "Episode two" in listed[1], "Episode one" in listed[1])
    assert "1 to be tried again" in call("retry", two[:8], "--home", context.home)[1]

    assert ("pending", 0) == (records(context)["two"].status, records(context)["two"].attempts)
    assert "No episode has failed." in call("episodes", "--failed", "--home", context.home)[1]
    assert "No such episode has failed." in call("retry", "--podcast", "Quota", "--home", context.home)[1]


def test_verify_says_what_it_found_and_exits_with_1(done, call):
    assert (0, "Library, ledger and index agree.\n", "") == call("verify", "--home", done.home)
    edit(done)

    code, out, _ = call("verify", "--json", "--home", done.home)

    assert (1, True) == (code, '"ok": false' in out)
