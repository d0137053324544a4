"""Measures an exported model: `python evaluate.py --data ag_news --model ag_news_model`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax
from sklearn.metrics import f1_score, precision_recall_fscore_support
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from corpus import LABELS, Row, clean, read_rows, split_title
from encoding import typographic

HEADLINES = (
    "Oil prices rise as OPEC cuts output",
    "Stocks fall on Wall Street",
    "Lakers beat Celtics in overtime thriller",
    "NASA launches new space telescope",
    "UN Security Council votes on Iraq resolution",
    "Disney Comics was a comic book publishing company operated by The Walt Disney Company "
    "which ran from 1990 to 1993.",
)

_CALIBRATION_BINS = 15
_ROWS_PER_LONG_TEXT = 8


def logits_of(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: list[str], batch_size: int = 64
) -> np.ndarray:
    """The logits of all texts, cut to the model's length, in the given order."""
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    logits = np.empty((len(texts), model.config.num_labels), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            indices = order[start : start + batch_size]
            inputs = tokenizer(
                [texts[index] for index in indices], padding=True, truncation=True, return_tensors="pt"
            )
            logits[indices] = model(**inputs).logits.numpy()
    return logits


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected gap between confidence and accuracy over equally wide bins of confidence."""
    confidence = probabilities.max(1)
    correct = probabilities.argmax(1) == labels
    bins = np.minimum((confidence * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    gaps = [
        abs(confidence[bins == index].mean() - correct[bins == index].mean()) * (bins == index).mean()
        for index in np.unique(bins)
    ]
    return float(sum(gaps))


def scores(logits: np.ndarray, labels: np.ndarray) -> dict[str, object]:
    """Accuracy, F1, calibration and the per-class figures of one set of texts."""
    predicted = logits.argmax(1)
    precision, recall, f1, _ = precision_recall_fscore_support(labels, predicted, labels=range(len(LABELS)))
    return {
        "texts": len(labels),
        "accuracy": round(float((predicted == labels).mean()), 4),
        "macro_f1": round(float(f1_score(labels, predicted, average="macro")), 4),
        "calibration_error": round(calibration_error(softmax(logits, axis=1), labels), 4),
        "classes": {
            name: {"precision": round(p, 4), "recall": round(r, 4), "f1": round(f, 4)}
            for name, p, r, f in zip(LABELS, precision.tolist(), recall.tolist(), f1.tolist())
        },
    }


def views_of(rows: list[Row]) -> dict[str, list[Row]]:
    """The rows as published and the other shapes in which texts arrive."""
    split = [(split_title(clean(row.text)), row.label) for row in rows]
    halves = [(parts, label) for parts, label in split if parts is not None]
    return {
        "as published": rows,
        "clean, typographic": [Row(typographic(row.text), row.label) for row in rows],
        "titles alone": [Row(title, label) for (title, _), label in halves],
        "descriptions alone": [Row(description, label) for (_, description), label in halves],
        f"{_ROWS_PER_LONG_TEXT} texts of a class joined": _joined(rows),
    }


def _joined(rows: list[Row]) -> list[Row]:
    joined = []
    for label in range(len(LABELS)):
        texts = [row.text for row in rows if row.label == label]
        for start in range(0, len(texts) - _ROWS_PER_LONG_TEXT + 1, _ROWS_PER_LONG_TEXT):
            joined.append(Row(" ".join(texts[start : start + _ROWS_PER_LONG_TEXT]), label))
    return joined


def measure(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, rows: list[Row]
) -> dict[str, dict[str, object]]:
    """The scores of every view of the rows."""
    return {
        name: scores(
            logits_of(model, tokenizer, [row.text for row in view]), np.array([row.label for row in view])
        )
        for name, view in views_of(rows).items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with test.csv")
    parser.add_argument("--model", type=Path, required=True, help="folder of the exported model")
    arguments = parser.parse_args()

    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForSequenceClassification.from_pretrained(arguments.model, dtype=torch.float32).eval()
    print(json.dumps(measure(model, tokenizer, read_rows(arguments.data / "test.csv")), indent=2))
    for text, probabilities in zip(
        HEADLINES, softmax(logits_of(model, tokenizer, list(HEADLINES)), axis=1)
    ):
        best = int(probabilities.argmax())
        print(f"{LABELS[best]} {probabilities[best]:.3f}  {text}")


if __name__ == "__main__":
    main()
