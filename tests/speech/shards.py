"""Spoken sentences on disk: log-mel spectra with the text token and phoneme of every frame.

A shard is one pickle of `Spoken`. Windows of training are composed from them on the fly, so each is made only once.
"""

import pickle
import random
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from faster_whisper.feature_extractor import FeatureExtractor
from tokenizers import Tokenizer

from tests.speech.scores import Word, plain_words
from tests.speech.sentences import sentence
from tests.speech.synthesize import MP3_FORMS, RATE, SPEEDS, VOICES, say, through_mp3, with_noise

HERE = Path(__file__).parent
LONGEST = 16  # seconds: longer sentences are left out
SOFT = 1e-10  # power: Whisper's floor
KINDS = ("mp3", "noisy", "clean")
SHARES = (0.38, 0.12, 0.5)
NO_TOKEN = -100  # what cross-entropy ignores


class Token(NamedTuple):
    """A text token of a sentence: its share of the word's time in seconds, and the word's number."""

    id: int
    start: float
    end: float
    word: int


class Spoken(NamedTuple):
    """One synthesised sentence; `mel` is log10 power, [80, 10 ms frames], float16; times in seconds."""

    voice: str
    kind: str
    mel: np.ndarray
    words: list[Word]
    phonemes: list[tuple[str, float]]
    seconds: float


class Ready(NamedTuple):
    """A sentence as training wants it; `frames` holds phoneme, current token and token before, [3, 20 ms frames]."""

    mel: np.ndarray
    tokens: list[Token]
    words: list[Word]
    frames: np.ndarray
    seconds: float


@cache
def _filters() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(FeatureExtractor(feature_size=80).mel_filters), torch.hann_window(400)


def log_mel(samples: np.ndarray) -> np.ndarray:
    """log10 of the mel power at 100 frames a second, without Whisper's clamp and scale."""
    filters, hann = _filters()
    waves = torch.stft(torch.from_numpy(samples), 400, 160, window=hann, pad_mode="constant", return_complex=True)
    return torch.log10((filters @ waves[..., :-1].abs() ** 2).clamp(min=SOFT)).half().numpy()


@cache
def held_out() -> set[str]:
    """The sentences that measure the model, as plain words: training must not hear them, even by chance."""
    scripts = (HERE.parent / "sample" / "scripts").glob("*.txt")
    said = [line.split(": ", 1)[1] for script in scripts for line in script.read_text(encoding="utf-8").splitlines()]
    said += (HERE / "free_sentences.txt").read_text(encoding="utf-8").splitlines()
    return {" ".join(plain_words(text)) for text in said}


def speak_one(draw: random.Random) -> Spoken | None:
    """One random sentence in a random voice, or None where espeak-ng has no sound for it or it is too long."""
    voice = draw.choices(list(VOICES), list(VOICES.values()))[0]
    text = sentence(draw)
    if " ".join(plain_words(text)) in held_out():
        return None
    pitch = int(min(75, max(25, draw.gauss(50, 9))))
    try:
        speech = say(text, voice, draw.randint(*SPEEDS), pitch, draw.choice([0, 0, 0, 0, 1]))
    except ValueError:
        return None
    samples, kind = speech.samples, draw.choices(KINDS, SHARES)[0]
    if len(samples) > LONGEST * RATE:
        return None
    if kind == "mp3":
        samples = through_mp3(samples, *draw.choice(MP3_FORMS))
    elif kind == "noisy":
        samples = with_noise(samples, draw)
    return Spoken(voice, kind, log_mel(samples), speech.words, speech.phonemes, len(samples) / RATE)


def make(path: Path, count: int, seed: int) -> None:
    """Write a shard of `count` sentences, about 0.8 s of processor time for a minute of speech."""
    draw, spoken = random.Random(seed), []
    while len(spoken) < count:
        spoken += [one] if (one := speak_one(draw)) else []
    part = path.with_suffix(".part")  # a shard with its own name is whole
    part.write_bytes(pickle.dumps([tuple(s) for s in spoken], protocol=4))
    part.rename(path)


def text_tokens(words: list[Word], tokenizer: Tokenizer) -> list[Token]:
    """The tokens of the words; a word's time is shared by the letters of its tokens."""
    tokens = []
    for number, (text, start, end) in enumerate(words):
        encoded = tokenizer.encode(" " + text, add_special_tokens=False)
        edges = np.cumsum([0] + [len(t) for t in encoded.tokens]) / sum(len(t) for t in encoded.tokens)
        times = start + (end - start) * edges
        tokens += [Token(i, *pair, number) for i, pair in zip(encoded.ids, pairwise(times.tolist()), strict=True)]
    return tokens


def prepare(spoken: Spoken, tokenizer: Tokenizer, phonemes: dict[str, int], end: int) -> Ready:
    """Label every frame; `end` is the id of the end token, which marks frames without speech."""
    frames = np.zeros((3, spoken.mel.shape[1] // 2 + 1), np.int16)
    frames[1], frames[2] = end, NO_TOKEN
    edges = [*spoken.phonemes, ("", spoken.seconds)]
    for (name, start), (_, stop) in pairwise(edges):
        frames[0, round(start * 50) : round(stop * 50)] = phonemes.get(name, 0)
    tokens, before = text_tokens(spoken.words, tokenizer), NO_TOKEN
    for token in tokens:
        span = slice(round(token.start * 50), round(token.end * 50))
        frames[1, span], frames[2, span], before = token.id, before, token.id
    return Ready(spoken.mel, tokens, spoken.words, frames, spoken.seconds)


class Store:
    """All sentences of a folder's shards by voice and kind; new shards are taken up while training runs."""

    def __init__(self, folder: Path, tokenizer: Tokenizer, phonemes: dict[str, int], end: int) -> None:
        self.folder, self.tokenizer, self.phonemes, self.end = folder, tokenizer, phonemes, end
        self.known: set[Path] = set()
        self.by_sound: dict[tuple[str, str], list[Ready]] = {}
        self.by_word: dict[str, list[Ready]] = {}  # by every word in them, plain
        self.refresh()

    def refresh(self) -> None:
        """Read the shards that are not read yet."""
        for path in sorted(set(self.folder.glob("*.shard")) - self.known):
            for spoken in _read(path):
                for name, _ in spoken.phonemes:
                    self.phonemes.setdefault(name, len(self.phonemes)) if len(self.phonemes) < 100 else None
                ready = prepare(spoken, self.tokenizer, self.phonemes, self.end)
                self.by_sound.setdefault((spoken.voice, spoken.kind), []).append(ready)
                for word in set(plain_words(" ".join(w.text for w in ready.words))):
                    self.by_word.setdefault(word, []).append(ready)
            self.known.add(path)
        self.sounds = list(self.by_sound)
        self.sizes = [len(sentences) for sentences in self.by_sound.values()]

    def sound(self, draw: random.Random) -> tuple[str, str]:
        """A voice and kind, as often as there are sentences of it."""
        return draw.choices(self.sounds, self.sizes)[0]

    def pick(self, draw: random.Random, sound: tuple[str, str] | None = None) -> Ready:
        """A sentence of this voice and kind where there is one, else any."""
        return draw.choice(self.by_sound[sound if sound in self.by_sound else self.sound(draw)])


def _read(path: Path) -> Iterator[Spoken]:
    for voice, kind, mel, words, *rest in pickle.loads(path.read_bytes()):  # our own file, written by `make`
        yield Spoken(voice, kind, mel, [Word(*w) for w in words], *rest)
