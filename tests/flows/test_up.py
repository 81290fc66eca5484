"""How often `soundbite up` works."""

import pytest

from flows import up
from ingest.errors import QueryError


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("1h", 3600), ("1d", 86_400), ("10 s", 10)])
def test_an_interval_is_read(text, seconds):
    assert seconds == up.interval(text).total_seconds()


@pytest.mark.parametrize("text", ["", "never", "5s", "0h", "-1h", "1w"])
def test_what_is_no_interval_is_refused(text):
    with pytest.raises(QueryError):
        up.interval(text)


@pytest.mark.parametrize("workers", [1, 2, 32])
def test_up_keeps_as_many_transcriptions_going_as_it_is_told(call, monkeypatch, workers):
    told = []
    monkeypatch.setattr(up, "keep_going", lambda *given: told.append(given[-1]))
    assert 0 == call("up", "--workers", workers)[0]
    assert [workers] == told


@pytest.mark.parametrize("command", ["up", "run"])
@pytest.mark.parametrize("workers", ["0", "-1", "33", "two"])
def test_a_number_of_workers_that_cannot_be_meant_is_refused(call, command, workers):
    code, _, told = call(command, "--workers", workers)
    assert (2, True) == (code, "--workers" in told)
