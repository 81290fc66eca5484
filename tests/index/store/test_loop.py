import asyncio
from pathlib import Path

import pytest

from index.store.loop import wait
from ingest.errors import IndexingError, IndexNotBuiltError

ROOT = Path("index")


async def answer(error=None):
    await asyncio.sleep(0)
    if error:
        raise error
    return 42


def test_work_is_done_outside_a_running_loop_and_inside_one():
    async def inside():
        return wait(ROOT, answer())

    assert [42, 42] == [wait(ROOT, answer()), asyncio.run(inside())]


def test_what_the_store_raises_is_one_line_that_says_what_to_do():
    with pytest.raises(IndexingError, match=r"cannot be used \(lance error\); `soundbite index --rebuild`") as caught:
        wait(ROOT, answer(RuntimeError("lance error\nwith a trace")))
    assert "trace" not in str(caught.value)


def test_our_own_errors_stay_as_they_are():
    with pytest.raises(IndexNotBuiltError):
        wait(ROOT, answer(IndexNotBuiltError("", "nothing is indexed yet")))
