"""Out-of-fold soft targets from linear models on TF-IDF n-grams.

The student learns from the label and from what a linear model, which has not seen the row, thinks
of it: that tells apart clear rows from doubtful or mislabelled ones.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from corpus import LABELS, Row, clean


def out_of_fold_targets(rows: list[Row], folds: int, seed: int) -> np.ndarray:
    """A calibrated class distribution for every row, from models trained on the other folds."""
    texts = [clean(row.text) for row in rows]
    labels = np.array([row.label for row in rows])
    margins = np.zeros((len(rows), len(LABELS)), dtype=np.float64)
    for vectorizer, strength in _feature_sets():
        features = vectorizer.fit_transform(texts)
        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        for fitted, scored in splitter.split(features, labels):
            model = LinearSVC(C=strength, tol=1e-3, random_state=seed)
            model.fit(features[fitted], labels[fitted])
            margins[scored] += model.decision_function(features[scored])
    accuracy = (margins.argmax(1) == labels).mean()
    scale = _best_scale(margins, labels)
    print(f"teacher: out-of-fold accuracy {accuracy:.4f}, margin scale {scale:.2f}", flush=True)
    return softmax(scale * margins, axis=1).astype(np.float32)


def _feature_sets() -> list[tuple[TfidfVectorizer, float]]:
    common = {"sublinear_tf": True, "dtype": np.float32, "strip_accents": "unicode"}
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, token_pattern=r"\b\w+\b", **common)
    characters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), min_df=5, max_features=400_000, **common
    )
    return [(words, 0.5), (characters, 0.3)]


def _best_scale(margins: np.ndarray, labels: np.ndarray) -> float:
    """The factor on the margins that makes their softmax most likely."""

    def loss(scale: float) -> float:
        return -log_softmax(scale * margins, axis=1)[np.arange(len(labels)), labels].mean()

    return float(minimize_scalar(loss, bounds=(0.1, 20.0), method="bounded").x)
