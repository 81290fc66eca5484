import subprocess
import sys

CODE = """
import sys
from index.lean import lancedb
{before}
table = lancedb().connect({folder!r}).create_table("t", [{{"a": 1, "vector": [1.0, 0.0]}}])
print(table.search([1.0, 0.0]).to_list()[0]["a"], "lance_namespace_urllib3_client" in sys.modules)
import lance_namespace_urllib3_client.models as models
print(len(vars(models)) > 100)
"""
BROKEN = """
import index.lean
def refuse(self, module):
    raise ImportError("needs the real one")
index.lean._Absence.exec_module = refuse
"""


def run(folder, before=""):
    code = CODE.format(folder=str(folder), before=before)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_the_store_works_without_its_cloud_client_and_others_may_still_have_it(tmp_path):
    assert ["1", "False", "True"] == run(tmp_path)


def test_a_version_that_needs_the_client_gets_it(tmp_path):
    assert ["1", "True", "True"] == run(tmp_path, BROKEN)
