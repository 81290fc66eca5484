"""One rule for names: podcasts, episodes and files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.identity import MAX_SLUG, episode_key, one_line, slug
from ingest.models import Episode


@given(st.text(max_size=200))
def test_a_slugs_slug_is_the_slug_and_every_file_system_takes_it(text):
    name = slug(text)

    assert name == slug(name)
    assert 0 < len(name) <= MAX_SLUG + 2
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@pytest.mark.parametrize(
    ("text", "name"),
    [("Coaching Notes", "coaching-notes"), ("coaching-notes", "coaching-notes"), ("Con", "con-x"), ("CON", "con-x"),
     ("con-x", "con-x"), ("Über Alles!", "uber-alles"), (" ", "untitled"), ("30mpc", "30mpc")],
)  # fmt: skip
def test_a_name_has_one_slug(text, name):
    assert name == slug(text)


def test_names_without_letters_are_told_apart():
    assert slug("🎙️") != slug("🎧")


def test_an_episodes_key_follows_from_the_podcasts_slug_and_the_guid_alone():
    one = Episode("quota", "g1", "A title")

    assert one.key == episode_key("quota", "g1") == Episode("Quota", "g1", "Another title").key
    assert one.key != episode_key("quot", "ag1")


@given(st.text(max_size=40), st.text(max_size=40))
def test_an_episodes_key_is_that_of_what_its_document_says(podcast, guid):
    assert episode_key(podcast, guid) == episode_key(slug(podcast), one_line(guid))
