"""Models with random weights and a real vocabulary, where only how they are run matters."""

from pathlib import Path

from index.embed.model_files import DEFAULT, locate


def cross_encoder(path: Path, labels: int = 1, layers: int = 2, size: int = 32, heads: int = 2) -> str:
    """The directory of a BERT that gives each pair of texts `labels` scores."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=size, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=4 * size,
        num_labels=labels, initializer_range=0.3 if size < 100 else 0.05,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(path)
    AutoTokenizer.from_pretrained(locate(DEFAULT)).save_pretrained(path)
    return str(path)
