"""Write the recordings that tests/test_speech_model.py listens to, with what is said when. Needs espeak-ng.

    python -m tests.speech.make_fixtures

Committed, so that the tests need no espeak-ng: fixtures/*.flac, *.mp3 and recordings.json (times in seconds).
"""

import json
import random
from pathlib import Path

from tests.speech.evaluate import KNOWN, SEED, Recording, record, unseen
from tests.speech.synthesize import encode

HERE = Path(__file__).parent
FOLDER = HERE / "fixtures"
MP3_RATE, MP3_BITS = 22_050, 64_000  # Hz, bits a second: as podcasts of speech are published
LONGEST = 11  # words of a sentence, so that the files stay small
PAUSE = (0.3, 0.9)  # seconds


def recordings() -> dict[str, Recording]:
    """Every recording by its file's name."""
    draw = random.Random(SEED)
    grammar = [s for s in unseen(200, 9) if len(s.split()) <= LONGEST]
    free = (HERE / "free_sentences.txt").read_text(encoding="utf-8").splitlines()

    def several(texts: list[str], voice: str, speed: int = 160) -> Recording:
        return record(texts, voice, speed, draw, PAUSE)

    made = {f"known-{voice}.flac": several(grammar[3 * i : 3 * i + 3], voice) for i, voice in enumerate(KNOWN)}
    made |= {f"mp3-{voice}.mp3": several(grammar[12 + 3 * i : 15 + 3 * i], voice) for i, voice in enumerate(KNOWN)}
    made |= {"free-en-us.mp3": several(free[0:36:6], "en-us"), "free-en-us+f3.mp3": several(free[1:37:6], "en-us+f3")}
    made["speed-220.mp3"] = several(grammar[24:29], "en-us", 220)
    made["voice-en-us+m7.mp3"] = several(grammar[29:33], "en-us+m7")
    return made


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    notes = {}
    for name, recording in recordings().items():
        codec = name.rsplit(".", 1)[1]
        rate, bits = (16_000, 0) if codec == "flac" else (MP3_RATE, MP3_BITS)
        (FOLDER / name).write_bytes(encode(recording.samples, codec, rate, bits))
        words = [[w.text, round(w.start, 3), round(w.end, 3)] for w in recording.words]
        notes[name] = {"text": recording.text, "starts": [round(s, 3) for s in recording.starts], "words": words}
    lines = [f"{json.dumps(name)}: {json.dumps(note)}" for name, note in notes.items()]
    (FOLDER / "recordings.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
