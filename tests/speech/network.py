"""The Whisper architecture in plain PyTorch, with Hugging Face's parameter names so that the weights convert.

Beside Whisper's own parts there are heads that only training uses: the phoneme and the text token spoken in each frame
and the token before it. Exact alignments make them possible; they are what lets a small model learn in an hour.
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

FRAMES = 1500  # encoder positions of a 30-second window: one every 20 ms
TIMESTAMPS = 1501  # <|0.00|> to <|30.00|>
BLOCK, REACH = 150, 75  # frames: in local attention a block of queries sees itself and so many on both sides
GUIDED_HEADS = 2  # cross-attention heads of each decoder layer that are taught where a token is spoken
WINDOW_OFFSETS = (-3, 3, -10, 10)  # frames: where the encoder's heads look before training


@dataclass(frozen=True)
class Shape:
    """Sizes of the model; `vocabulary` counts text, special and timestamp tokens."""

    vocabulary: int
    width: int = 128
    heads: int = 4
    hidden: int = 512
    encoder_layers: int = 5
    decoder_layers: int = 4
    mels: int = 80
    positions: int = 448
    phonemes: int = 100

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def sinusoids(length: int, channels: int) -> Tensor:
    """Whisper's position code."""
    rate = math.log(10_000) / (channels // 2 - 1)
    angles = torch.arange(length)[:, None] * torch.exp(-rate * torch.arange(channels // 2))[None]
    return torch.cat([angles.sin(), angles.cos()], 1)


def local_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention in blocks over near frames only: a third of the time for a whole window, nearly the same result.

    Frames are named far away by a trained encoder as good as never, so most of the training can use this; the last
    part uses full attention, as the finished model does.
    """
    batch, blocks = len(q), q.shape[2] // BLOCK

    def surroundings(y: Tensor) -> Tensor:
        parts = y.split(REACH, 2)
        span = (BLOCK + 2 * REACH) // REACH
        starts = [min(max(0, BLOCK // REACH * i - 1), len(parts) - span) for i in range(blocks)]
        return torch.cat([torch.cat(parts[s : s + span], 2) for s in starts])

    out = functional.scaled_dot_product_attention(torch.cat(q.split(BLOCK, 2)), surroundings(k), surroundings(v))
    return torch.cat(out.split(batch), 2)


class Attention(nn.Module):
    """Multi-head attention, over the input itself or over another sequence."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj, self.q_proj, self.out_proj = (nn.Linear(width, width) for _ in range(3))

    def project(self, x: Tensor, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        shape = (len(x), -1, self.heads, x.shape[2] // self.heads)
        pairs = ((self.q_proj, x), (self.k_proj, source), (self.v_proj, source))
        q, k, v = (layer(y).view(shape).transpose(1, 2) for layer, y in pairs)
        return q, k, v

    def join(self, heads: Tensor) -> Tensor:
        return self.out_proj(heads.transpose(1, 2).flatten(2))

    def forward(self, x: Tensor, causal: bool = False) -> Tensor:
        return self.join(functional.scaled_dot_product_attention(*self.project(x, x), is_causal=causal))

    def over_frames(self, x: Tensor, local: bool) -> Tensor:
        """The encoder's attention, in float32: its backward pass is faster so, even where matrices are bfloat16."""
        q, k, v = (y.float() for y in self.project(x, x))
        with torch.autocast("cpu", enabled=False):
            near = local and x.shape[1] == FRAMES
            out = local_attention(q, k, v) if near else functional.scaled_dot_product_attention(q, k, v)
        return self.join(out)

    def over_sound(self, x: Tensor, sound: Tensor, want_map: bool) -> tuple[Tensor, Tensor | None]:
        """The decoder's cross-attention, on request with the map of the guided heads: [batch, head, token, frame]."""
        q, k, v = self.project(x, sound)
        if not want_map:
            return self.join(functional.scaled_dot_product_attention(q, k, v)), None
        n = GUIDED_HEADS
        weights = ((q[:, :n] @ k[:, :n].transpose(-1, -2)).float() * q.shape[-1] ** -0.5).softmax(-1)
        rest = functional.scaled_dot_product_attention(q[:, n:], k[:, n:], v[:, n:])
        return self.join(torch.cat([weights.to(v.dtype) @ v[:, :n], rest], 1)), weights


class EncoderLayer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = Attention(shape.width, shape.heads)
        self.self_attn_layer_norm, self.final_layer_norm = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.fc1, self.fc2 = nn.Linear(shape.width, shape.hidden), nn.Linear(shape.hidden, shape.width)

    def forward(self, x: Tensor, local: bool) -> Tensor:
        x = x + self.self_attn.over_frames(self.self_attn_layer_norm(x), local)
        return x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))


class DecoderLayer(EncoderLayer):
    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.encoder_attn = Attention(shape.width, shape.heads)
        self.encoder_attn_layer_norm = nn.LayerNorm(shape.width)

    def forward(self, x: Tensor, sound: Tensor, want_map: bool) -> tuple[Tensor, Tensor | None]:  # type: ignore[override]
        x = x + self.self_attn(self.self_attn_layer_norm(x), causal=True)
        y, weights = self.encoder_attn.over_sound(self.encoder_attn_layer_norm(x), sound, want_map)
        x = x + y
        return x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x)))), weights


