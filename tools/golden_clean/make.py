"""Makes testdata/clean: given classes with probabilities, and what the `cleanlab` package says of them.

usage: make.py testdata/clean

Each file has its rows (the given class, then the probabilities), the confident joint, the quality of each label by both
measures, and for every way of choosing issues their rows, the worst first by each measure. Probabilities are rounded to six
digits, so that the files are the same bytes wherever they are made, and no two rows are alike, so that no order is open.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
from cleanlab.count import compute_confident_joint
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

FILTERS = [
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_normalized_margin",
    "low_self_confidence",
]
RANKS = ["self_confidence", "normalized_margin"]


def rows(seed: int, counts: list, noise: float, spread: float) -> tuple:
    """Given classes, a part of them wrong, and probabilities of a model that knows the true ones more or less."""
    random = np.random.default_rng(seed)
    true = np.repeat(np.arange(len(counts)), counts)
    given = true.copy()
    wrong = random.random(len(true)) < noise
    present = np.flatnonzero(counts)
    given[wrong] = random.choice(present, wrong.sum())
    logits = random.normal(0, spread, (len(true), len(counts)))
    logits[np.arange(len(true)), true] += 3
    powers = np.exp(logits)
    return given, (powers / powers.sum(axis=1, keepdims=True)).round(6)


def golden(given: np.ndarray, probabilities: np.ndarray) -> dict:
    """One set of rows and what is said of it."""
    single = {"n_jobs": 1}
    issues = {
        chosen: {
            rank: find_label_issues(given, probabilities, filter_by=chosen, return_indices_ranked_by=rank, **single).tolist()
            for rank in RANKS
        }
        for chosen in FILTERS
    }
    return {
        "rows": [[int(label), *row] for label, row in zip(given, probabilities.tolist())],
        "confident_joint": compute_confident_joint(given, probabilities).tolist(),
        "quality": {rank: get_label_quality_scores(given, probabilities, method=rank).tolist() for rank in RANKS},
        "issues": issues,
    }


def main() -> None:
    folder = Path(sys.argv[1])
    cases = {
        "balanced": rows(1, [60, 60, 60, 60], 0.15, 1.0),
        "binary": rows(2, [70, 30], 0.1, 1.5),
        "unsure": rows(3, [40, 40, 40], 0.3, 3.0),
        # one class has a single row, another none
        "rare": rows(4, [80, 1, 0, 30], 0.1, 1.0),
    }
    warnings.simplefilter("ignore")
    for name, case in cases.items():
        lines = [f'"{key}": {json.dumps(value)}' for key, value in golden(*case).items()]
        (folder / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
