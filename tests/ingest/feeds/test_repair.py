"""Bytes become UTF-8, and markup becomes plain text."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.feeds.repair import plain_text, to_utf8


@given(st.text())
def test_plain_text_has_no_line_breaks_and_no_tags(text):
    found = plain_text(f"<p>{text}</p><script>x</script>")

    assert "<p>" not in found or "<p>" in text or "&" in text
    assert "\n" not in found


@given(st.binary())
def test_whatever_the_encoding_the_text_becomes_utf8(body):
    assert isinstance(to_utf8(body)[0].decode(), str)


def test_utf8_is_never_changed():
    for text in ("営業", "Café", "🎧", "plain"):
        assert text.encode() == to_utf8(text.encode(), "iso-8859-1")[0]
