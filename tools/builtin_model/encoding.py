"""Piece ids of the training texts, their random views, and batches of similar length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from corpus import LABELS, Row, clean, split_title, without_agencies
from vocabulary import CLS, MAX_LENGTH, PAD, SEP

# Single texts are cut here in training; joined documents use all positions.
_SINGLE_LENGTH = 128
_SHORTEST_DOCUMENT = 128
_SORTING_WINDOW = 4096


@dataclass(frozen=True, slots=True)
class Document:
    """Piece ids without special pieces, and the rows that they were taken from."""

    pieces: np.ndarray
    rows: tuple[int, ...]


class TrainingTexts:
    """All training rows in several spellings: as published, clean, and as typed in a browser."""

    def __init__(self, rows: list[Row], tokenizer: PreTrainedTokenizerFast) -> None:
        vocabulary = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
        self._starts_word = np.array([piece.startswith("▁") for piece in vocabulary])
        self._labels = np.array([row.label for row in rows])
        self._title_words = [_title_words(row.text) for row in rows]
        self._as_published, self._clean, self._typographic = (
            _encode(tokenizer, [spelling(row.text) for row in rows]) for spelling in (str, clean, typographic)
        )

    def __len__(self) -> int:
        return len(self._labels)

    def clean_pieces(self) -> list[np.ndarray]:
        """The pieces of every row in its clean spelling."""
        return self._clean

    def whole(self, row: int, rng: np.random.Generator) -> Document:
        """A row in a random spelling."""
        return Document(self._random_spelling(row, rng)[: _SINGLE_LENGTH - 2], (row,))

    def view(self, row: int, head: float, tail: float, rng: np.random.Generator) -> Document:
        """A row, or with the given probabilities its title or description alone.

        Where the border between them is unknown, a random number of words stands for the title.
        """
        pieces = self._random_spelling(row, rng)
        choice = rng.random()
        if choice < head + tail:
            words = self._title_words[row] or rng.integers(4, 12)
            border = self._offset_of_word(pieces, words)
            part = pieces[:border] if choice < head else pieces[border:]
            pieces = part if len(part) else pieces
        return Document(pieces[: _SINGLE_LENGTH - 2], (row,))

    def joined(self, rng: np.random.Generator) -> Document:
        """Several rows of one class in a row, up to all the positions that the model has."""
        candidates = np.flatnonzero(self._labels == rng.integers(len(LABELS)))
        length = rng.integers(_SHORTEST_DOCUMENT, MAX_LENGTH - 1)
        parts: list[np.ndarray] = []
        rows: list[int] = []
        while sum(map(len, parts)) < length:
            rows.append(int(rng.choice(candidates)))
            parts.append(self.whole(rows[-1], rng).pieces)
        return Document(np.concatenate(parts)[:length], tuple(rows))

    def _random_spelling(self, row: int, rng: np.random.Generator) -> np.ndarray:
        spellings = (self._as_published, self._clean, self._typographic)
        return spellings[rng.integers(len(spellings))][row]

    def _offset_of_word(self, pieces: np.ndarray, word: int) -> int:
        starts = np.flatnonzero(self._starts_word[pieces])
        return int(starts[word]) if word < len(starts) else len(pieces)


def typographic(text: str) -> str:
    """The clean text without agency tags and with the quotation marks that browsers show."""
    text = without_agencies(clean(text))
    characters = [
        _curly(char, opening=index == 0 or text[index - 1] in " (") if char in "'\"" else char
        for index, char in enumerate(text)
    ]
    return "".join(characters)


def _curly(quote: str, *, opening: bool) -> str:
    if quote == "'":
        return "‘" if opening else "’"
    return "“" if opening else "”"


def _title_words(text: str) -> int:
    parts = split_title(clean(text))
    return len(parts[0].split()) if parts else 0


def _encode(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> list[np.ndarray]:
    encoded = tokenizer(texts, add_special_tokens=False, truncation=False, verbose=False)
    return [np.array(ids, dtype=np.int64) for ids in encoded["input_ids"]]


def batches(documents: list[Document], tokens: int, rng: np.random.Generator) -> list[list[Document]]:
    """Shuffled batches of about `tokens` pieces, padding included, of similarly long documents."""
    order = rng.permutation(len(documents))
    result: list[list[Document]] = []
    for start in range(0, len(order), _SORTING_WINDOW):
        window = [documents[index] for index in order[start : start + _SORTING_WINDOW]]
        window.sort(key=lambda document: len(document.pieces))
        result.extend(_cut(window, tokens))
    rng.shuffle(result)  # type: ignore[arg-type]
    return result


def _cut(ascending: list[Document], tokens: int) -> Iterator[list[Document]]:
    batch: list[Document] = []
    for document in ascending:
        if batch and (len(batch) + 1) * (len(document.pieces) + 2) > tokens:
            yield batch
            batch = []
        batch.append(document)
    yield batch


def padded(batch: list[Document]) -> torch.Tensor:
    """The ids of a batch between [CLS] and [SEP], padded to its longest document."""
    width = max(len(document.pieces) for document in batch) + 2
    ids = np.full((len(batch), width), PAD, dtype=np.int64)
    for line, document in zip(ids, batch):
        length = len(document.pieces)
        line[0] = CLS
        line[1 : length + 1] = document.pieces
        line[length + 1] = SEP
    return torch.from_numpy(ids)
