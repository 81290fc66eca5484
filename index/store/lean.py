"""Imports LanceDB without the client of its cloud service, which takes half of the time and serves nothing here."""

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

CLIENT = "lance_namespace_urllib3_client"  # some 370 functions, each given a schema by pydantic when imported


class _Absent(ModuleType):
    """A module that has every name, each an empty class."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class _Absence(MetaPathFinder, Loader):
    """Finds the client's modules, and leaves them empty."""

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        """Ours if it is the client or a part of it."""
        return ModuleSpec(fullname, self, is_package=True) if fullname.partition(".")[0] == CLIENT else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty module."""
        return _Absent(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


def lancedb() -> Any:
    """The module; with its client where it cannot do without. Whoever imports the client later gets the real one."""
    if "lancedb" in sys.modules or CLIENT in sys.modules:
        return import_module("lancedb")
    before = set(sys.modules)
    absence = _Absence()
    sys.meta_path.insert(0, absence)
    try:
        module = import_module("lancedb")
    except Exception:  # noqa: BLE001 - whatever another version needs of it, it gets
        for name in set(sys.modules) - before:
            if (
                name.partition(".")[0] in {"lancedb", "lance_namespace"} and name != "lancedb._lancedb"
            ):  # loads once only
                del sys.modules[name]
        module = None
    finally:
        sys.meta_path.remove(absence)
        for name in [name for name in sys.modules if name.partition(".")[0] == CLIENT]:
            del sys.modules[name]
    return module or import_module("lancedb")
