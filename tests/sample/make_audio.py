"""Voice the scripts with espeak-ng; write audio, the true time of every line, and the publisher's caption files.

    python -m tests.sample.make_audio                 # what is committed
    python -m tests.sample.make_audio --format flac   # lossless, twice as large

Needs espeak-ng (Debian package of the same name). Everything it writes is committed, so neither the demo nor the tests
need it. Switching the format is this one command: the other format's files go, the feed template names no format.
"""

import argparse
import io
import json
import subprocess
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

HERE = Path(__file__).parent
SPOKEN_RATE = 22_050  # Hz, what espeak-ng writes
PAUSE = 0.45  # seconds between two lines of one speaker
TURN_PAUSE = 0.8  # seconds where the speaker changes, and at both ends
SILENT = 30  # of 32,768: espeak-ng pads each line with silence, which would blur the true times
VOICES = {"Laura": ("en-us+f3", 158), "Clara": ("en-us+f3", 156), "Maria": ("en-us+f3", 160)}  # voice, words a minute
MALE = ("en-us", 157)
CAPTIONED = "objections-and-discounts"  # the one episode whose publisher gives a transcript


class Format(NamedTuple):
    """How the audio is written: PyAV's codec name, sample rate in Hz, bits a second (0: lossless)."""

    codec: str
    rate: int
    bits: int


FORMATS = {"flac": Format("flac", 16_000, 0), "mp3": Format("libmp3lame", 22_050, 64_000)}


class Line(NamedTuple):
    """One spoken line; `start` and `end` in seconds of the episode's audio."""

    speaker: str
    text: str
    start: float = 0.0
    end: float = 0.0


def read_script(path: Path) -> list[Line]:
    """The lines of one script, without times."""
    return [Line(*line.split(": ", 1)) for line in path.read_text(encoding="utf-8").splitlines()]


def speak(line: Line) -> np.ndarray:
    """One line as int16 samples at `SPOKEN_RATE`, cut where the voice begins and ends."""
    voice, speed = VOICES.get(line.speaker, MALE)
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", line.text]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    with av.open(io.BytesIO(raw)) as wav:
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in wav.decode(audio=0)])
    loud = np.flatnonzero(np.abs(samples.astype(int)) > SILENT)
    return samples[loud[0] : loud[-1] + 1]


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * SPOKEN_RATE), np.int16)


def voice(script: list[Line]) -> tuple[np.ndarray, list[Line]]:
    """The whole episode as int16 samples at `SPOKEN_RATE`, and its lines with their true times."""
    parts, timed, length, before = [], [], 0, ""
    for line in script:
        pause, words = silence(PAUSE if line.speaker == before else TURN_PAUSE), speak(line)
        parts += [pause, words]
        start, length = length + len(pause), length + len(pause) + len(words)
        timed.append(line._replace(start=round(start / SPOKEN_RATE, 3), end=round(length / SPOKEN_RATE, 3)))
        before = line.speaker
    return np.concatenate([*parts, silence(TURN_PAUSE)]), timed


def write_audio(samples: np.ndarray, path: Path, form: Format) -> None:
    """Encode mono samples at `SPOKEN_RATE`; a constant bit rate, so that players seek exactly."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(form.codec, rate=form.rate, layout="mono")
        if form.bits:
            stream.bit_rate = form.bits
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate = SPOKEN_RATE
        resample = av.AudioResampler(stream.format, "mono", form.rate, frame_size=stream.codec_context.frame_size)
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


def main() -> None:
    """Write audio/, transcripts/ and times.json beside this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=sorted(FORMATS), default="mp3", help="default: %(default)s")
    suffix = parser.parse_args().format
    (HERE / "audio").mkdir(exist_ok=True)
    (HERE / "transcripts").mkdir(exist_ok=True)
    for old in (HERE / "audio").iterdir():
        old.unlink()
    times = {}
    for path in sorted((HERE / "scripts").glob("*.txt")):
        samples, lines = voice(read_script(path))
        audio = HERE / "audio" / f"{path.stem}.{suffix}"
        write_audio(samples, audio, FORMATS[suffix])
        times[path.stem] = [line._asdict() for line in lines]
        print(f"{audio.name}: {len(samples) / SPOKEN_RATE:.1f} s, {audio.stat().st_size:,} bytes")
        if path.stem == CAPTIONED:
            (HERE / "transcripts" / f"{path.stem}.vtt").write_text(vtt(lines), encoding="utf-8")
            (HERE / "transcripts" / f"{path.stem}.srt").write_text(srt(lines), encoding="utf-8")
    (HERE / "times.json").write_text(json.dumps(times, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
