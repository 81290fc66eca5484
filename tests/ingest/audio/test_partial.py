"""What proves that a file is still the same one."""

from ingest.audio.partial import strong_validator

OLD = "Tue, 04 Mar 2025 06:00:00 GMT"


def test_only_what_proves_sameness_is_a_strong_validator():
    date = {"date": "Tue, 04 Mar 2025 06:01:00 GMT"}

    assert strong_validator({"etag": '"a"', "last-modified": OLD}) == '"a"'
    assert strong_validator({"etag": 'W/"a"', "last-modified": OLD, **date}) == ""
    assert strong_validator({"last-modified": OLD, **date}) == OLD
    assert strong_validator({"last-modified": "Tue, 04 Mar 2025 06:00:30 GMT", **date}) == ""
    assert "" == strong_validator({"last-modified": OLD}) == strong_validator({})
