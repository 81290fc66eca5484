import pytest

from index.speakers import comparable, meant, near

KNOWN = [
    ("lenny", "Lenny"), ("lenny", "Lenny Rachitsky"), ("lenny", "LENNY RACHITSKY"), ("lenny", "José Álvarez"),
    ("other", "Lenny"), ("other", "Ann"), ("other", "Ann Lee"), ("other", "Ann Smith"), ("other", "Speaker 1"),
    ("other", "Speaker 12"), ("third", "Dr. Max O\u2019Neil"), ("third", "Max"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "names", "aliases"),
    [
        ("lenny", {"lenny", "lenny rachitsky"}, {}),
        ("Rachitsky", {"lenny rachitsky"}, {"lenny": {"lenny"}}),
        (" LENNY  rachitsky", {"lenny rachitsky"}, {"lenny": {"lenny"}}),
        ("jose alvarez", {"jose alvarez"}, {}),
        ("álvarez", {"jose alvarez"}, {}),
        ("Ann Lee", {"ann lee"}, {}),
        ("ann", {"ann", "ann lee", "ann smith"}, {}),
        ("Speaker 1", {"speaker 1"}, {}),
        ("o'neil", {"dr max o neil"}, {"third": {"max"}}),
        ("Len", set(), {}),
        ("Rachitsky Lenny", set(), {}),
        ("?!", set(), {}),
    ],
)
def test_a_speaker_is_meant_by_whole_words_of_the_name_and_has_one_name_in_a_podcast(asked, names, aliases):
    found = meant(asked, KNOWN)
    assert (names, aliases) == (found.names, found.aliases)
    assert found.all == names.union(*aliases.values())


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("Rachitski", "LENNY RACHITSKY"),
        ("Leny", "Lenny"),
        ("Alvares", "José Álvarez"),
        ("max oneil", "Dr. Max O\u2019Neil"),
        ("Zoltan", ""),
    ],
)
def test_names_that_are_close_are_offered_where_nobody_is_meant(asked, expected):
    assert expected == next(iter(near(asked, KNOWN)), "")


def test_names_are_compared_without_case_accents_and_punctuation():
    assert "dr jose o neil" == comparable(" Dr. JOSÉ  O’Neil")  # noqa: RUF001 - the typographic one is meant
