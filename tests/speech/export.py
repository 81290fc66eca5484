"""Turn a training checkpoint into the CTranslate2 int8 directory that faster-whisper loads."""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from ctranslate2.converters import TransformersConverter
from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

from tests.speech.network import GUIDED_HEADS, Shape
from tests.speech.tokenizer import END, NO_TIMESTAMPS, SPACE, START, load
from tests.speech.windows import HEARD

COPIED = ["tokenizer.json", "preprocessor_config.json"]  # without them faster-whisper would ask the hub


def whisper_config(shape: Shape, end: int, start: int) -> WhisperConfig:
    return WhisperConfig(
        vocab_size=shape.vocabulary, num_mel_bins=shape.mels, d_model=shape.width, max_source_positions=1500,
        encoder_layers=shape.encoder_layers, decoder_layers=shape.decoder_layers, encoder_ffn_dim=shape.hidden,
        decoder_ffn_dim=shape.hidden, encoder_attention_heads=shape.heads, decoder_attention_heads=shape.heads,
        max_target_positions=shape.positions, activation_function="gelu", scale_embedding=False, pad_token_id=end,
        bos_token_id=end, eos_token_id=end, decoder_start_token_id=start, suppress_tokens=None,
        begin_suppress_tokens=None, tie_word_embeddings=True,
    )  # fmt: skip


def generation_config(shape: Shape, ids: dict[str, int]) -> GenerationConfig:
    """What the converter reads; the alignment heads are the guided heads of the last two layers."""
    end = ids[END]
    config = GenerationConfig(
        pad_token_id=end, bos_token_id=end, eos_token_id=end, decoder_start_token_id=ids[START], max_length=448
    )
    config.suppress_tokens, config.begin_suppress_tokens = [], [ids[SPACE], end]
    last = shape.decoder_layers - 1
    config.alignment_heads = [[layer, head] for layer in (last - 1, last) for head in range(GUIDED_HEADS)]
    config.no_timestamps_token_id = ids[NO_TIMESTAMPS]
    config.is_multilingual, config.lang_to_id = False, {}
    return config


def export(checkpoint: Path, tokenizer: Path, out: Path, quantization: str = "int8") -> Path:
    """Write model.bin, config.json, vocabulary.json, tokenizer.json and preprocessor_config.json to `out`."""
    saved = torch.load(checkpoint, weights_only=True, map_location="cpu")
    shape, ids = Shape(**saved["shape"]), load(tokenizer).get_vocab()
    model = WhisperForConditionalGeneration(whisper_config(shape, ids[END], ids[START]))
    weights = {name: value for name, value in saved["average"].items() if name.startswith("model.")}
    result = model.load_state_dict(weights, strict=False)
    if result.unexpected_keys or set(result.missing_keys) - {"proj_out.weight"}:
        raise ValueError(f"the checkpoint does not fit: {result}")
    model.tie_weights()
    model.generation_config = generation_config(shape, ids)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        shutil.copy(tokenizer, Path(folder, "tokenizer.json"))
        settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": END, "eos_token": END, "unk_token": END}
        Path(folder, "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
        WhisperFeatureExtractor(feature_size=shape.mels, chunk_length=HEARD).save_pretrained(folder)
        TransformersConverter(folder, copy_files=COPIED).convert(str(out), quantization=quantization, force=True)
    _minify(out)
    return out


def _minify(folder: Path) -> None:
    """Spaces and line ends would double the tokenizer's size."""
    for path in folder.glob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")
