"""Training windows composed from single sentences, labelled as Whisper labels them.

A window may begin inside a sentence, as windows of a real recording do, and end inside one: a sentence that is cut by
the window's end gives only its start, so that faster-whisper takes it up again in the next window.
"""

import random
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer

from tests.speech.scores import plain_words
from tests.speech.shards import NO_TOKEN, Ready, Store, Token
from tests.speech.tokenizer import END, NO_SPEECH, NO_TIMESTAMPS, PREVIOUS, START

WHOLE = 30  # seconds the encoder takes
HEARD = 10  # seconds the model hears at once, as its preprocessor_config.json says; the rest of a window is zero. In 30
#             full seconds so small a decoder loses its place where a word comes twice: 22 % of words wrong, not 9 %.
LATEST_FIRST = 1.0  # seconds: faster-whisper allows no later first timestamp
LONGEST_PROMPT = 223  # tokens faster-whisper keeps of the text before
POSITIONS = 446  # tokens at most
SILENT, FLOOR, LOUDEST_NOISE, LOUDEST_TONE = -10.0, -9.0, 1.5, 2.5  # log10 power
NO_SPEECH_SHARE = 0.06  # of the windows
SLACK = 0.1  # seconds around a timestamp in which its token may look


class Target(NamedTuple):
    """A token to write, and the seconds of the window in which it is spoken (None: nowhere)."""

    id: int
    start: float | None = None
    end: float | None = None


class Window(NamedTuple):
    """`mel` as Whisper scales it, frame labels, input tokens, what follows each, and where that is spoken."""

    mel: np.ndarray
    frames: np.ndarray
    ids: list[int]
    labels: list[int]
    spans: list[tuple[float, float]]


