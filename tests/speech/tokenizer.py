"""A small byte-level BPE tokenizer with Whisper's special tokens, laid out as in Whisper's English models.

Text tokens come first, then <|endoftext|> and the other special tokens, then 1,501 timestamps without a gap.
"""

import json
import random
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from tests.speech.network import TIMESTAMPS
from tests.speech.sentences import sentence

TEXT_TOKENS = 1100
SPACE = "\u0120"  # how byte-level BPE writes a space
END, START, PREVIOUS, NO_SPEECH, NO_TIMESTAMPS = (
    "<|endoftext|>", "<|startoftranscript|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
)  # fmt: skip
SPECIAL = (END, START, "<|en|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>", PREVIOUS, NO_SPEECH, NO_TIMESTAMPS)
# faster-whisper suppresses the first token of " -", " '" and of a space before a note sign (bytes e2, e3). Were that
# the bare space, no rare word could be written: so a space is always joined to the character after it.
AFTER_SPACE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-'\u00e2\u00e3"


def load(path: Path) -> Tokenizer:
    return Tokenizer.from_file(str(path))


def build(path: Path, sentences: int = 60_000, seed: int = 5) -> Tokenizer:
    """Learn the merges from sentences of the grammar and write tokenizer.json."""
    draw = random.Random(seed)
    learned = _byte_level(models.BPE())
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=TEXT_TOKENS, initial_alphabet=alphabet, show_progress=False, min_frequency=5
    )
    learned.train_from_iterator((" " + sentence(draw, loose=0.3) for _ in range(sentences)), trainer)
    vocabulary, merges = _joined(alphabet, _merges(learned))
    tokenizer = _byte_level(models.BPE(vocab=vocabulary, merges=merges))
    times = [f"<|{i * 0.02:.2f}|>" for i in range(TIMESTAMPS)]
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in [*SPECIAL, *times]])
    tokenizer.save(str(path), pretty=False)
    return tokenizer


def _byte_level(model: models.BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _merges(tokenizer: Tokenizer) -> list[tuple[str, str]]:
    """The merges in order; older versions of the library write a pair as one string."""
    pairs = json.loads(tokenizer.to_str())["model"]["merges"]
    return [tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in pairs]


def _joined(alphabet: list[str], learned: list[tuple[str, str]]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges with the space's own merges first."""
    first = [(SPACE, character) for character in AFTER_SPACE]
    vocabulary, merges = {character: number for number, character in enumerate(alphabet)}, []
    for left, right in first + [pair for pair in learned if pair not in first]:
        if len(vocabulary) < TEXT_TOKENS and left in vocabulary and right in vocabulary:
            vocabulary.setdefault(left + right, len(vocabulary))
            merges.append((left, right))
    return vocabulary, merges
