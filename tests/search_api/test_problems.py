import pytest
from starlette.exceptions import HTTPException

from ingest import errors
from search_api.problems import KINDS, NoSuchFormatError, problem_of


@pytest.mark.parametrize(
    ("error", "name", "status"),
    [
        (errors.QueryError("limit", "0 is too few"), "invalid-query", 422),
        (errors.CursorError("", "another question"), "other-cursor", 409),
        (errors.PodcastNotFoundError("x", "no such podcast"), "no-such-podcast", 404),
        (errors.NotFoundError("x", "no such episode"), "episode-not-found", 404),
        (NoSuchFormatError("vtt", "has no times"), "no-such-format", 404),
        (errors.TranscriptError("/srv/home/library/x.md", "cannot be read"), "unreadable-transcript", 409),
        (errors.IndexNotBuiltError("/srv/home/index", "is empty"), "index-not-built", 503),
        (errors.IndexMismatchError("/srv/home/index", "another model"), "index-mismatch", 503),
        (errors.IndexingError("/srv/home/index", "broken"), "index-unusable", 503),
        (errors.HomeError("/srv/home", "cannot be written"), "home-unusable", 503),
        (errors.FetchError("/srv/home", "not expected here"), "internal", 500),
        (HTTPException(404), "no-such-address", 404),
        (HTTPException(405), "method-not-allowed", 405),
        (HTTPException(418), "refused", 418),
        (ZeroDivisionError("/srv/home"), "internal", 500),
    ],
)
def test_every_error_has_a_stable_name_and_a_status_and_shows_no_path(error, name, status):
    problem = problem_of(error)
    document = problem.document()
    assert (document.type, document.status) == (f"/docs#problem-{name}", status)
    assert "/srv/home" not in str(document)
    assert problem.headers() == ({"Retry-After": "30"} if status == 503 else {})


def test_what_the_client_sent_is_named_back_to_it_but_not_at_length():
    assert problem_of(errors.NotFoundError("g7", "no such episode")).document().detail == "g7: no such episode"
    assert len(problem_of(errors.NotFoundError("x" * 60_000, "no such episode")).document().detail) == 300


def test_names_are_unique_and_every_kind_says_what_to_do():
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert all(kind.advice for kind in KINDS)
