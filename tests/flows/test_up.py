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
