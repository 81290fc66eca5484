"""Train the network on composed windows: text, timestamps, and where everything is spoken.

The losses beside Whisper's own (phoneme and token of each frame, attention on the token's true interval) come from
espeak-ng's exact alignments. Without them a model of this size does not learn to align within an hour.
"""

import math
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tests.speech.network import FRAMES, Network, Shape
from tests.speech.shards import NO_TOKEN, Store
from tests.speech.tokenizer import END, NO_TIMESTAMPS, START, load
from tests.speech.windows import HEARD, WHOLE, Composer, Window

BETAS, DECAY, CLIP, WARM_STEPS, LAST_SHARE = (0.9, 0.98), 0.01, 1.0, 150, 0.02
AVERAGED = 300  # steps over which the exported weights are averaged: single steps of one window are noisy
SAVE_EVERY, LOOK_EVERY = 300, 60  # seconds: between checkpoints, between looks for new shards
SLACK = 0.04  # seconds around a token's interval in which its attention may lie
SOFT_TIMES = (0.05, 0.25, 0.4, 0.25, 0.05)  # a timestamp's weight is shared over +-40 ms
MISHEARD_WINDOWS, MISHEARD_TOKENS = 0.35, 0.06  # shares
GUIDED_SHARE = 0.7  # of the steps also teach attention: it is slow, and learned early
REPORT_EVERY = 100  # steps
FRAME_STEP = 4  # every fourth frame is enough for the token heads


