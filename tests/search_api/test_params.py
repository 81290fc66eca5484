from datetime import UTC, date, datetime

import pytest

from ingest.errors import QueryError
from search_api.params import day_or_moment, read_limits


def test_a_date_stays_a_day_so_that_the_last_one_is_included():
    asked = read_limits(since="2025-02-20", until="2025-02-21")
    assert (date(2025, 2, 20), date(2025, 2, 21)) == (asked.since, asked.until)


def test_a_moment_is_taken_as_it_is_and_brought_to_utc():
    assert datetime(2025, 2, 20, 8, tzinfo=UTC) == day_or_moment("2025-02-20T09:00:00+01:00", "until")
    assert datetime(2025, 2, 20, 9, tzinfo=UTC) == day_or_moment("2025-02-20T09:00", "until")
    assert datetime(2025, 2, 20, 9, tzinfo=UTC) == day_or_moment("2025-02-20T09:00:00Z", "since")
    assert day_or_moment(" ", "since") is None


@pytest.mark.parametrize("text", ["yesterday", "2025-02-30", "20250220T", "0001-01-01T00:00:00+14:00", "9" * 500])
def test_what_is_no_date_is_refused_with_one_that_is(text):
    with pytest.raises(QueryError, match="2025-02-20") as refused:
        day_or_moment(text, "since")
    assert refused.value.subject == "since"
    assert len(str(refused.value)) < 200
