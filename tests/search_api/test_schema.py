"""The HTTP interface does what its own description says: schemathesis tries it, with all of its checks."""

import importlib.util
import re
import subprocess
import sys

import pytest

from index.alerts import Alert, Alerts
from search_api.app import create_app
from tests.search_api.home import FAILED, TIMED, UNTIMED, add, add_failed, opener, running

EXAMPLES = 25  # an operation; some 800 cases in a minute


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed")
def test_no_request_breaks_what_the_description_promises(own, tmp_path):
    add(own, TIMED, UNTIMED)
    add_failed(own, FAILED, "no audio")
    Alerts(own.alerts_path).add(Alert("people", "why do the best people leave?"))
    with running(create_app(own, opener)) as address:
        command = (
            sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--checks", "all",
            "--max-examples", str(EXAMPLES), "--phases", "examples,coverage,fuzzing",
        )  # fmt: skip
        tried = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    print("\n".join(line.strip() for line in tried.stdout.splitlines() if re.search(r"\d+ generated|Tested:", line)))
    assert tried.returncode == 0, tried.stdout[-6_000:]
