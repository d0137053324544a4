"""How far scores and labels can be trusted: calibration."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Sequence, Union

from albertine import _albertine
from albertine._classify import loaded
from albertine._frames import ColumnName, column_name, column_names
from albertine._labeled import names_of_classes, stream_of

__all__ = ["Calibration", "calibrate"]


@dataclass(frozen=True)
class Calibration:
    """A calibrated model, and what calibration is good for."""

    #: The model directory.
    path: Path
    #: What the logits are divided by: above 1 where the model was too sure of itself.
    temperature: float
    #: The fraction of the rows whose predicted class is the true one, which calibration does not change.
    accuracy: float
    #: The mean loss of a row before.
    loss_before: float
    #: The same after.
    loss: float
    #: The expected calibration error before.
    calibration_error_before: float
    #: The same after.
    calibration_error: float
    #: The rows that count.
    samples: int
    #: Rows without a text or a label.
    left_out: int


def calibrate(
    frame: Any,
    output: Union[str, "os.PathLike[str]"],
    model: Union[str, "os.PathLike[str]", None] = None,
    *,
    text_column: Union[ColumnName, Sequence[ColumnName]] = "text",
    label_column: ColumnName = "label",
    labels: Optional[Sequence[Any]] = None,
    precision: str = "f32",
    max_sentence_length: Optional[int] = None,
    case_sensitive: Optional[bool] = None,
    encoding: Optional[str] = None,
    window_overlap: Optional[int] = None,
    threads: int = 0,
) -> Calibration:
    """Calibrates the scores of a model on labeled texts that it was not trained on, as ``albertine calibrate`` does.

    The result is a model directory. Its scores mean what they say, in every program that reads it, and
    :func:`classify` takes ``abstain`` and ``coverage`` with it.

    Args:
        frame: a table of texts and labels, as for :func:`evaluate`.
        output: the folder for the calibrated model, new or empty.
        model: a name, a repository, a URL or a path; by default the built-in model.
        text_column: the column of texts; several columns are joined with a space.
        label_column: the column of true labels.
        labels: the table's names for the model's classes, in the model's order.
        precision: ``f32``, ``bf16`` or ``int8``: the one that you classify with.
        max_sentence_length: the maximum sequence length in pieces.
        case_sensitive: whether case matters; by default the model's tokenizer decides.
        encoding: ``document`` or ``token``; by default as the model was saved.
        window_overlap: instead of truncating long texts, reads them in windows that overlap by this many pieces.
        threads: number of threads; 0 means one per core.

    Raises:
        albertine.TrainingError: if there is no best temperature, as when the model is right about all texts; or if the
            model scores each label independently; or if something is in the folder.
        albertine.LabelError: if a label is none of the model's.
        albertine.ColumnError: if the table has no such columns.
    """
    columns = column_names(frame, text_column, "text_column")
    label = column_name(frame, label_column, "label_column")
    names = None if labels is None else names_of_classes(labels)
    classifier = loaded(
        os.fspath(model or "ag_news"), precision, max_sentence_length, case_sensitive, encoding, window_overlap, threads
    )
    place = Path(output)
    found = _albertine.calibrate(classifier, stream_of(frame, columns, label), place, columns, label, names)
    return Calibration(path=place, **found)