@dataclass
class Scene:
    """What sounds in a window of `seconds`: `placed` sentences with their start, and the parts cut by its edges."""

    seconds: int
    mel: np.ndarray
    frames: np.ndarray
    placed: list[tuple[float, Ready]] = field(default_factory=list)
    head: tuple[float, Ready, int] | None = None  # start (negative), sentence, its first whole word
    cut: tuple[float, Ready] | None = None
    used: int = 0  # 10 ms frames; what follows is zero, as faster-whisper pads

    @property
    def length(self) -> int:
        return self.mel.shape[1]

    def put(self, at: int, sentence: Ready, skip: int = 0) -> int:
        """Lay a sentence from its frame `skip` on at frame `at`; the frame after it, or the window's end."""
        stop = min(self.length, at + sentence.mel.shape[1] - skip)
        self.mel[:, at:stop] = sentence.mel[:, skip : skip + stop - at]
        labels = sentence.frames[:, skip // 2 :][:, : (self.length - at) // 2]
        self.frames[:, at // 2 : at // 2 + labels.shape[1]] = labels
        return stop


class Composer:
    """Draws windows from a store."""

    def __init__(self, store: Store, tokenizer: Tokenizer, seed: int) -> None:
        self.store, self.draw = store, random.Random(seed)
        self.noise = np.random.default_rng(seed)
        ids = tokenizer.get_vocab()
        self.end, self.start, self.previous = ids[END], ids[START], ids[PREVIOUS]
        self.no_speech, self.no_times = ids[NO_SPEECH], ids[NO_TIMESTAMPS]

    def window(self, seconds: int = WHOLE, heard: int = HEARD) -> Window:
        """`heard` seconds of sound, followed by zeros up to `seconds`."""
        draw = self.draw
        scene = Scene(heard, np.full((80, heard * 100), SILENT, np.float32), np.zeros((3, heard * 50), np.int64))
        scene.frames[1], scene.frames[2] = self.end, NO_TOKEN
        if draw.random() < NO_SPEECH_SHARE:
            self._no_speech(scene)
        else:
            self._speech(scene)
        mel = self._as_heard(scene)
        targets = self._targets(scene, times=draw.random() < 0.65)
        prompt = self._prompt(scene) if draw.random() < (0.3 if heard >= HEARD else 0.1) else []
        window = self._labelled(mel, scene, prompt, targets)
        after = ((0, 0), (0, seconds * 50 - heard * 50))
        frames = [
            np.pad(row[None], after, constant_values=v)[0]
            for row, v in zip(window.frames, (0, self.end, NO_TOKEN), strict=True)
        ]
        mel = np.pad(window.mel, ((0, 0), (0, (seconds - heard) * 100)))
        return window._replace(mel=mel, frames=np.stack(frames))

    def _no_speech(self, scene: Scene) -> None:
        """Silence, noise, or a tone."""
        draw, kind = self.draw, self.draw.random()
        if kind > 0.5:
            for _ in range(draw.choice([1, 1, 1, 2, 3])):
                band = draw.randint(0, 76)
                scene.mel[band : band + draw.randint(1, 4)] = draw.uniform(-6, LOUDEST_TONE)
            skirt = scene.mel.max() - draw.uniform(5, 9) - 0.15 * np.abs(np.arange(80) - band)[:, None]
            if draw.random() < 0.5:
                np.maximum(scene.mel, skirt, out=scene.mel)
        elif kind > 0.2:
            tilt = draw.uniform(-2, 1) * np.linspace(0, 1, 80)[:, None]
            scene.mel += self.noise.standard_normal(scene.mel.shape, np.float32) * 0.3 + draw.uniform(0, 9) + tilt
            np.minimum(scene.mel, LOUDEST_NOISE, out=scene.mel)
        scene.used = scene.length if draw.random() < 0.4 else draw.randrange(30, scene.length, 2)

    def _speech(self, scene: Scene) -> None:
        """Sentences one after the other with pauses, of one voice, of two or of many."""
        draw, pick = self.draw, self._speakers()
        at = draw.uniform(0, 0.3) if draw.random() < 0.5 else draw.uniform(0, 1.0)
        if draw.random() < 0.15:
            at = self._begin_inside(scene, pick()) or at
        count = draw.randint(1, 5) if draw.random() < 0.14 else 99
        dense, misses = draw.random() < 0.5, 0
        while len(scene.placed) < count:
            frame = 2 * round(at * 50)
            sentence = self._alike(scene) if scene.placed and draw.random() < 0.5 else pick()
            if frame >= scene.length:
                break
            if frame + sentence.mel.shape[1] > scene.length:
                if not scene.placed and misses < 30:
                    misses += 1
                    continue
                if frame < scene.length - 30 and (draw.random() < 0.75 or not scene.placed):
                    scene.put(frame, sentence)
                    scene.cut = (frame / 100, sentence)
                break
            after = scene.put(frame, sentence)
            scene.placed.append((frame / 100, sentence))
            at = after / 100 + self._pause(dense)
        self._end(scene)

    def _speakers(self):
        """How the window's sentences are drawn: one voice, two with one sound quality, or any."""
        draw, store = self.draw, self.store
        (voice, kind), (other, _) = store.sound(draw), store.sound(draw)
        way = draw.choices(["one", "two", "any"], [0.55, 0.22, 0.23])[0]
        if way == "one":
            return lambda: store.pick(draw, (voice, kind))
        if way == "two":
            return lambda: store.pick(draw, (voice if draw.random() < 0.6 else other, kind))
        return lambda: store.pick(draw)

    def _alike(self, scene: Scene) -> Ready:
        """A sentence with a word of an earlier one, at times the same again: words alone must not tell the place.

        Without this the decoder jumps to another sentence of the window that has the same word in it.
        """
        _, earlier = self.draw.choice(scene.placed[-8:])
        word = (plain_words(self.draw.choice(earlier.words).text) or [""])[0]
        again = self.draw.random() < 0.06 or word not in self.store.by_word
        return earlier if again else self.draw.choice(self.store.by_word[word])

    def _begin_inside(self, scene: Scene, sentence: Ready) -> float | None:
        """Start the window inside a sentence; the seconds at which the next may come, None where it does not fit."""
        word = self.draw.randint(1, max(1, len(sentence.words) - 1))
        if word >= len(sentence.words) or sentence.seconds - sentence.words[word].start > scene.seconds - 0.5:
            return None
        early = self.draw.uniform(-0.02, 0.02) if self.draw.random() < 0.8 else self.draw.uniform(0, 0.2)
        skip = 2 * max(0, round((sentence.words[word].start - early) * 50))
        scene.head = (-skip / 100, sentence, word)
        return scene.put(0, sentence, skip) / 100 + self.draw.uniform(0.05, 0.7)

    def _pause(self, dense: bool) -> float:
        """Seconds between two sentences."""
        draw, kind = self.draw, self.draw.random()
        if dense:
            return draw.uniform(0.05, 0.6) if kind < 0.93 else draw.uniform(0.6, 2)
        spans = [(0.65, 0.1, 0.8), (0.9, 0.8, 2.0), (0.96, 0.0, 0.1), (1.0, 2.0, 6.0)]
        return next(draw.uniform(low, high) for share, low, high in spans if kind < share)

    def _end(self, scene: Scene) -> None:
        """Where the recording ends: with the window, or soon after the last sentence."""
        draw, scene.used = self.draw, scene.length
        if scene.cut is None and draw.random() < 0.75:
            at, last = scene.placed[-1] if scene.placed else scene.head[:2] if scene.head else (0.0, None)
            after = at + (last.seconds if last else 1.0)
            rest = draw.choice([0, 0.03, draw.uniform(0, 1), draw.uniform(0, 1), draw.uniform(0, 12)])
            scene.used = min(scene.length, 2 * round((after + rest) * 50))

    def _as_heard(self, scene: Scene) -> np.ndarray:
        """Gain, a noise floor, Whisper's clamp and scale, and zeros after the recording's end."""
        draw = self.draw
        x = scene.mel + (draw.uniform(-1.2, 0.15) if draw.random() < 0.5 else draw.uniform(-0.3, 0.1))
        if draw.random() < 0.35:
            tilt = draw.uniform(-2, 1) * np.linspace(0, 1, 80, dtype=np.float32)[:, None]
            noise = draw.uniform(-8, -3.5) + tilt + 0.25 * self.noise.standard_normal(x.shape, np.float32)
            x = np.logaddexp(x * np.log(10), noise * np.log(10)) / np.log(10)
        peak = max(x.max(), draw.uniform(-1, 1.2) if draw.random() < 0.3 else FLOOR)  # another part may be louder
        x = (np.maximum(x, peak - 8) + 4) / 4
        if draw.random() < 0.15:
            band = draw.randint(0, 72)
            x[band : band + draw.randint(2, 8)] = draw.uniform(-0.5, 0.3)
        x[:, scene.used :] = 0
        return x.astype(np.float32)

    def _time(self, seconds: float, around: float) -> Target:
        return Target(self.no_times + 1 + min(1500, max(0, round(seconds * 50))), around - SLACK, around + SLACK)

    def _targets(self, scene: Scene, times: bool) -> list[Target]:
        """The tokens to write, from the start token to the end token."""
        if not (scene.placed or scene.head or scene.cut):
            return [Target(self.start), Target(self.no_speech), Target(self.end)]
        out = [Target(self.start)] + ([] if times else [Target(self.no_times)])
        if scene.head:
            at, sentence, first = scene.head
            out += self._sentence([t for t in sentence.tokens if t.word >= first], at, times, first=False)
        for number, (at, sentence) in enumerate(scene.placed):
            out += self._sentence(sentence.tokens, at, times, first=number == 0 and not scene.head)
        if scene.cut:
            out += self._cut(scene, times)
        return [*out, Target(self.end, (out[-1].end or 0) - SLACK, scene.seconds)]

    def _sentence(self, tokens: list[Token], at: float, times: bool, first: bool) -> list[Target]:
        text = [Target(t.id, t.start + at, t.end + at) for t in tokens]
        if not times:
            return text
        start, end = text[0].start, text[-1].end
        return [self._time(min(start, LATEST_FIRST) if first else start, start), *text, self._time(end, end)]

    def _cut(self, scene: Scene, times: bool) -> list[Target]:
        """A sentence cut by the window's end: its start alone; its whole words where nothing else is in the window."""
        at, sentence = scene.cut
        whole = sum(w.end + at <= scene.seconds + 0.02 for w in sentence.words)
        text = [Target(t.id, t.start + at, t.end + at) for t in sentence.tokens if t.word < whole]
        if not times:
            return text
        start, alone = sentence.tokens[0].start + at, not scene.placed and not scene.head
        mark = (
            [self._time(min(start, LATEST_FIRST) if alone else start, start)] if start <= scene.seconds - 0.02 else []
        )
        return mark + (text if alone else [])

    def _prompt(self, scene: Scene) -> list[int]:
        """Text before the window with the times of its own window, or single words as hotwords come."""
        draw, out = self.draw, []
        if draw.random() < 0.85:
            at, longest = draw.uniform(0, 2), draw.choice([HEARD, HEARD, WHOLE])
            for _ in range(draw.choice([1, 2, 4, 8, 14])):
                sentence = self.store.pick(draw)
                at = at if at + sentence.seconds <= longest else draw.uniform(0, 1)
                after = at + sentence.seconds
                out += [self._time(at, at).id, *(t.id for t in sentence.tokens), self._time(after, after).id]
                at = after + draw.uniform(0.05, 0.8)
        else:
            near = [sentence for _, sentence in scene.placed] + [self.store.pick(draw) for _ in range(3)]
            for sentence in draw.choices(near, k=draw.randint(1, 8)):
                word = draw.randrange(len(sentence.words))
                out += [t.id for t in sentence.tokens if t.word == word]
        return [self.previous, *out[-(LONGEST_PROMPT - 1) :]]

    def _labelled(self, mel: np.ndarray, scene: Scene, prompt: list[int], targets: list[Target]) -> Window:
        """Shift by one: each token's label is the next one; a prompt has no labels."""
        ids, after = [t.id for t in targets[:-1]], targets[1:]
        labels, spans = [t.id for t in after], [(t.start or 0.0, t.end or 0.0) for t in after]
        if labels[0] == self.no_times:
            labels[0] = NO_TOKEN  # given by the caller, not to be learned
        if labels[0] == self.no_speech:
            ids[1] = self.no_times if self.draw.random() < 0.35 else self.no_times + 1
        ids, labels = prompt + ids, [NO_TOKEN] * len(prompt) + labels
        spans = [(0.0, 0.0)] * len(prompt) + spans
        return Window(mel, scene.frames, ids[:POSITIONS], labels[:POSITIONS], spans[:POSITIONS])
