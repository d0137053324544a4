"""Writes down what PyTorch answers with an ALBERT-base, for the parity test of the same name.

usage: base.py MODEL_DIR TEXTS_CSV [--rows N] [--make SPIECE_MODEL]

MODEL_DIR is a Hugging Face directory; with --make, a checkpoint of ALBERT-base's shape with random weights is written there first,
unless there is one. TEXTS_CSV has a column `text`. MODEL_DIR/expected.json gets one row of piece ids and logits for each text.
"""

import argparse
import csv
import json
import shutil
from pathlib import Path

import torch
from transformers import AlbertConfig, AlbertForSequenceClassification, AlbertTokenizerFast

LABELS = ["World", "Sports", "Business", "Sci/Tech"]


def make(spiece: Path, out: Path) -> None:
    """A random ALBERT-base with four labels; the seed is fixed."""
    torch.manual_seed(0)
    config = AlbertConfig(
        hidden_size=768, num_attention_heads=12, intermediate_size=3072,
        id2label=dict(enumerate(LABELS)), label2id={label: id for id, label in enumerate(LABELS)},
    )
    AlbertForSequenceClassification(config).save_pretrained(out)
    AlbertTokenizerFast(vocab_file=str(spiece), do_lower_case=True, model_max_length=512).save_pretrained(out)
    shutil.copyfile(spiece, out / "spiece.model")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL_DIR")
    parser.add_argument("texts", type=Path, metavar="TEXTS_CSV")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--make", type=Path, metavar="SPIECE_MODEL")
    arguments = parser.parse_args()
    if arguments.make and not (arguments.model / "config.json").exists():
        arguments.model.mkdir(parents=True, exist_ok=True)
        make(arguments.make, arguments.model)
    with arguments.texts.open(newline="", encoding="utf-8") as file:
        texts = [row["text"] for row, _ in zip(csv.DictReader(file), range(arguments.rows))]
    model = AlbertForSequenceClassification.from_pretrained(arguments.model, dtype=torch.float32).eval()
    tokenizer = AlbertTokenizerFast.from_pretrained(arguments.model)
    rows = []
    with torch.no_grad():
        for text in texts:
            ids = tokenizer(text, truncation=True, max_length=model.config.max_position_embeddings)["input_ids"]
            rows.append({"ids": ids, "logits": model(torch.tensor([ids])).logits[0].tolist()})
    (arguments.model / "expected.json").write_text(json.dumps(rows, separators=(",", ":")) + "\n")
    print(f"{len(rows)} rows, {sum(len(row['ids']) for row in rows)} pieces")


if __name__ == "__main__":
    main()
