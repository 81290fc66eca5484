"""A server with OpenAI's API transcribes as a model here does; its faults are told from an episode's."""

import io
import json
import os
import socket
import subprocess
import sys
import wave
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic, sleep

import httpx2
import numpy as np
import pytest

from flows.doctor import _speech
from ingest.audio.decode import RATE, Recording
from ingest.errors import TranscriptionError, UnreachableError
from ingest.settings import Settings
from ingest.speech.recognizer import Options
from ingest.speech.server import PATH, WAITS, WhisperServer, address, recognized, wav
from ingest.speech.transcribe import Transcriber
from ingest.weights.files import located
from tests.conftest import MODELS_DIR, SPEECH_MODEL
from tests.flac import write_flac
from tests.sample.host import HERE
from tests.speech.scores import word_errors

SAID = "Hello and welcome to the Quota Room. I'm your host Laura, and today my guest is Ben."
HEARD = {"text": " We sell.", "language": "english", "segments": [
    {"start": 0.5, "end": 1.5, "text": " We sell.", "avg_logprob": -0.2, "no_speech_prob": 0.01, "tokens": [1, 2, 3]}]}  # fmt: skip


@pytest.fixture(scope="module")
def real():
    """The address of faster-whisper-server, a program of its own, with our model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "faster_whisper_server", str(located(SPEECH_MODEL, MODELS_DIR))]
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)], env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    until = monotonic() + 120
    try:
        while monotonic() < until:
            try:
                httpx2.get(f"http://127.0.0.1:{port}/health", trust_env=False)
                break
            except httpx2.HTTPError:
                sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    with Recording(HERE / "audio" / "pipeline-review.mp3") as recording:
        sound = next(recording.blocks())[: 6 * RATE]
    silence = np.zeros(40 * RATE, np.float32)
    return write_flac(tmp_path_factory.mktemp("clip") / "a.flac", np.concatenate([sound, silence, sound]))


def transcriber(url, **options):
    return Transcriber("any-name", models_dir=MODELS_DIR, server=url, **options)


def test_a_real_server_transcribes_an_episode(real, clip, tmp_path):
    made = transcriber(real, stretch=20.0).transcribe(clip, checkpoint=tmp_path / "c.json")
    assert word_errors(f"{SAID} {SAID}", " ".join(one.text for one in made.segments)).wrong <= 3
    assert [any(abs(one.start - start) < 0.7 for one in made.segments) for start in (0.6, 46.6)] == [True, True]
    assert all(one.end < 7 or one.start > 45 for one in made.segments)
    assert made.provenance["server"] == real + PATH
    assert (made.language, made.provenance["languages"]) == ("en", {"en": 1.0})
    again = transcriber("http://127.0.0.1:1")  # what is done needs no server, but the server is looked at first
    with pytest.raises(TranscriptionError, match="SOUNDBITE_WHISPER_URL"):
        again.transcribe(clip, checkpoint=tmp_path / "c.json")


class Script(BaseHTTPRequestHandler):
    """Answers as it is told: a status and a body for each request, the last one again and again."""

    def do_GET(self):
        self.send_error(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers, body))
        answers = self.server.answers
        status, answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 0:
            self.close_connection = True
            return
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        pass


@contextmanager
def scripted(*answers):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Script)
    server.answers, server.asked, server.daemon_threads = list(answers), [], True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def ask(url, options=None, key=""):
    waits = []
    server = WhisperServer(url, "large", key, sleep=waits.append)
    return server.transcribe([np.zeros(2 * RATE, np.float32)], options or Options())[0], waits


def test_the_command_asks_the_server_that_is_set(call, monkeypatch, clip):
    with scripted((200, HEARD)) as (server, url):
        monkeypatch.setenv("SOUNDBITE_WHISPER_URL", url)
        monkeypatch.setenv("SOUNDBITE_WHISPER_API_KEY", "secret")
        monkeypatch.setenv("SOUNDBITE_WHISPER_MODEL", "whisper-1")
        code, out, _ = call("transcribe", clip, "--to", "txt")
    assert (code, set(out.split())) == (0, {"We", "sell."})  # more is said, so that parts are asked for, too
    (_, headers, body), *_ = server.asked
    assert headers["Authorization"] == "Bearer secret"
    assert b"whisper-1" in body


def test_doctor_names_the_server_and_asks_for_no_model():
    (finding,) = _speech(Settings(whisper_url="http://gpu:8000", whisper_model="whisper-1"))
    assert finding.ok
    assert "http://gpu:8000" in finding.found


def test_a_request_says_what_the_api_has_names_for():
    with scripted((200, HEARD)) as (server, url):
        ask(url + "/v1/", Options("de", hotwords="Laura, Ben"), "secret")
    ((path, headers, body),) = server.asked
    assert (path, headers["Authorization"]) == (PATH, "Bearer secret")
    for name, value in [("model", b"large"), ("response_format", b"verbose_json"), ("language", b"de"),
                        ("prompt", b"Laura, Ben"), ("timestamp_granularities[]", b"word"), ("temperature", b"0.0")]:  # fmt: skip
        assert f'name="{name}"\r\n\r\n'.encode() + value + b"\r\n" in body
    assert b'filename="speech.wav"' in body


@pytest.mark.parametrize("busy", [(503, b"starting"), (429, b"slow down"), (500, b""), (0, b"")])
def test_a_server_that_is_busy_is_asked_again(busy):
    with scripted(busy, busy, (200, HEARD)) as (server, url):
        found, waits = ask(url)
    assert "".join(word.text for word in found.words) == " We sell."
    assert waits == [0.0, *WAITS[:2]]
    assert len(server.asked) == 3


@pytest.mark.parametrize("broken", [(503, b"starting"), (500, b"CUDA error"), (0, b"")])
def test_a_server_that_goes_on_failing_is_no_episodes_fault(broken):
    with scripted(broken) as (server, url), pytest.raises(UnreachableError) as raised:
        ask(url)
    assert raised.value.host == "127.0.0.1"
    assert "\n" not in str(raised.value)
    assert len(server.asked) == 1 + len(WAITS)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, b"no"), "SOUNDBITE_WHISPER_API_KEY"),
        ((404, b'{"detail": "model not found"}'), "model not found"),
        ((413, b"too large"), "413"),
        ((200, b"<html>"), "verbose_json"),
        ((200, b"[]"), "verbose_json"),
        ((200, {"segments": [{"text": "no times"}]}), "verbose_json"),
        ((200, HEARD | {"segments": [HEARD["segments"][0] | {"end": 2_000.0}]}), "2000 s is not from -1 to 31 s"),
        ((200, json.dumps(HEARD).replace("0.5", "NaN").encode()), "verbose_json .*'NaN' is no finite number"),
        ((200, b"[" * 100_000), "nested too deeply"),
    ],
)
def test_a_refusal_or_a_strange_answer_is_one_clear_error_at_once(answer, said):
    with scripted(answer) as (server, url), pytest.raises(TranscriptionError, match=said) as raised:
        ask(url)
    assert not isinstance(raised.value, UnreachableError)
    assert "\n" not in str(raised.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize("url", ["127.0.0.1:1", "http://127.0.0.1:1/v1", "nonsense://", ""])
def test_a_server_that_is_not_there_is_said_before_any_work(url):
    with pytest.raises(TranscriptionError, match="SOUNDBITE_WHISPER_URL"):
        WhisperServer(url, "large")


@pytest.mark.parametrize(
    "url",
    ["http://a:8000", "http://a:8000/", "a:8000", "http://a:8000/v1", f"http://a:8000{PATH}", "http://a:8000/v1/ "],
)
def test_an_address_may_be_given_with_or_without_the_path(url):
    assert address(url) == f"http://a:8000{PATH}"


def timed(answer):
    return [(word.text, word.start, word.end) for word in recognized(answer, "en", 4.0).words]


def test_listed_word_times_are_taken_with_the_texts_punctuation():
    listed = [{"word": "We", "start": 0.6, "end": 0.8}, {"word": "sell", "start": 1.0, "end": 1.4}]
    expected = [(" We", 0.6, 0.8), (" sell.", 1.0, 1.4)]
    assert timed(HEARD | {"words": listed}) == expected  # as OpenAI lists them
    inside = [HEARD["segments"][0] | {"words": listed}]
    assert timed({"text": " We sell.", "segments": inside}) == expected  # as whisper.cpp and speaches do


def test_without_word_times_the_words_share_their_segments_time():
    assert timed(HEARD) == [(" We", 0.5, 0.83), (" sell.", 0.83, 1.5)]
    assert timed({"text": "We sell a lot"}) == [(" We", 0.0, 0.86), (" sell", 0.86, 2.29), (" a", 2.29, 2.86), (" lot", 2.86, 4.0)]  # fmt: skip


def one_segment(**changed):
    return HEARD | {"segments": [HEARD["segments"][0] | changed]}


NO_NUMBERS = [float("nan"), float("inf"), "-Infinity", "NaN", "1e999", -(10**400), "soon"]


@pytest.mark.parametrize("name", ["start", "end", "avg_logprob", "no_speech_prob"])
@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: str(value)[:9])
def test_a_figure_that_is_no_number_is_refused(name, value):
    with pytest.raises(ValueError, match=r"number|float"):
        recognized(one_segment(**{name: value}), "en", 4.0)


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: str(value)[:9])
@pytest.mark.parametrize("name", ["start", "end"])
def test_a_words_time_that_is_no_number_is_refused(name, value):
    words = [{"start": 0.6, "end": 0.8}, {"start": 1.0, "end": 1.4, name: value}]
    for answer in (HEARD | {"words": words}, one_segment(words=words)):
        with pytest.raises(ValueError, match=r"number|float"):
            recognized(answer, "en", 4.0)


@pytest.mark.parametrize("language", [["en"], {"code": "en"}, 7, True])
def test_a_language_that_is_no_text_is_refused(language):
    with pytest.raises((TypeError, AttributeError)):
        recognized(HEARD | {"language": language}, "", 4.0)


@pytest.mark.parametrize(("start", "end"), [(0, 4_000), (500, 1_500), (95, 99), (-5, 1), (0, 1e308), (31.5, 33)])
def test_a_time_of_other_sound_is_refused(start, end):
    words = [{"start": 0.6, "end": 0.8}, {"start": start, "end": end}]
    for answer in (one_segment(start=start, end=end), HEARD | {"words": words}, one_segment(words=words)):
        with pytest.raises(ValueError, match="s is not from -1 to 31 s"):
            recognized(answer, "en", 4.0)


@pytest.mark.parametrize(("start", "end"), [(-0.4, 1), (0, 4.02), (0.5, 30), (-1, 31)])
def test_a_time_a_little_outside_the_sound_is_moved_into_it(start, end):
    times = [time for _, *pair in timed(one_segment(start=start, end=end)) for time in pair]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (max(0.0, start), min(4.0, end))
    words = [{"start": start, "end": 0.8}, {"start": 1.0, "end": end}]
    assert [(" We", max(0.0, start), 0.8), (" sell.", 1.0, min(4.0, end))] == timed(HEARD | {"words": words})


def test_figures_and_language_are_read_where_they_are_told():
    found = recognized(HEARD, "", 4.0)
    assert (found.language, found.log_prob, found.tokens, found.no_speech) == ("en", pytest.approx(-0.2), 3, 0.01)
    assert recognized({"text": "hallo"}, "de", 4.0).language == "de"
    assert recognized({"text": ""}, "de", 4.0).words == ()
    assert recognized({"text": "", "segments": [], "language": "en"}, "", 4.0).words == ()


def test_sound_is_sent_as_16_bit_wav():
    with wave.open(io.BytesIO(wav(np.array([0, 0.5, -2], np.float32)))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (1, RATE, 2)
        assert np.frombuffer(file.readframes(3), np.int16).tolist() == [0, 16_384, -32_768]
