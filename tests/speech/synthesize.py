"""Speech from espeak-ng with the exact time of every word and phoneme, and its log-mel spectrum for training.

espeak-ng (GPL, used as a program of its own through its C library, nothing of it is shipped) tells at which sample each
word and phoneme begins. Part of the sentences go through MP3 or get noise before the spectrum is taken.
"""

import ctypes
import io
import random
import re
from functools import cache
from itertools import pairwise
from math import gcd
from typing import NamedTuple

import av
import numpy as np
from scipy.signal import lfilter, resample_poly

from tests.speech.scores import Word

RATE = 16_000  # Hz, what Whisper hears
EDGE = 0.03  # seconds of silence kept on both sides of a sentence
LOUD = 30  # of 32,768: quieter samples at the end are silence
WORD_EVENT, PHONEME_EVENT = 1, 7
SYNCHRONOUS, PHONEME_EVENTS = 2, 1  # espeak_Initialize: output mode, options
SPEED, VOLUME, PITCH, WORD_GAP = 1, 2, 3, 7  # espeak_SetParameter
UTF8 = 1

# The voices trained on; `en` is espeak-ng's British voice (the C library knows no "en-gb"), + names a variant.
VOICES = {"en-us": 5, "en-us+f3": 5, "en-us+m3": 4, "en": 4, "en-us+m1": 1, "en-us+f2": 1, "en+f3": 1, "en-gb-x-rp": 1}
SPEEDS = (135, 195)  # words a minute
MP3_FORMS = [
    (16_000, 64),
    (22_050, 64),
    (44_100, 64),
    (16_000, 64),
    (22_050, 64),
    (16_000, 32),
    (22_050, 48),
    (24_000, 48),
    (44_100, 96),
]


