"""Makes testdata/metrics: logits with true classes, and what scikit-learn and PyTorch say of them.

usage: make.py testdata/metrics

Two files, one for each loss. The last class is neither true nor given anywhere; one true class is never given. Logits are
rounded to four digits, so that the files are the same bytes wherever they are made.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

ROWS, CLASSES = 120, 5
BINS = 15


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """The expected calibration error of Guo et al., 2017."""
    edges = np.linspace(0, 1, BINS + 1)
    error = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(error)


def evaluation(loss: str, seed: int) -> dict:
    """One set of rows and its numbers."""
    random = np.random.default_rng(seed)
    expected = random.integers(0, CLASSES - 1, ROWS)
    logits = random.normal(0, 1.5, (ROWS, CLASSES))
    logits[np.arange(ROWS), expected] += 1.5
    logits[:, CLASSES - 2 :] -= 20
    logits = logits.astype(np.float32).astype(np.float64).round(4)
    predicted = logits.argmax(axis=1)

    tensor, classes = torch.tensor(logits, dtype=torch.float64), torch.tensor(expected)
    if loss == "cross_entropy":
        mean = torch.nn.functional.cross_entropy(tensor, classes).item()
        scores = tensor.softmax(dim=1)
    else:
        one_hot = torch.nn.functional.one_hot(classes, CLASSES).double()
        mean = torch.nn.functional.binary_cross_entropy_with_logits(tensor, one_hot).item()
        scores = tensor.sigmoid()
    every = {"labels": list(range(CLASSES)), "zero_division": 0}
    precision, recall, f1, support = precision_recall_fscore_support(expected, predicted, **every)
    macro = precision_recall_fscore_support(expected, predicted, average="macro", zero_division=0)
    micro = precision_recall_fscore_support(expected, predicted, average="micro", zero_division=0)
    return {
        "loss": loss,
        "rows": [[int(true), *row] for true, row in zip(expected, logits.tolist())],
        "eval_loss": mean,
        "eval_accuracy": accuracy_score(expected, predicted),
        "eval_precision": micro[0],
        "eval_recall": micro[1],
        "eval_f1": micro[2],
        "eval_macro_precision": macro[0],
        "eval_macro_recall": macro[1],
        "eval_macro_f1": macro[2],
        "eval_calibration_error": calibration_error(scores.max(dim=1).values.numpy(), predicted == expected),
        "per_class": [
            {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
            for p, r, f, s in zip(precision, recall, f1, support)
        ],
        "confusion_matrix": confusion_matrix(expected, predicted, labels=every["labels"]).tolist(),
    }


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for seed, loss in enumerate(["cross_entropy", "binary_cross_entropy"]):
        text = json.dumps(evaluation(loss, seed)).replace("], [", "],\n[")
        (folder / f"{loss}.json").write_text(text + "\n")


main()
