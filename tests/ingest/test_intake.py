"""No imported transcript overwrites another, and doing it again changes nothing."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest

from ingest.errors import TranscriptError, UnknownFormatError
from ingest.intake import Intake, find_sources, read_source, repeated_names
from ingest.library import Library
from ingest.models import Episode, Transcript, Turn
from ingest.transcripts.document import to_markdown, to_sidecar

VTT = "WEBVTT\n\n00:00.000 --> 00:05.000\n{}\n"
RAIN = VTT.format("Rain.")


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "library")


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def take_all(library, *paths, podcast="river"):
    """What became of each file, by its name below the folder of the test."""
    sources, left_out = find_sources(paths)
    intake, outcomes = Intake(library, repeated_names(sources)), {}
    for source in sources:
        transcript, path, others = read_source(source, podcast)
        outcomes[f"{path.parent.name}/{path.name}"] = intake.take_in(transcript, path, source.names)
        left_out += others
    return outcomes, {one.path.name: one.reason for one in left_out}


def texts(library):
    read = [library.read(document.name) for document in library.documents()]
    return {one.episode.title: one.turns[0].text for one in read}


def test_files_of_one_name_in_three_folders_are_three_episodes(library, root):
    for number in (1, 2, 3):
        written(root / f"ep{number}" / "transcript.vtt", VTT.format(f"Words of number {number}."))

    assert {"added"} == set(take_all(library, root)[0].values())
    assert {f"ep{n}/transcript": f"Words of number {n}." for n in (1, 2, 3)} == texts(library)
    before = {path: path.read_bytes() for path in library.root.rglob("*.*") if path.suffix in {".md", ".json"}}
    assert {"unchanged"} == set(take_all(library, root)[0].values())
    assert before == {path: path.read_bytes() for path in before}


@pytest.mark.parametrize("how", ["files one by one", "files at once", "a folder above", "each folder"])
def test_it_does_not_matter_from_where_they_are_imported_again(library, root, how):
    files = [written(root / "a" / name / "ep01.srt", VTT.format(name)) for name in ("bread", "trains")]
    take_all(library, root / "a")
    calls = {
        "files one by one": [[file] for file in files],
        "files at once": [files],
        "a folder above": [[root.parent / "files"]],
        "each folder": [[file.parent] for file in files],
    }[how]

    outcomes = [outcome for paths in calls for outcome in take_all(library, *paths)[0].values()]

    assert ["unchanged", "unchanged"] == outcomes
    assert 2 == len(texts(library))


def test_folders_of_the_same_names_under_different_roots_are_told_apart(library, root):
    first, second = (written(root / place / "x" / "ep.vtt", VTT.format(place)) for place in ("one", "two"))

    assert ["added"] == list(take_all(library, first)[0].values())
    assert ["added"] == list(take_all(library, second)[0].values())
    assert ["unchanged", "unchanged"] == [*take_all(library, second)[0].values(), *take_all(library, first)[0].values()]
    assert 2 == len(library.documents())


def test_one_title_with_two_dates_is_two_episodes(library, root):
    for year in (2023, 2024):
        written(
            root / str(year) / "review.md", f"---\ntitle: The year\ndate: {year}-12-20\n---\n\nMia: This was {year}.\n"
        )

    assert {"added"} == set(take_all(library, root)[0].values())
    assert {"unchanged"} == set(take_all(library, root)[0].values())


def test_names_that_are_one_slug_are_still_two_files(library, root):
    written(root / "Ep 1!.txt", "One.")
    written(root / "ep-1.txt", "Two.")

    assert ["added", "added"] == list(take_all(library, root)[0].values())
    assert ["unchanged", "unchanged"] == list(take_all(library, root)[0].values())


def test_an_edited_file_is_updated_and_its_neighbour_left_alone(library, root):
    written(root / "a" / "ep.txt", "Old words.")
    written(root / "b" / "ep.txt", "Other words.")
    take_all(library, root)
    written(root / "a" / "ep.txt", "New words.")

    assert {"a/ep.txt": "updated", "b/ep.txt": "unchanged"} == take_all(library, root)[0]
    assert {"a/ep": "New words.", "b/ep": "Other words."} == texts(library)


def test_a_folder_that_was_moved_is_known_again(library, root):
    written(root / "old" / "show" / "ep.txt", "Words.")
    take_all(library, root / "old" / "show")
    (root / "old").rename(root / "new")

    assert ["unchanged"] == list(take_all(library, root / "new" / "show")[0].values())


def test_what_an_earlier_version_imported_stays_the_same_episode(library, root):
    for number in (1, 2, 3):
        written(root / f"ep{number}" / "transcript.vtt", VTT.format(f"Words of number {number}."))
    kept = root / "ep3" / "transcript.vtt"
    mark = {"source": "import", "file": kept.name, "imported_sha256": sha256(kept.read_bytes()).hexdigest()}
    episode = Episode("river", "import:river/transcript", "transcript")
    library.write(Transcript(episode, (Turn("Words of number 3."),), (), "2026-01-01T00:00:00.000Z", mark))

    outcomes = take_all(library, root)[0]

    assert ["added", "added", "unchanged"] == list(outcomes.values())
    assert 3 == len(library.documents())


def test_a_guid_of_its_own_is_the_identity_and_no_other_file_takes_it(library, root):
    text = "---\nguid: river-1\ntitle: {}\n---\n\nMia: {}.\n"
    first = written(root / "a.md", text.format("First", "One"))
    take_all(library, first)
    written(first, text.format("Renamed", "One more"))

    assert ["updated"] == list(take_all(library, first)[0].values())
    with pytest.raises(TranscriptError, match=r"guid of a\.md"):
        take_all(library, written(root / "b" / "a.md", text.format("Copy", "Something else")))
    assert {"Renamed": "One more."} == texts(library)


def test_a_document_of_the_library_is_taken_with_its_times(library, root):
    ours = Transcript(
        Episode("river", "g1", "Flood"), (Turn("One."),), (), "2026-01-01T00:00:00.000Z", {"source": "model"}
    )
    written(root / "flood.md", to_markdown(ours))
    written(root / "flood.json", to_sidecar(ours))

    assert ({"files/flood.md": "added"}, {}) == take_all(library, root, podcast="")


@pytest.mark.parametrize(
    ("files", "best"),
    [
        (
            {
                "e.json": '{"segments": [{"start": 0, "end": 2, "text": "Rain."}]}',
                "e.txt": "Rain.",
                "e.srt": RAIN,
                "e.tsv": "",
            },
            "e.json",
        ),
        ({"e.json": '{"text": "Rain."}', "e.vtt": RAIN}, "e.vtt"),
        ({"e.json": '{"id": 1, "title": "no transcript"}', "e.srt": RAIN, "e.txt": "Rain."}, "e.srt"),
        (
            {"e.vtt": RAIN, "e.json": '{"segments": [{"start": 0, "end": 2, "text": "Rain.", "speaker": "Mia"}]}'},
            "e.json",
        ),
        ({"e.tsv": "start\tend\ttext\n0\t2000\tRain.\n", "e.txt": "Rain."}, "e.tsv"),
    ],
)
def test_formats_beside_each_other_are_one_episode_and_the_best_is_taken(library, root, files, best):
    for name, text in files.items():
        written(root / name, text)

    outcomes, left_out = take_all(library, root)

    assert {f"files/{best}": "added"} == outcomes
    assert files.keys() - {best} == left_out.keys()
    assert {f"files/{best}": "unchanged"} == take_all(library, root)[0]
    assert {f"files/{best}": "unchanged"} == take_all(library, *sorted(root.iterdir()))[0]


SPOKEN = json.dumps({"segments": [{"start": 0, "end": 2, "text": "Snow.", "speaker": "Mia"}]})


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ({"e.txt": "Rain."}, {"e.srt": RAIN}),
        ({"e.srt": RAIN}, {"e.json": SPOKEN}),
        ({"e.srt": RAIN, "e.txt": "Rain."}, {"e.vtt": VTT.format("Rain, and snow.")}),
        ({"e.txt": "Rain."}, {"e.md": "---\nguid: g-1\ntitle: The rain\n---\nMia: Rain.\n\nMia: Snow.\n"}),
        ({"e.md": "---\nguid: g-1\ntitle: The rain\n---\nRain.\n"}, {"e.srt": RAIN}),
    ],
)
def test_a_better_format_that_comes_later_is_taken_for_the_same_episode(library, root, earlier, later):
    for name, text in earlier.items():
        written(root / name, text)
    take_all(library, root)
    (before,) = library.documents()
    (name, text), *_ = later.items()
    written(root / name, text)

    assert {f"files/{name}": "updated"} == take_all(library, root)[0]
    (after,) = library.documents()
    assert (before.name, before.guid, before.key) == (after.name, after.guid, after.key)
    assert name == library.read(after.name).provenance["file"]
    assert {f"files/{name}": "unchanged"} == take_all(library, root)[0]
    assert [after] == library.documents()


def test_a_poorer_format_alone_does_not_overwrite(library, root):
    written(root / "e.json", SPOKEN)
    take_all(library, root)
    plain = written(root / "e.srt", RAIN)

    with pytest.raises(TranscriptError, match=r"before, from e\.json, which says as much"):
        take_all(library, plain)
    assert ["Snow."] == list(texts(library).values())


def test_a_document_edited_in_the_library_is_not_overwritten(library, root):
    written(root / "e.txt", "Rain.")
    take_all(library, root)
    (document,) = library.documents()
    edited = (library.root / document.name).read_text().replace("Rain.", "Rain, and more of it.")
    (library.root / document.name).write_text(edited)
    for name, text in {"e.txt": "Rain. Again.", "e.srt": RAIN}.items():
        written(root / name, text)
        with pytest.raises(TranscriptError, match="edited in the library"):
            take_all(library, root)

    assert edited == (library.root / document.name).read_text()


def test_what_the_best_format_does_not_say_is_taken_from_the_others(library, root):
    written(root / "e.vtt", RAIN)
    written(root / "e.md", "---\nguid: g-1\ntitle: The rain\npodcast: River\ndate: 2025-02-03\n---\nRain.\n")

    assert {"files/e.vtt": "added"} == take_all(library, root, podcast="")[0]
    episode = library.read(library.documents()[0].name).episode
    assert ("g-1", "The rain", "river", "2025-02-03") == (
        episode.guid,
        episode.title,
        episode.podcast,
        episode.published,
    )


def test_names_with_dots_are_no_formats_of_one_episode(root):
    files = [
        written(root / name, "Rain.")
        for name in ("Ep. 12", "Ep. 13", "1.5 hours.txt", "1.6 hours.txt", "e.de.vtt", "e.en.vtt")
    ]

    assert 6 == len(find_sources(files)[0])


def test_a_folder_says_what_was_left_out_and_why(root):
    for name, text in {
        "a.docx": "PK\3\4x", "b.pdf": "%PDF-1", "c.rtf": "{\\rtf1 x}", "d.mp3": "ID3x", "e.css": "p {}", "README.md": "# About", "package.json": "{}",
        ".DS_Store": "x", ".git/config": "x", "ok.txt": "Rain.",
    }.items():  # fmt: skip
        written(root / name, text)

    sources, left_out = find_sources([root])
    reasons = {one.path.name: one.reason for one in left_out}

    assert [("files", "ok")] == [source.names for source in sources]
    assert ["README.md", "a.docx", "b.pdf", "c.rtf", "d.mp3", "e.css", "package.json"] == sorted(reasons)
    assert "Word" in reasons["a.docx"]
    assert "PDF" in reasons["b.pdf"]
    assert ".css" in reasons["e.css"]


def test_other_files_in_a_folder_are_no_failures_but_broken_captions_are(root):
    page = written(root / "index.html", "<ul><li><a href='x'>One</a></li></ul>")
    broken = written(root / "ep.vtt", "WEBVTT\n")
    sources, _ = find_sources([root])
    told = {}
    for source in sources:
        with pytest.raises(TranscriptError) as caught:
            read_source(source, "")
        told[source.paths[0]] = type(caught.value)

    assert {page: UnknownFormatError, broken: TranscriptError} == told
    with pytest.raises(TranscriptError) as caught:
        read_source(replace(sources[1], in_folder=False), "")
    assert TranscriptError is type(caught.value)
