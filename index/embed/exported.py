"""A model as it was exported into a home, found by the name that an index is marked with.

So an index can be searched whatever model the settings name: while another is built beside it, and once that is swapped in.
"""

from functools import cached_property
from pathlib import Path
from typing import Any

from index.embed.model_files import as_json
from index.embed.sentence_transformers import EXPORT, SentenceEmbedder


class ExportedEmbedder(SentenceEmbedder):
    """See `SentenceEmbedder`; needs the export alone, not the model's files or the settings it was exported with."""

    def __init__(self, name: str, cache: Path) -> None:
        super().__init__(name, cache, eight_bits=name.endswith("-int8"))

    @cached_property
    def name(self) -> str:
        """The name given."""
        return self.model

    @cached_property
    def directory(self) -> Path:
        """The export, which has the tokenizer, too."""
        return self._folder

    @cached_property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._export_config["dimension"])

    @cached_property
    def _prompts(self) -> tuple[str, str]:
        query, passage = self._export_config["prompts"]
        return query, passage

    @cached_property
    def _export_config(self) -> dict[str, Any]:
        return as_json(self._folder / "encoder.json")


def find_exported(name: str, cache: Path) -> ExportedEmbedder | None:
    """The model of that name; None where it was not exported, or by a version that noted too little."""
    config = as_json(cache / f"{name}-{EXPORT}" / "encoder.json")
    return ExportedEmbedder(name, cache) if config.get("exported") and "prompts" in config else None
