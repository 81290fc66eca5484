from datetime import UTC, datetime, time

import pytest

from ingest.errors import QueryError
from search_api.question import moment, read_limits


def test_a_date_as_the_last_one_includes_its_whole_day():
    asked = read_limits(since="2025-02-20", until="2025-02-20")
    assert datetime(2025, 2, 20, tzinfo=UTC) == asked.since
    assert datetime(2025, 2, 20, 23, 59, 59, 999999, tzinfo=UTC) == asked.until


def test_a_moment_is_taken_as_it_is_and_brought_to_utc():
    assert datetime(2025, 2, 20, 8, tzinfo=UTC) == moment("2025-02-20T09:00:00+01:00", "until", time.max)
    assert datetime(2025, 2, 20, 9, tzinfo=UTC) == moment("2025-02-20T09:00", "until", time.max)
    assert datetime(2025, 2, 20, 9, tzinfo=UTC) == moment("2025-02-20T09:00:00Z", "since", time.min)
    assert moment(" ", "since", time.min) is None


@pytest.mark.parametrize("text", ["yesterday", "2025-02-30", "20250220T", "0001-01-01T00:00:00+14:00", "9" * 500])
def test_what_is_no_date_is_refused_with_one_that_is(text):
    with pytest.raises(QueryError, match="2025-02-20") as refused:
        moment(text, "since", time.min)
    assert refused.value.subject == "since"
    assert len(str(refused.value)) < 200
