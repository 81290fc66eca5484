from ingest.identity import episode_key
from ingest.models import Episode


def test_an_episodes_key_is_derived_from_podcast_and_guid_alone():
    one = Episode("quota", "g1", "A title")

    assert one.key == episode_key("quota", "g1") == Episode("quota", "g1", "Another title").key
    assert one.key != episode_key("quot", "ag1")
