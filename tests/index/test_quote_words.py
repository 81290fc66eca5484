import pytest

from index.quote_words import without_labels


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("I will say. Lena: Oh man.", "I will say. Oh man."),
        ("Speaker 1: Yes. Speaker 12: No.", "Yes. No."),
        ("Ann Lee: One thing: ask.", "One thing: ask."),
        ("Magdalena: it is late", "Magdalena: it is late"),
    ],
)
def test_names_of_speakers_before_colons_are_no_part_of_a_quote(quote, expected):
    said = without_labels(quote, ["Lena", "Ann", "Ann Lee", "Speaker 1", "Speaker 12"])

    assert expected == " ".join(said.split())
