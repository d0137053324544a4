"""First piece embeddings: a factorisation of which pieces occur near each other.

They carry topics before any training, which spares the masked-language-model most of the long
start in which it only learns how frequent the pieces are.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from vocabulary import FIRST_ORDINARY_PIECE

_REACH = 8
_CONTEXT_SMOOTHING = 0.75
_STANDARD_DEVIATION = 0.08


def piece_embeddings(documents: list[np.ndarray], vocabulary_size: int, width: int, seed: int) -> np.ndarray:
    """Row-normalised factors of the positive pointwise mutual information."""
    counts = _neighbours(documents, vocabulary_size)
    left, values, _ = randomized_svd(_positive_information(counts), width, random_state=seed)
    factors = left * np.sqrt(values)
    seen = np.asarray(counts.sum(1)).ravel() > 0
    seen[:FIRST_ORDINARY_PIECE] = False
    factors -= factors[seen].mean(0)
    random = np.random.default_rng(seed).standard_normal(factors.shape)
    factors = np.where(seen[:, None], factors, random)
    norms = np.linalg.norm(factors, axis=1, keepdims=True)
    return (factors / norms * _STANDARD_DEVIATION * np.sqrt(width)).astype(np.float32)


def _neighbours(documents: list[np.ndarray], vocabulary_size: int) -> sparse.csr_matrix:
    """How often two pieces stand near each other, near neighbours counting more."""
    pieces = np.concatenate(documents)
    owner = np.repeat(np.arange(len(documents)), [len(document) for document in documents])
    counts = sparse.csr_matrix((vocabulary_size, vocabulary_size), dtype=np.float32)
    for distance in range(1, _REACH + 1):
        together = owner[distance:] == owner[:-distance]
        pair = (pieces[:-distance][together], pieces[distance:][together])
        weights = np.full(len(pair[0]), 1.0 / distance, dtype=np.float32)
        counts += sparse.coo_matrix((weights, pair), shape=counts.shape).tocsr()
    return (counts + counts.T).tocsr()


def _positive_information(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """log(p(a, b) / (p(a) p(b))) where it is positive, with smoothed context frequencies."""
    totals = np.asarray(counts.sum(1)).ravel()
    contexts = totals**_CONTEXT_SMOOTHING
    contexts /= contexts.sum()
    pairs = counts.tocoo()
    information = np.log(pairs.data / (totals[pairs.row] * contexts[pairs.col]))
    positive = information > 0
    return sparse.csr_matrix(
        (information[positive], (pairs.row[positive], pairs.col[positive])), shape=counts.shape
    )
