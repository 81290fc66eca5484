from datetime import UTC, datetime

import pytest

from ingest.errors import PodcastNotFoundError
from ingest.ledger import Ledger
from ingest.library import Library
from ingest.models import Episode, Subscription, Transcript, Turn
from ingest.podcasts import check_podcast


@pytest.fixture
def home(tmp_path):
    library, ledger = Library(tmp_path / "library"), Ledger(tmp_path / "ledger.sqlite")
    library.write(Transcript(Episode("quota-room", "g", "t"), (Turn("Yes."),)))
    ledger.subscribe(
        Subscription("selling-well", "https://a.example/feed", "Selling Well"), datetime(2026, 1, 1, tzinfo=UTC)
    )
    return ledger, library


@pytest.mark.parametrize("name", ["quota-room", "Quota Room", "selling-well", "", "  "])
def test_podcasts_of_the_library_and_of_the_feeds_are_known(home, name):
    check_podcast(*home, name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("quotaroom", "did you mean quota-room?"),
        ("Seling Well", "did you mean selling-well?"),
        ("zzz", "known: quota-room, selling-well"),
    ],
)
def test_another_is_refused_with_the_nearest_names(home, name, hint):
    with pytest.raises(PodcastNotFoundError, match=hint.replace("?", r"\?")):
        check_podcast(*home, name)


def test_many_names_are_not_all_told(tmp_path):
    library, ledger = Library(tmp_path / "library"), Ledger(tmp_path / "ledger.sqlite")
    with pytest.raises(PodcastNotFoundError, match="none yet"):
        check_podcast(ledger, library, "zzz")
    for number in range(12):
        library.write(Transcript(Episode(f"show-{number:02}", "g", "t"), (Turn("Yes."),)))
    with pytest.raises(PodcastNotFoundError, match="show-09 and 2 more"):
        check_podcast(ledger, library, "zzz")
