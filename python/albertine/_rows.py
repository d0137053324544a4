"""Annotations as flat rows: one for each document, sentence or token, with what annotators say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["LEVELS", "ClassColumn", "Layout", "beginnings"]

#: What a row can be of, from coarse to fine.
LEVELS = ("document", "sentence", "token")

#: Numbers or, with -1 for none, places in an array.
_Ints = Any


class _Annotations:
    """The annotations of a column, end to end, and which of them are a row's."""

    def __init__(self, batch: pa.RecordBatch, column: str) -> None:
        lists = batch.column(column)
        self._values = lists.flatten()
        self.counts: _Ints = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
        self.starts: _Ints = _starts(self.counts)
        self.rows: _Ints = np.repeat(np.arange(len(lists)), self.counts)

    def __len__(self) -> int:
        return len(self._values)

    def field(self, name: str) -> Any:
        return pc.struct_field(self._values, [name])

    def metadata(self, key: str) -> Any:
        return pc.map_lookup(self.field("metadata"), key, "first")

    def order(self) -> _Ints:
        """A number for each annotation that grows with its row and its place in the row."""
        return self.rows * (1 << 32) + self.field("begin").to_numpy()


def _starts(counts: _Ints) -> _Ints:
    return np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(counts) else np.zeros(0, np.int64)


@dataclass(frozen=True)
class ClassColumn:
    """A classifier's column."""

    #: The column of annotations, and what its labels are written to.
    name: str
    labels: tuple[str, ...]
    #: Whether there is a class for each sentence, and not for each document.
    of_sentences: bool
    #: Whether a text can have any number of labels, so that there are lists of them.
    multilabel: bool

    def scores(self, found: _Annotations) -> _Ints:
        """The score of each label, for each annotation: they stand in its metadata behind the number of the
        sentence."""
        metadata = found.field("metadata")
        if len(metadata) == 0:
            return np.zeros((0, len(self.labels)))
        first, last = metadata.offsets[0].as_py(), metadata.offsets[-1].as_py()
        values = metadata.items.slice(first, last - first).cast(pa.float64()).to_numpy(zero_copy_only=False)
        return values.reshape(len(metadata), -1)[:, 1:]


class _Parts:
    """Of each row that is written, its annotations in one column: their places, one for each or lists of them."""

    def __init__(self, starts: _Ints, counts: Optional[_Ints] = None) -> None:
        self._starts = starts
        self._counts = counts

    def first(self) -> _Parts:
        """The first of each list, if it has one."""
        return self if self._counts is None else _Parts(np.where(self._counts > 0, self._starts, -1))

    def take(self, values: Any) -> Any:
        if self._counts is None:
            return values.take(pa.array(self._starts, mask=self._starts < 0))
        total = int(self._counts.sum())
        places = np.repeat(self._starts - _starts(self._counts), self._counts) + np.arange(total)
        offsets = pa.array(np.concatenate([[0], np.cumsum(self._counts)]), pa.int32())
        return pa.ListArray.from_arrays(offsets, values.take(pa.array(places, pa.int64())))


