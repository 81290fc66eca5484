"""What JSON cannot say is neither read nor written."""

import json

import pytest

from ingest.finite import finite, read_json, write_json


@pytest.mark.parametrize("value", ["NaN", "nan\n", "-Infinity", "1e999", float("inf"), 10**400, "ten", ""])
def test_what_is_no_finite_number_is_one_line_about_it(value):
    with pytest.raises(ValueError, match=r"number|float") as refused:
        finite(value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", [None, [1], {"a": 1}])
def test_what_is_no_number_at_all_is_a_type_error(value):
    with pytest.raises(TypeError):
        finite(value)


def test_numbers_may_be_bounded():
    assert [-1.0, 2.5, 31.0] == [finite(value, -1, 31) for value in (-1, "2.5", 31)]
    for value in (-1.01, 99, "12000"):
        with pytest.raises(ValueError, match="is not from -1 to 31"):
            finite(value, -1, 31)


@pytest.mark.parametrize("text", ['{"a": NaN}', "[1, -Infinity]", '{"a": [{"b": 1e400}]}', "[" * 100_000, "", b"{"])
def test_json_with_other_numbers_or_without_end_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own words, or ours
        read_json(text)


def test_json_is_read_and_written_as_it_is():
    document = {"a": [1, 2.5, -1e-7, None, True], "b": "Zoë \ud800", "c": 10**20}
    assert document == read_json(write_json(document)) == json.loads(write_json(document))
    write_json(document).encode()
    with pytest.raises(ValueError, match="JSON"):
        write_json({"a": [float("nan")]})
