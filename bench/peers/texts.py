"""The texts that every engine gets, their pieces, and the work that those take."""

import csv
import json
from pathlib import Path

from tokenizers import Tokenizer

MOST_PIECES = 512
LONE_PIECES = 60


def read(path: Path, count: int) -> list[str]:
    """The first `count` cells of the column `text` of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return [row["text"] for row, _ in zip(csv.DictReader(file), range(count))]


def write(path: Path, texts: list[str]) -> None:
    """Writes `texts` as a CSV file with one column, `text`."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text"])
        rows.writerows([text] for text in texts)


def tokenizer(model: Path) -> Tokenizer:
    """The tokenizer of a model directory; it cuts to the model's limit."""
    loaded = Tokenizer.from_file(str(model / "tokenizer.json"))
    loaded.enable_truncation(MOST_PIECES)
    return loaded


def lone(lengths: list[int]) -> int:
    """The place of the text whose number of pieces is closest to 60: an ordinary news summary."""
    return min(range(len(lengths)), key=lambda index: abs(lengths[index] - LONE_PIECES))


def useful_flops(model: Path, lengths: list[int]) -> int:
    """Operations that the logits of documents of so many pieces need.

    The formula is that of `Classifier::flops` in `crates/model/src/classifier.rs`: matrix products alone, a
    multiply-add counted as two, no padding, and of the last layer only what the first piece's answer needs.
    """
    config = json.loads((model / "config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    # Only an ALBERT projects its embeddings.
    embedding = config.get("embedding_size", 0)
    layers, heads, labels = config["num_hidden_layers"], config["num_attention_heads"], len(config["id2label"])
    square, feed_forward = hidden * hidden, 2 * hidden * inner

    def document(n: int) -> int:
        layer = 2 * n * (4 * square + feed_forward) + 4 * n * n * hidden
        last = 2 * (4 * square + feed_forward) + 4 * n * heads * hidden
        return 2 * n * embedding * hidden + (layers - 1) * layer + last + 2 * (square + hidden * labels)

    return sum(map(document, lengths))
