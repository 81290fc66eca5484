"""A recogniser that is a server with OpenAI's API for speech: whisper.cpp, speaches, vLLM, or OpenAI's own.

Each window is sent as a WAV file of its own, so that a long episode is cut in pauses and goes on where it stopped.
"""

import io
import re
import time
import wave
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any
from urllib.parse import urlsplit

from ingest.audio.decode import RATE, Samples
from ingest.errors import FetchError, TranscriptionError, UnreachableError
from ingest.finite import finite, read_json
from ingest.languages import primary_language
from ingest.speech.recognizer import Options, Recognized
from ingest.speech.segments import Word
from ingest.speech.windows import WINDOW
from ingest.web.client import TRANSIENT, Response
from ingest.web.form import ask

PATH = "/v1/audio/transcriptions"
ANSWER_SECONDS = 300.0  # a large model on a slow CPU takes minutes for a window
WAITS = (1.0, 4.0, 15.0)  # seconds before each further try
LIMITS = (-1.0, WINDOW + 1.0, " s")  # of times: Whisper fills sound up with silence to a window and may name any in it


class WhisperServer:
    """A `Recognizer` that asks the server at `url`; `model` is the name that the server knows it by.

    A server that cannot be reached, or fails whatever it is sent, raises `UnreachableError`: no episode's fault.
    """

    batch_size = 1

    def __init__(self, url: str, model: str, key: str = "", *, sleep: Callable[[float], object] = time.sleep) -> None:
        """Raises `TranscriptionError` where nothing answers at the address."""
        self.name, self._url, self._key, self._sleep = model, address(url), key, sleep
        self.facts, self.changes = {"server": self._url, "device": "server"}, list[str]()
        try:  # not all servers list their models: any answer will do
            ask(self._url.removesuffix(PATH) + "/v1/models", key=key, timeout=ANSWER_SECONDS)
        except FetchError as error:
            raise TranscriptionError(self._url, f"{error.message}; check SOUNDBITE_WHISPER_URL") from error

    def known_language(self, wanted: str) -> str:
        """See `Recognizer`; whether it knows the language, only the server can tell."""
        return re.split("[-_]", wanted.strip().lower())[0]

    def transcribe(self, sounds: Sequence[Samples], options: Options) -> list[Recognized]:
        """See `Recognizer`; one request for each piece."""
        return [self._one(sound, options) for sound in sounds]

    def _one(self, sound: Samples, options: Options) -> Recognized:
        fields: dict[str, Any] = {
            "model": self.name,
            "response_format": "verbose_json",
            "timestamp_granularities[]": ["word", "segment"],
            "temperature": "0.2" if options.careful else "0.0",  # Whisper's own first step up
        }
        fields |= {name: said for name, said in (("language", options.language), ("prompt", options.hotwords)) if said}
        answer = self._send(fields, wav(sound))
        try:
            return recognized(read_json(answer.body), options.language or options.likely, len(sound) / RATE)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            reason = f"answers in another form than verbose_json ({error}); check SOUNDBITE_WHISPER_URL"
            raise TranscriptionError(self._url, reason) from error

    def _send(self, fields: dict[str, Any], file: bytes) -> Response:
        """The answer; a server that is busy, starting or breaking off is asked again after `WAITS`."""
        problem, files = "", {"file": ("speech.wav", file, "audio/wav")}
        for wait in (0.0, *WAITS):
            self._sleep(wait)
            try:
                answer = ask(self._url, key=self._key, timeout=ANSWER_SECONDS, fields=fields, files=files)
            except FetchError as error:
                problem = error.message
                continue
            if answer.status == 200:
                return answer
            said = " ".join(answer.body.decode("utf-8", "replace").split())[:200]
            problem = f"answered with HTTP status {answer.status}: {said}"
            if answer.status not in TRANSIENT:
                setting = "API_KEY" if answer.status in {401, 403} else "URL and _MODEL"
                raise TranscriptionError(self._url, f"{problem}; check SOUNDBITE_WHISPER_{setting}")
        host = urlsplit(self._url).hostname or ""
        raise UnreachableError(self._url, f"{problem}, {len(WAITS) + 1} times; try again later", host)


def address(url: str) -> str:
    """Where to send sound: a server's address may be given with or without the API's path."""
    base = url.strip().rstrip("/").removesuffix(PATH).removesuffix("/v1")
    return (base if "://" in base else f"http://{base}") + PATH


def wav(sound: Samples) -> bytes:
    """A WAV file: mono, 16 kHz, 16 bits; what was decoded from 16 bits is the same again."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, RATE, 0, "NONE", ""))  # channels, bytes of a sample; no compression
        writer.writeframes((sound * 32_768).round().clip(-32_768, 32_767).astype("<i2").tobytes())
    return file.getvalue()


def recognized(answer: dict[str, Any], language: str, seconds: float) -> Recognized:
    """What a `verbose_json` says of some seconds of sound; raises ValueError, TypeError, KeyError or AttributeError.

    The text's words take the times of the listed ones where there are as many; else each shares its segment's time by
    its letters. Listed words are not read: OpenAI's have no punctuation.
    """

    def at(value: Any) -> float:
        return min(max(finite(value, *LIMITS), 0.0), seconds)

    segments = answer.get("segments") or [{"start": 0.0, "end": seconds, "text": answer["text"]}]
    words = [word for one in segments for word in _shared(one["text"], at(one["start"]), at(one["end"]))]
    listed = answer.get("words") or [word for one in segments for word in one.get("words") or ()]
    if len(listed) == len(words):
        words = [Word(at(one["start"]), at(one["end"]), word.text) for one, word in zip(listed, words, strict=True)]
    counts = [len(one.get("tokens") or one["text"].split()) for one in segments]
    log_prob = sum(finite(one.get("avg_logprob") or 0.0) * n for one, n in zip(segments, counts, strict=True))
    no_speech = min(finite(one.get("no_speech_prob") or 0.0) for one in segments)
    language = primary_language(answer.get("language") or "") or language
    return Recognized(tuple(words), language, log_prob / max(sum(counts), 1), sum(counts), no_speech)


def _shared(text: str, start: float, end: float) -> list[Word]:
    parts = [f" {part}" for part in text.split()]
    ends = list(accumulate(map(len, parts), initial=0))
    times = [round(start + (end - start) * done / max(1, ends[-1]), 2) for done in ends]
    return [Word(begin, over, part) for (begin, over), part in zip(pairwise(times), parts, strict=True)]
