import pytest

from ingest.languages import language_name


@pytest.mark.parametrize(
    ("code", "name"), [("en", "English"), ("de", "German"), ("pt", "Portuguese"), ("not a code!", "not a code!")]
)
def test_a_language_is_named_in_english(code, name):
    assert language_name(code) == name