class Encoder(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(shape.mels, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding.from_pretrained(sinusoids(FRAMES, shape.width))
        self.layers = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.encoder_layers))
        self.layer_norm = nn.LayerNorm(shape.width)

    def forward(self, mel: Tensor, local: bool = False) -> tuple[Tensor, Tensor]:
        """[batch, mels, 10 ms frames] to the encoder's output and the second layer's, [batch, 20 ms frames, width]."""
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + self.embed_positions.weight[: x.shape[1]]
        early = x
        for number, layer in enumerate(self.layers, 1):
            x = layer(x, local)
            early = x if number == 2 else early
        return self.layer_norm(x), early


class Decoder(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.embed_positions = nn.Embedding(shape.positions, shape.width)
        self.layers = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.decoder_layers))
        self.layer_norm = nn.LayerNorm(shape.width)

    def forward(self, ids: Tensor, sound: Tensor, want_maps: bool = False) -> tuple[Tensor, list[Tensor]]:
        """Scores of the next token and, on request, each layer's guided attention."""
        x, maps = self.embed_tokens(ids) + self.embed_positions.weight[: ids.shape[1]], []
        for layer in self.layers:
            x, weights = layer(x, sound, want_maps)
            maps += [weights] if weights is not None else []
        return self.layer_norm(x) @ self.embed_tokens.weight.T, maps


class Network(nn.Module):
    """Whisper, and the heads that only training uses (`phone`, `cur`, `prv`)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape, self.model = shape, nn.Module()
        self.model.encoder, self.model.decoder = Encoder(shape), Decoder(shape)
        self.phone = nn.Linear(shape.width, shape.phonemes)
        self.cur, self.prv = nn.Linear(shape.width, shape.width), nn.Linear(shape.width, shape.width)
        with torch.no_grad():
            self._start()

    def _start(self) -> None:
        """Initial weights that let a small model learn fast; each was worth minutes of training."""
        width, decoder, encoder = self.shape.width, self.model.decoder, self.model.encoder
        nn.init.normal_(decoder.embed_tokens.weight, std=0.6 * width**-0.5)
        nn.init.normal_(decoder.embed_positions.weight, std=0.02)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            if name.endswith(("fc2.weight", "attn.out_proj.weight")):
                parameter.mul_(0.5)
        encoder.conv1.weight *= 3  # at the default size the position code drowns the sound
        encoder.conv2.weight *= 3
        code = sinusoids(TIMESTAMPS, width)  # a timestamp's vector is its frame's position code: copying is linear
        decoder.embed_tokens.weight[-TIMESTAMPS:] = code * (0.6 * width**-0.5 / code.std())
        for layer in encoder.layers:
            self._look_nearby(layer.self_attn)

    def _look_nearby(self, attention: Attention, strength: float = 2.2) -> None:
        """Let each head look at a fixed distance: the position code rotated in the queries, plain in the keys."""
        half, size = self.shape.width // 2, self.shape.width // self.shape.heads
        speeds = torch.exp(-math.log(10_000) / (half - 1) * torch.arange(half))
        picks = torch.linspace(0, half * 0.5, size // 2).round().long().tolist()
        q, k = attention.q_proj.weight, attention.k_proj.weight
        q *= 0.3
        k *= 0.3
        for head in range(self.shape.heads):
            turn = speeds * WINDOW_OFFSETS[head % len(WINDOW_OFFSETS)]
            for number, pick in enumerate(picks):
                row = head * size + 2 * number
                q[row, pick] += strength * turn[pick].cos()
                q[row, half + pick] += strength * turn[pick].sin()
                q[row + 1, half + pick] += strength * turn[pick].cos()
                q[row + 1, pick] -= strength * turn[pick].sin()
                k[row, pick] += strength
                k[row + 1, half + pick] += strength
