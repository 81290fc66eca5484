"""Which packings of a body can be undone on this machine. httpx2 hands on those it cannot undo as they are."""

from functools import cache
from importlib import import_module

LIBRARIES = {"br": ("brotli", "brotlicffi"), "zstd": ("compression.zstd", "backports.zstd")}  # that httpx2 looks for
INSTALL = {"br": "brotli", "zstd": "backports.zstd"}
ALWAYS = frozenset({"", "identity", "gzip", "deflate", "none"})  # the last is no coding, but servers write it


def obstacle(encoding: str) -> str:
    """Why a body with this Content-Encoding cannot be read, in plain words; empty where it can."""
    for coding in (name.strip().lower() for name in encoding.split(",")):
        if coding in LIBRARIES and not any(map(_is_installed, LIBRARIES[coding])):
            return (
                f"is packed with {coding}, which nobody asked for; `pip install {INSTALL[coding]}` lets it be unpacked"
            )
        if coding in {"compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip", "aes128gcm"}:
            return f"is packed with {coding}, which nobody asked for and which cannot be unpacked here"
    return ""


@cache
def _is_installed(library: str) -> bool:
    try:
        import_module(library)
    except ImportError:
        return False
    return True