@dataclass(frozen=True)
class Plan:
    """How long and how to train; `full_from` is the share of the time from which the encoder attends to all frames."""

    minutes: float
    rate: float = 1.2e-3
    windows: int = 1
    short: bool = False  # begin with short windows: needed from scratch, not to continue
    full_from: float = 0.85

    def length(self, done: float, draw: random.Random) -> tuple[int, int, int]:
        """Seconds of the next windows, seconds of sound in them, and how many, by the share of the time `done`."""
        if self.short and done < 0.35:
            seconds = heard = 4 if done < 0.12 else draw.choice([4, 6, 8])
        else:  # the whole window is rare: its zeros cost as much as sound
            seconds, heard = draw.choice(
                [(HEARD, HEARD)] * 4 + [(HEARD + 4, HEARD)] * 3 + [(WHOLE, HEARD), (WHOLE, WHOLE)]
            )
        return seconds, heard, max(1, self.windows * WHOLE // seconds)


@dataclass(frozen=True)
class Batch:
    mel: Tensor
    frames: Tensor
    ids: Tensor
    labels: Tensor
    spans: Tensor


def stack(windows: list[Window], end: int) -> Batch:
    """Windows of one length as tensors, tokens padded with the end token."""
    width = max(len(w.ids) for w in windows)
    ids, labels = torch.full((len(windows), width), end), torch.full((len(windows), width), NO_TOKEN)
    spans = torch.zeros(len(windows), width, 2)
    for row, w in enumerate(windows):
        size = len(w.ids)
        ids[row, :size], labels[row, :size] = torch.tensor(w.ids), torch.tensor(w.labels)
        spans[row, :size] = torch.tensor(w.spans, dtype=torch.float)
    mel, frames = (
        torch.from_numpy(np.stack(parts)) for parts in ([w.mel for w in windows], [w.frames for w in windows])
    )
    return Batch(mel, frames, ids, labels, spans)


class Trainer:
    """One training run; its checkpoint holds weights, their running mean, optimiser, shape and phonemes."""

    def __init__(self, folder: Path, tokenizer: Path, checkpoint: Path | None, seed: int = 0) -> None:
        self.draw, self.folder = random.Random(seed), folder
        torch.manual_seed(seed)
        words = load(tokenizer)
        ids = words.get_vocab()
        self.end, self.text_tokens, self.first_time = ids[END], ids[START], ids[NO_TIMESTAMPS] + 1
        saved = torch.load(checkpoint, weights_only=True) if checkpoint else {}
        self.phonemes: dict[str, int] = saved.get("phonemes", {"": 0})
        self.store = Store(folder / "shards", words, self.phonemes, self.end)
        self.composer = Composer(self.store, words, seed)
        self.network = Network(Shape(**saved["shape"]) if saved else Shape(words.get_vocab_size()))
        if saved:
            self.network.load_state_dict(saved["weights"])
        self.average = {k: v.clone() for k, v in saved.get("average", self.network.state_dict()).items()}
        parameters = [p for p in self.network.parameters() if p.requires_grad]
        matrices, rest = ([p for p in parameters if (p.ndim > 1) == wide] for wide in (True, False))
        groups = [{"params": matrices, "weight_decay": DECAY}, {"params": rest, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, betas=BETAS, foreach=True)
        if "optimizer" in saved:
            self.optimizer.load_state_dict(saved["optimizer"])

    def save(self, name: str = "last") -> None:
        """Write a checkpoint whole or not at all."""
        state = {"shape": self.network.shape.as_dict(), "phonemes": self.phonemes}
        state |= {"weights": self.network.state_dict(), "average": self.average}
        part = self.folder / f"{name}.part"
        torch.save(state | {"optimizer": self.optimizer.state_dict()}, part)
        part.rename(self.folder / f"{name}.pt")

    def losses(self, batch: Batch, local: bool, guide: bool) -> dict[str, Tensor]:
        """Every loss by name."""
        network = self.network
        with torch.autocast("cpu", torch.bfloat16):
            sound, early = network.model.encoder(batch.mel, local)
            out = {
                "phoneme": functional.cross_entropy(
                    network.phone(early).flatten(0, 1).float(), batch.frames[:, 0].flatten()
                )
            }
            out |= self._frame_tokens(sound, batch.frames)
            scores, maps = network.model.decoder(batch.ids, sound, guide)
        logs, labels = scores.float().log_softmax(-1), batch.labels
        times = labels >= self.first_time
        text = (labels >= 0) & ~times
        out["text"] = -logs[text].gather(1, labels[text][:, None]).mean()
        if times.any():
            near = (labels[times][:, None] + torch.arange(-2, 3)).clamp(self.first_time, logs.shape[-1] - 1)
            out["time"] = -(logs[times].gather(1, near) * torch.tensor(SOFT_TIMES)).sum(1).mean()
        if guide:
            out |= self._attention(maps, batch)
        return out

    def _frame_tokens(self, sound: Tensor, frames: Tensor) -> dict[str, Tensor]:
        """The token spoken in a frame, and the one before: by the latter a decoder layer finds the next word."""
        some = torch.arange(self.draw.randrange(FRAME_STEP), sound.shape[1], FRAME_STEP)
        words, x = self.network.model.decoder.embed_tokens.weight[: self.text_tokens], sound[:, some]
        now, before = frames[:, 1, some], frames[:, 2, some]
        out = {"token": functional.cross_entropy((self.network.cur(x) @ words.T).flatten(0, 1).float(), now.flatten())}
        known = before >= 0
        if known.any():
            out["before"] = functional.cross_entropy((self.network.prv(x[known]) @ words.T).float(), before[known])
        return out

    def _attention(self, maps: list[Tensor], batch: Batch) -> dict[str, Tensor]:
        """-log of the attention that the guided heads give to the token's true interval."""
        middle = (torch.arange(maps[0].shape[-1]) + 0.5) / 50
        inside = (middle >= batch.spans[..., :1] - SLACK) & (middle <= batch.spans[..., 1:] + SLACK)
        spoken = (batch.labels >= 0) & (batch.labels != self.end) & (batch.spans[..., 1] > 0) & inside.any(-1)
        if not spoken.any():
            return {}
        mass = [(m * inside[:, None]).sum(-1).transpose(1, 2)[spoken] for m in maps]
        return {"attention": torch.stack([-torch.log(m + 1e-4).mean() for m in mass]).mean()}

    def run(self, plan: Plan) -> None:
        """Train for the plan's minutes with a cosine schedule; print a line every hundred steps."""
        began = saved = looked = time.time()
        sums: dict[str, list[float]] = {}
        step = 0
        while (done := (time.time() - began) / 60 / plan.minutes) < 1:
            falling = LAST_SHARE + (1 - LAST_SHARE) * 0.5 * (1 + math.cos(math.pi * done))
            for group in self.optimizer.param_groups:
                group["lr"] = plan.rate * min(1, (step + 1) / WARM_STEPS) * falling
            seconds, heard, count = plan.length(done, self.draw)
            batch = stack([self.composer.window(seconds, heard) for _ in range(count)], self.end)
            local = done < plan.full_from and seconds * 50 == FRAMES
            batch = self._misheard(batch) if self.draw.random() < MISHEARD_WINDOWS else batch
            losses = self.losses(batch, local, guide=self.draw.random() < GUIDED_SHARE)
            self._step(losses, done)
            step += 1
            self._average(max(1 / AVERAGED, 1 / (step + 10)))
            for name, value in losses.items():
                sums.setdefault(name, []).append(float(value.detach()))
            if step % REPORT_EVERY == 0:
                figures = " ".join(f"{name} {np.mean(values):.3f}" for name, values in sums.items())
                print(f"{(time.time() - began) / 60:.1f} min, step {step}, {figures}", flush=True)
                sums = {}
            if time.time() - saved > SAVE_EVERY:
                saved = time.time()
                self.save()
            if time.time() - looked > LOOK_EVERY:
                looked = time.time()
                self.store.refresh()
        self.save()

    def _average(self, share: float) -> None:
        """Move the running mean of the weights by `share` towards the newest."""
        newest = self.network.state_dict()
        torch._foreach_lerp_(list(self.average.values()), [newest[name] for name in self.average], share)

    def _misheard(self, batch: Batch) -> Batch:
        """Some tokens of the text so far replaced: the decoder must keep its place when it has written a word wrong."""
        wrong = (batch.ids < self.end) & (torch.rand(batch.ids.shape) < MISHEARD_TOKENS)
        return replace(batch, ids=torch.where(wrong, torch.randint(0, self.end, batch.ids.shape), batch.ids))

    def _step(self, losses: dict[str, Tensor], done: float) -> None:
        """One step on the weighted sum; the helping losses count less as training goes on."""
        helping = max(0.12, 0.4 - 0.4 * done)
        weights = {"text": 1.0, "time": 0.3, "phoneme": max(0.1, 0.4 - 0.5 * done), "token": helping}
        weights |= {"before": 0.7 * helping, "attention": 0.4 if done < 0.5 else 0.2}
        loss = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        size = torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        if torch.isfinite(size):
            self.optimizer.step()
