from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from index.query import Query
from ingest.errors import QueryError


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ("", {}, "empty"),
        (" \n ", {}, "empty"),
        ("?!", {}, "empty"),
        ("why " * 2500, {}, "10,000 characters"),
        ("why", {"limit": 0}, "1 to 100"),
        ("why", {"limit": 10_000}, "1 to 100"),
        ("why", {"mode": "magic"}, "hybrid, vector or text"),
        ("why", {"group_by": "podcast"}, "only by episode"),
    ],
)
def test_a_query_that_cannot_be_asked_says_why_in_one_line(text, options, reason):
    with pytest.raises(QueryError, match=reason) as caught:
        Query(text, **options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("given", "slugs"),
    [
        ("Coaching Notes", ("coaching-notes",)),
        ("coaching-notes", ("coaching-notes",)),
        (("Coaching Notes", "quota", " "), ("coaching-notes", "quota")),
        ("", ()),
        ((" ",), ()),
    ],
)
def test_podcasts_are_names_or_slugs(given, slugs):
    assert slugs == Query("why", podcast=given).podcast_slugs


def test_a_cursor_goes_on_with_the_same_question_and_with_no_other():
    query = Query("why", podcast="quota", until=date(2025, 2, 20))
    cursor = query.cursor_at(20, "abc")
    assert "abc" == replace(query, cursor=cursor).cursor_version
    assert (0, 20) == (query.offset, replace(query, cursor=cursor, limit=3).offset)
    for other in (
        Query("why not"),
        Query("why"),
        replace(query, mode="text"),
        replace(query, min_score=0.5),
        replace(query, until=None),
    ):
        with pytest.raises(QueryError, match="begin without it"):
            print(replace(other, cursor=cursor).offset)
    for forged in ("20", "x-1", "-", "\u0662" + cursor[1:], "9" * 5_000):
        with pytest.raises(QueryError, match="begin without it"):
            print(replace(query, cursor=forged).offset)


def test_a_date_includes_its_whole_day_and_a_moment_itself():
    day, moment = date(2025, 2, 20), datetime(2025, 2, 20, 8, tzinfo=timezone(timedelta(hours=8)))
    of_day, of_moment = Query("why", since=day, until=day), Query("why", since=moment, until=moment)
    midnight = datetime(2025, 2, 20, tzinfo=UTC)
    assert (midnight, midnight + timedelta(days=1)) == (of_day.published_from, of_day.published_before)
    assert (midnight, midnight + datetime.resolution) == (of_moment.published_from, of_moment.published_before)
    assert (None, None) == (Query("why").published_from, Query("why", until=date.max).published_before)
    assert Query("why", until=datetime.max.replace(tzinfo=UTC)).published_before is None


@pytest.mark.parametrize("option", [{}, {"speaker": "\udce9"}, {"podcast": ("a", "\udce9")}, {"episode": "\ud800"}])
def test_what_is_no_utf_8_is_refused_in_plain_words(option):
    with pytest.raises(QueryError, match="not UTF-8"):
        Query("why" if option else "caf\udce9", **option)


@pytest.mark.parametrize(("one", "same"), [("", ()), ("a", ("a",)), ("", " ")])
def test_a_cursor_is_the_same_however_a_podcast_is_written(one, same):
    assert Query("why", podcast=one).cursor_at(10, "v") == Query("why", podcast=same).cursor_at(10, "v")