class Speech(NamedTuple):
    """One sentence: mono samples at `RATE` from -1 to 1, its words, and the phonemes with their starts in seconds."""

    samples: np.ndarray
    words: list[Word]
    phonemes: list[tuple[str, float]]


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", _Id),
    ]  # fmt: skip


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """The C library, opened once; `rate` is its own sample rate in Hz."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self.library.espeak_Initialize(SYNCHRONOUS, 0, None, PHONEME_EVENTS)
        self.waves: list[np.ndarray] = []
        self.events: list[tuple[int, int, int, str]] = []  # type, text position, sample, phoneme
        self.callback = _Callback(self._receive)  # kept, or it would be collected while C still calls it
        self.library.espeak_SetSynthCallback(self.callback)

    def _receive(self, wave, count: int, events) -> int:
        if count > 0 and wave:
            self.waves.append(np.ctypeslib.as_array(wave, shape=(count,)).copy())
        index = 0
        while (event := events[index]).type != 0:
            if event.type in (WORD_EVENT, PHONEME_EVENT):
                phoneme = (
                    bytes(event.id.string).split(b"\0")[0].decode("utf-8", "replace")
                    if event.type == PHONEME_EVENT
                    else ""
                )
                self.events.append((event.type, event.text_position, event.sample, phoneme))
            index += 1
        return 0

    def speak(self, text: str, voice: str, speed: int, pitch: int, gap: int) -> np.ndarray:
        """int16 samples at `self.rate`; the events are in `self.events`."""
        self.waves.clear()
        self.events.clear()
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice}")
        for parameter, value in ((SPEED, speed), (PITCH, pitch), (VOLUME, 100), (WORD_GAP, gap)):
            self.library.espeak_SetParameter(parameter, value, 0)
        data = text.encode()
        self.library.espeak_Synth(data, ctypes.c_size_t(len(data) + 1), 0, 1, 0, UTF8, None, None)
        self.library.espeak_Synchronize()
        return np.concatenate(self.waves) if self.waves else np.zeros(0, np.int16)


@cache
def espeak() -> Espeak:
    return Espeak()


def say(text: str, voice: str = "en-us", speed: int = 160, pitch: int = 50, gap: int = 0) -> Speech:
    """Speak ASCII text: `speed` in words a minute, `pitch` from 0 to 100, `gap` between words in units of 10 ms."""
    engine = espeak()
    raw = engine.speak(text, voice, speed, pitch, gap)
    loud = np.flatnonzero(np.abs(raw.astype(int)) > LOUD)
    if not len(loud):
        raise ValueError(f"no sound for {text!r}")
    end = (loud[-1] + 1) / engine.rate
    step = gcd(RATE, engine.rate)
    samples = resample_poly(raw.astype(np.float32) / 32_768, RATE // step, engine.rate // step)
    samples = np.pad(samples, round(EDGE * RATE))[: round((end + 2 * EDGE) * RATE)].astype(np.float32)
    words = [Word(w.text, w.start + EDGE, w.end + EDGE) for w in _words(text, engine, loud[0] / engine.rate, end)]
    phonemes = [(name, sample / engine.rate + EDGE) for kind, _, sample, name in engine.events if kind == PHONEME_EVENT]
    return Speech(samples, words, phonemes)


def _words(text: str, engine: Espeak, first: float, end: float) -> list[Word]:
    """The words with their times; words that espeak-ng runs together ("of the") share their time by letters."""
    spans = [(m.group(), m.start() + 1, m.end()) for m in re.finditer(r"\S+", text)]  # espeak-ng counts from 1
    starts: list[float | None] = [None] * len(spans)
    for kind, position, sample, _ in engine.events:
        hit = next((i for i, (_, s, e) in enumerate(spans) if s <= position <= e), None)
        if kind == WORD_EVENT and hit is not None and starts[hit] is None:
            starts[hit] = sample / engine.rate
    starts[0] = first if starts[0] is None else starts[0]
    known = [i for i, start in enumerate(starts) if start is not None] + [len(spans)]
    times = [*starts, end]
    for left, right in pairwise(known):
        letters = np.cumsum([0] + [len(spans[k][0]) for k in range(left, right)])
        for k in range(left + 1, right):
            times[k] = times[left] + (times[right] - times[left]) * letters[k - left] / letters[-1]
    return [Word(w, times[i], max(times[i + 1], times[i] + 0.02)) for i, (w, _, _) in enumerate(spans)]


def encode(samples: np.ndarray, codec: str, rate: int, bits: int = 0, quick: bool = False) -> bytes:
    """Mono samples at `RATE` as a file: codec "mp3" or "flac", `rate` in Hz, `bits` a second (0: lossless)."""
    step = gcd(RATE, rate)
    wave = np.clip(resample_poly(samples, rate // step, RATE // step), -1, 1)
    frame = av.AudioFrame.from_ndarray((wave * 32_767).astype(np.int16)[None], format="s16", layout="mono")
    frame.sample_rate = rate
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=codec) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        if bits:
            stream.bit_rate = bits
        if quick:  # half the encoder's time; the sound that is lost is the same to a small model
            stream.codec_context.options = {"compression_level": "7"}
        size = stream.codec_context.frame_size or None
        resample = av.AudioResampler(stream.format, "mono", rate, frame_size=size)
        for ready in [*resample.resample(frame), *resample.resample(None)]:
            out.mux(stream.encode(ready))
        out.mux(stream.encode(None))
    return buffer.getvalue()


def decode(data: bytes) -> np.ndarray:
    """Samples at `RATE` of an encoded file; PyAV takes the encoder's delay away."""
    with av.open(io.BytesIO(data)) as source:
        resample = av.AudioResampler("s16", "mono", RATE)
        parts = [p.to_ndarray()[0] for frame in source.decode(audio=0) for p in resample.resample(frame)]
        parts += [p.to_ndarray()[0] for p in resample.resample(None)]
    return np.concatenate(parts).astype(np.float32) / 32_768


def through_mp3(samples: np.ndarray, rate: int = 22_050, kilobits: int = 64) -> np.ndarray:
    """The samples after MP3 at `kilobits` a second, as long as before."""
    heard = decode(encode(samples, "mp3", rate, kilobits * 1000, quick=True))
    return np.pad(heard, (0, max(0, len(samples) - len(heard))))[: len(samples)]


def with_noise(samples: np.ndarray, draw: random.Random) -> np.ndarray:
    """The samples with white or low noise, at times a tone, 8 to 30 dB below the speech."""
    noise = np.random.default_rng(draw.getrandbits(32)).standard_normal(len(samples))
    if draw.random() < 0.5:
        noise = lfilter([1], [1, -draw.uniform(0.5, 0.97)], noise)
    if draw.random() < 0.2:
        tone = 2 * np.pi * draw.uniform(50, 3000) / RATE
        noise += np.sin(np.arange(len(samples)) * tone) * draw.uniform(0.3, 2)
    level = samples.std() / noise.std() * 10 ** (-draw.uniform(8, 30) / 20)
    return (samples + noise * level).astype(np.float32)
