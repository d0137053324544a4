"""Measures a model: `python evaluate.py --data ag_news --albertine albertine [--model FOLDER]`."""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import f1_score, precision_recall_fscore_support

from corpus import LABELS, Row, clean, load_corpus, read_rows, split_title
from make import DEV_ROWS, SEED
from views import typographic

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


def probabilities_of(albertine: Path, model: str, texts: list[str], precision: str) -> np.ndarray:
    """The probabilities of the classes for each text, `[texts, labels]`."""
    with tempfile.TemporaryDirectory() as folder:
        table, scores = Path(folder, "texts.parquet"), Path(folder, "scores.parquet")
        pq.write_table(pa.table({"text": texts}), table)
        flags = ("--precision", precision, "--all-scores", "--output", scores)
        subprocess.run([albertine, "--quiet", "classify", "--model", model, "--input", table, *flags], check=True)
        rows = pq.read_table(scores).column("scores").to_pylist()
    return np.array([[dict(row)[label] for label in LABELS] for row in rows])


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


def scores(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, object]:
    """Accuracy, F1, calibration and the per-class figures of one set of texts."""
    predicted = probabilities.argmax(1)
    precision, recall, f1, _ = precision_recall_fscore_support(labels, predicted, labels=range(len(LABELS)))
    return {
        "texts": len(labels),
        "accuracy": round(float((predicted == labels).mean()), 4),
        "macro_f1": round(float(f1_score(labels, predicted, average="macro")), 4),
        "calibration_error": round(calibration_error(probabilities, labels), 4),
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


def measure(albertine: Path, model: str, precision: str, rows: list[Row]) -> dict[str, dict[str, object]]:
    """The scores of every view of the rows."""
    return {
        name: scores(
            probabilities_of(albertine, model, [row.text for row in view], precision), np.array([row.label for row in view])
        )
        for name, view in views_of(rows).items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with test.csv")
    parser.add_argument("--albertine", type=Path, required=True, help="the albertine command")
    parser.add_argument("--model", default="ag_news", help="a model's name or folder (default: the built-in model)")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--dev", action="store_true", help="measure on the development rows instead")
    arguments = parser.parse_args()

    albertine, model, precision = arguments.albertine.absolute(), arguments.model, arguments.precision
    rows = load_corpus(arguments.data, DEV_ROWS, SEED).dev if arguments.dev else read_rows(arguments.data / "test.csv")
    print(json.dumps(measure(albertine, model, precision, rows), indent=2))
    for text, probabilities in zip(HEADLINES, probabilities_of(albertine, model, list(HEADLINES), precision)):
        best = int(probabilities.argmax())
        print(f"{LABELS[best]} {probabilities[best]:.3f}  {text}")


if __name__ == "__main__":
    main()
