import pytest
from starlette.exceptions import HTTPException

from ingest import errors
from search_api.problems import KINDS, NotAcceptableError, documented, problem_of


@pytest.mark.parametrize(
    ("error", "name", "status"),
    [
        (errors.QueryError("limit", "0 is too few"), "invalid-query", 422),
        (errors.NotFoundError("x", "no such episode"), "episode-not-found", 404),
        (NotAcceptableError("vtt", "has no times"), "not-acceptable", 406),
        (errors.TranscriptError("/srv/home/library/x.md", "cannot be read"), "unreadable-transcript", 409),
        (errors.IndexNotBuiltError("/srv/home/index", "is empty"), "index-not-built", 503),
        (errors.IndexMismatchError("/srv/home/index", "another model"), "index-mismatch", 503),
        (errors.IndexingError("/srv/home/index", "broken"), "index-unusable", 503),
        (errors.HomeError("/srv/home", "cannot be written"), "home-unusable", 503),
        (errors.FetchError("/srv/home", "nobody expects it here"), "internal", 500),
        (HTTPException(404), "no-such-address", 404),
        (HTTPException(405), "method-not-allowed", 405),
        (HTTPException(418), "refused", 418),
        (ZeroDivisionError("/srv/home"), "internal", 500),
    ],
)
def test_every_error_has_a_stable_name_and_a_status_and_shows_no_path(error, name, status):
    document = problem_of(error).document()
    assert document["type"] == f"/problems/{name}"
    assert document["status"] == status
    assert "/srv/home" not in str(document)


def test_what_the_client_sent_is_named_back_to_it():
    assert problem_of(errors.QueryError("limit", "0 is too few")).detail == "limit: 0 is too few"


@pytest.mark.parametrize("query", ["", "  \t"])
def test_an_empty_query_has_a_name_of_its_own(query):
    assert problem_of(errors.QueryError("q", "is empty"), query).kind.name == "empty-query"
    assert problem_of(errors.QueryError("q", "is too long"), "words").kind.name == "invalid-query"


def test_one_that_passes_by_itself_says_when_to_ask_again():
    assert problem_of(errors.IndexNotBuiltError("", "")).headers() == {"Retry-After": "30"}
    assert problem_of(errors.NotFoundError("", "")).headers() == {}


def test_names_are_unique_and_every_kind_says_what_to_do():
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert all(kind.meaning for kind in KINDS)


def test_kinds_of_one_status_are_documented_together():
    described = documented(*KINDS)
    examples = described[503]["content"]["application/problem+json"]["examples"]
    assert {"index-not-built", "index-mismatch", "index-unusable", "home-unusable"} == set(examples)
