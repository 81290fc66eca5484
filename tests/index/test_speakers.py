import pytest

from index.query import Query
from index.speakers import comparable, meant, near
from ingest.models import Episode, Transcript, Turn
from tests.fakes import BagOfWords
from tests.index.test_search import fill

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


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("ışık", "İlker Işık"), ("ISIK", "Işık"),  # noqa: RUF001
        ("soren", "Søren Ågård"), ("lukasz", "Łukasz"), ("duc", "Đức"),
        ("aethel", "Æthel"), ("o'brien", "Ann O\u2019Brien"), ("luc", "Jean-Luc"), ("सोम", "सोम वर्मा"),
    ],
)  # fmt: skip
def test_a_name_is_meant_however_it_is_typed(asked, name):
    assert {comparable(name)} == meant(asked, [("p", name), ("p", "Somebody Else")]).names


@pytest.mark.parametrize(("asked", "name"), [("सोम", "सीमा शर्मा"), ("สม", "สีมา"), ("rob", "robert"), ("مريم", "مروان")])
def test_another_name_with_the_same_consonants_is_not_meant(asked, name):
    assert not meant(asked, [("p", name)]).all


def test_names_are_compared_without_case_accents_and_punctuation():
    assert "dr jose o neil" == comparable(" Dr. JOSÉ  O’Neil")  # noqa: RUF001 - the typographic one is meant


def test_an_alias_in_one_podcast_is_somebody_else_in_another(tmp_path):
    told = {"a": ("Lenny", "Lenny Rachitsky"), "b": ("Lenny", "Lenny Rachitsky", "Lenny Kravitz")}
    made = [
        Transcript(
            Episode(podcast, podcast, podcast),
            tuple(Turn(f"Coffee is made by {name} {podcast * 3}.", name) for name in names),
        )
        for podcast, names in told.items()
    ]
    found = fill(tmp_path, BagOfWords(), *made).search(Query("coffee", speaker="rachitsky")).hits
    assert {("a", "Lenny Rachitsky"), ("a", "Lenny"), ("b", "Lenny Rachitsky")} >= {
        (hit.podcast, hit.answer.speaker) for hit in found
    }
    assert {"a", "b"} == {hit.podcast for hit in found}