@dataclass(frozen=True)
class Layout:
    """What rows are of, and which columns they get."""

    level: str
    #: Columns of annotations; a pipeline may have no sentences and no tokens.
    document: str
    sentence: Optional[str]
    token: Optional[str]
    classes: tuple[ClassColumn, ...]
    positions: bool = False
    metadata: bool = False
    #: Whether texts of another level than the rows' are left out.
    drop_others: bool = True

    def rows(self, batch: pa.RecordBatch) -> tuple[_Ints, dict[str, Any]]:
        """The rows of a batch of annotations.

        Returns:
            For each row the number of the one in ``batch`` that it comes from, in order and at least one for each; and
            the columns by name, all of that length: one value for what a row lies in or is, a list for what lies in it,
            null where there is nothing.
        """
        documents = _Annotations(batch, self.document)
        sentences = None if self.sentence is None else _Annotations(batch, self.sentence)
        tokens = None if self.token is None else _Annotations(batch, self.token)
        columns: dict[str, Any] = {}
        row, sentence, token = self._units(batch.num_rows, sentences, tokens)
        parts = _Parts(documents.starts[row], documents.counts[row]).first()
        self._add_texts(columns, "document", self.document, documents, parts)
        if sentences is not None and self.sentence is not None:
            parts = (
                _Parts(sentences.starts[row], sentences.counts[row]) if self.level == "document" else _Parts(sentence)
            )
            self._add_texts(columns, "sentence", self.sentence, sentences, parts)
        if tokens is not None and self.token is not None:
            if self.level == "document":
                parts = _Parts(tokens.starts[row], tokens.counts[row])
            elif self.level == "sentence" and sentences is not None:
                parts = _grouped(tokens, sentences, sentence)
            else:
                parts = _Parts(token)
            self._add_texts(columns, "token", self.token, tokens, parts)
        for column in self.classes:
            found = _Annotations(batch, column.name)
            if column.of_sentences and sentences is not None:
                parts = _grouped(found, sentences, sentence)
            else:
                parts = _Parts(found.starts[row], found.counts[row])
            self._add_class(columns, column, found, parts)
        return row, columns

    def _units(
        self, count: int, sentences: Optional[_Annotations], tokens: Optional[_Annotations]
    ) -> tuple[_Ints, _Ints, _Ints]:
        """Of each row that is written: the row, the sentence and the token that it is of."""
        units = {"sentence": sentences, "token": tokens}.get(self.level)
        if units is None:
            row = np.arange(count)
            return row, np.full(count, -1), np.full(count, -1)
        times = np.maximum(units.counts, 1)
        row = np.repeat(np.arange(count), times)
        within = np.arange(len(row)) - np.repeat(_starts(times), times)
        place = np.where(units.counts[row] > 0, units.starts[row] + within, -1)
        if units is sentences:
            return row, place, np.full(len(row), -1)
        if sentences is None or len(units) == 0:
            return row, np.full(len(row), -1), place
        sentence, is_of_row = _sentence_of(units, sentences)
        return row, np.where(place >= 0, np.where(is_of_row, sentence, -1)[place], -1), place

    def _add_texts(self, columns: dict[str, Any], level: str, name: str, found: _Annotations, parts: _Parts) -> None:
        if level == self.level or not self.drop_others:
            columns[name] = parts.take(found.field("result"))
            if self.metadata and level == "token":
                columns[f"{name}_origin_sentence"] = parts.take(found.metadata("sentence"))
        self._add_positions(columns, name, found, parts)

    def _add_positions(self, columns: dict[str, Any], name: str, found: _Annotations, parts: _Parts) -> None:
        if self.positions:
            columns[f"{name}_begin"] = parts.take(found.field("begin"))
            columns[f"{name}_end"] = parts.take(found.field("end"))

    def _add_class(self, columns: dict[str, Any], column: ClassColumn, found: _Annotations, parts: _Parts) -> None:
        scores, results = column.scores(found), found.field("result")
        if column.multilabel:
            place = pc.index_in(results, pa.array(column.labels, pa.string())).to_numpy()
            confidence = scores[np.arange(len(place)), place]
        else:
            parts = parts.first()
            confidence = scores.max(axis=1, initial=-np.inf)
        columns[column.name] = parts.take(results)
        columns[f"{column.name}_confidence"] = parts.take(pa.array(confidence))
        self._add_positions(columns, column.name, found, parts)
        if self.metadata:
            columns[f"{column.name}_origin_sentence"] = parts.first().take(found.metadata("sentence"))
            for number, label in enumerate(column.labels):
                columns[f"{column.name}_{label}_confidence"] = parts.first().take(pa.array(scores[:, number]))


def _sentence_of(found: _Annotations, sentences: _Annotations) -> tuple[_Ints, _Ints]:
    """Of each annotation the place of the last sentence that begins where it does, or before; and whether that is of
    its row."""
    place = np.searchsorted(sentences.order(), found.order(), side="right") - 1
    rows = np.append(sentences.rows, -1)
    return place, rows[place] == found.rows


def _grouped(found: _Annotations, sentences: _Annotations, wanted: _Ints) -> _Parts:
    """Of each wanted sentence, -1 for none, its annotations."""
    place, is_of_row = _sentence_of(found, sentences)
    counts = np.bincount(place[is_of_row], minlength=len(sentences))
    starts = np.searchsorted(place, np.arange(len(sentences)))
    return _Parts(np.append(starts, 0)[wanted], np.append(counts, 0)[wanted])


def beginnings(row: _Ints) -> _Ints:
    """Whether each row is the first of those that come from the same one."""
    return np.concatenate([[True], row[1:] != row[:-1]]) if len(row) else np.zeros(0, bool)
