"""What publishers write in one entry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.times import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3600", 3600), ("62:03", 3723), ("1:02:03", 3723), ("1h2m", 3720), ("PT1H2M3S", 3723), ("90 min", 5400),
     ("1234.5", 1234.5), ("-5", None), ("", None), ("abc", None), ("0", None), ("1:2:3:4", None), ("9" * 30, None),
     ("1" * 100_000, None), ("h", None), ("²", None), ("12:", 720), (":30", 30), (".", None), (":", None)],
)  # fmt: skip
def test_durations_are_read_in_every_form(text, seconds):
    assert seconds == parse_duration(text)


@given(st.text())
def test_a_duration_is_nothing_or_a_positive_number_of_seconds(text):
    found = parse_duration(text)

    assert found is None or 0 < found <= 7 * 86_400
