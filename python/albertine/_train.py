"""Fine-tuning and evaluation on labeled tables."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Union

from albertine import _albertine
from albertine._classify import loaded
from albertine._frames import ColumnName, column_name, column_names
from albertine._labeled import names_of_classes, stream_of
from albertine.errors import ParamError

__all__ = ["Evaluation", "TrainEpoch", "TrainResult", "TrainStart", "TrainStep", "evaluate", "train"]

#: A model by name, repository, address or path.
_Name = Union[str, "os.PathLike[str]", None]


class Evaluation(Mapping[str, Any]):
    """The metrics of a model on a labeled table: what ``albertine evaluate`` prints, under the same keys and in the
    same order.

    The most used ones are attributes too.
    """

    def __init__(self, metrics: Mapping[str, Any]) -> None:
        self._metrics = dict(metrics)

    def __getitem__(self, key: str) -> Any:
        return self._metrics[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics)

    def __len__(self) -> int:
        return len(self._metrics)

    def __repr__(self) -> str:
        losses = f"samples={self.samples}, loss={self.loss:.4f}"
        return f"Evaluation({losses}, accuracy={self.accuracy:.4f}, macro_f1={self.macro_f1:.4f})"

    @property
    def loss(self) -> float:
        """``eval_loss``: the mean loss of a row."""
        return float(self["eval_loss"])

    @property
    def accuracy(self) -> float:
        """``eval_accuracy``: the fraction of rows whose predicted class is the true one."""
        return float(self["eval_accuracy"])

    @property
    def macro_f1(self) -> float:
        """``eval_macro_f1``: the mean of the classes' F1."""
        return float(self["eval_macro_f1"])

    @property
    def samples(self) -> int:
        """``eval_samples``: the number of rows."""
        return int(self["eval_samples"])


@dataclass(frozen=True)
class TrainStart:
    """Training begins: what it trains, and on how much."""

    #: The labels, in the order of the model's logits.
    labels: List[str]
    #: Whether they are those of a new classification head, and not the model's own.
    new_head: bool
    #: Texts of the training set.
    training_texts: int
    #: Texts of the validation set.
    validation_texts: int
    #: The steps that there will be in all.
    steps: int
    #: About how much memory training takes, in bytes.
    memory: int


@dataclass(frozen=True)
class TrainStep:
    """A step was made."""

    #: The steps so far.
    step: int
    #: The steps that there will be in all.
    steps: int
    #: The epoch that the step is part of, from 1.
    epoch: int
    #: The mean loss of its texts.
    loss: float
    #: The learning rate.
    learning_rate: float
    #: The norm of the gradient before clipping.
    gradient_norm: float


@dataclass(frozen=True)
class TrainEpoch:
    """An epoch was completed."""

    #: The epochs so far.
    epoch: int
    #: The mean loss of the training texts as they were seen.
    loss: float
    #: The fraction of them whose predicted class was the true one.
    accuracy: float
    #: How long it took.
    seconds: float
    #: The metrics on the validation set, if there is one.
    validation: Optional[Evaluation]


_Event = Union[TrainStart, TrainStep, TrainEpoch]


@dataclass(frozen=True)
class TrainResult:
    """A trained model, in its folder."""

    #: The model directory, which every ``model`` argument takes.
    path: Path
    #: The labels, in the order of the model's logits.
    labels: List[str]
    #: The epoch whose weights were kept, from 1.
    epoch: int
    #: The epochs that were completed.
    epochs: int
    #: The steps that were made.
    steps: int
    #: Whether Ctrl-C stopped it.
    interrupted: bool
    #: The step at which training diverged; the weights are those of an epoch before it.
    diverged_at: Optional[int]
    #: Rows of all tables without a text or a label, which were skipped.
    skipped: int
    #: Texts of all tables that were longer than the limit and were truncated.
    truncated: int
    #: The metrics on the test set, else on the validation set.
    metrics: Optional[Evaluation]


def train(
    frame: Any,
    *,
    output: Union[str, "os.PathLike[str]"],
    text_column: Union[ColumnName, Sequence[ColumnName]] = "text",
    label_column: ColumnName = "label",
    validation: Any = None,
    validation_split: float = 0.0,
    test: Any = None,
    model: _Name = None,
    max_sentence_length: Optional[int] = None,
    freeze_encoder: bool = False,
    epochs: int = 3,
    batch_size: int = 32,
    gradient_accumulation_steps: int = 1,
    learning_rate: float = 2e-5,
    lr_scheduler: str = "linear",
    warmup: float = 0.1,
    weight_decay: float = 0.01,
    clip: float = 1.0,
    label_smoothing: float = 0.0,
    class_weights: str = "equal",
    dropout: float = 0.1,
    metric_for_best_model: str = "loss",
    patience: Optional[int] = None,
    seed: int = 42,
    threads: int = 0,
    checkpoint: Union[str, "os.PathLike[str]", None] = None,
    save_steps: Optional[int] = None,
    save_total_limit: int = 1,
    resume: bool = False,
    on_progress: Optional[Callable[[_Event], object]] = None,
) -> TrainResult:
    """Fine-tunes a model on a labeled table, as ``albertine train`` does: the same table and seed give the same model,
    bit for bit.

    Args:
        frame: the training set: a pandas or polars DataFrame, a pyarrow Table, RecordBatch or RecordBatchReader, or
            anything else with the Arrow PyCapsule interface.
        output: the folder for the model; must be new or empty. It appears when the model is complete.
        text_column: the column of texts; several are joined with one space.
        label_column: the column that contains the true label: texts, numbers or booleans. Numbers that the table's
            metadata names, as ``ClassLabel`` of Hugging Face's datasets does, are their names, and -1 is a row without
            a label.
        validation: a table that is evaluated after every epoch; the best epoch by ``metric_for_best_model`` is kept.
        validation_split: the fraction of the training set to hold out at random as the validation set.
        test: a table that is evaluated once after training.
        model: the base model: a name, a repository, a URL or a path; by default the built-in model.
        max_sentence_length: the maximum sequence length in pieces; by default the model's limit.
        freeze_encoder: train only the classification head and leave the encoder as it is.
        epochs: passes over the training set.
        batch_size: texts whose gradients are computed together.
        gradient_accumulation_steps: batches whose gradients are added up for one optimizer step.
        learning_rate: the peak learning rate.
        lr_scheduler: how the learning rate decays after the warm-up: ``linear``, ``cosine`` or ``constant``.
        warmup: the fraction of the steps over which the learning rate warms up.
        weight_decay: weight decay, not applied to biases and LayerNorm weights.
        clip: the maximum gradient norm; larger gradients are clipped to it.
        label_smoothing: the part of each target that is spread evenly over all classes.
        class_weights: ``equal``, or ``balanced`` to compensate for rare classes.
        dropout: the dropout probability before the classification head.
        metric_for_best_model: the validation metric that chooses the epoch to keep: ``loss`` (the lowest), ``accuracy``
            or ``macro_f1``.
        patience: epochs without a better validation metric before training stops.
        seed: the random seed.
        threads: threads to work with; 0 means one for each core.
        checkpoint: a folder for checkpoints, from which a run that was killed can go on.
        save_steps: steps from one checkpoint to the next; by default one is kept after each epoch.
        save_total_limit: how many checkpoints are kept: the newest.
        resume: go on from the newest checkpoint, if there is one. The same tables, settings and base model give the
            model of an unbroken run, bit for bit; others are an error.
        on_progress: is called with a :class:`TrainStart`, a :class:`TrainStep` after every step and a
            :class:`TrainEpoch` after every epoch, while the training waits. What it raises ends the training, and
            nothing is written.

    Returns:
        A :class:`TrainResult`. After Ctrl-C the step at work is finished and the model as trained so far is kept (with
        a validation set, the best epoch so far); a second Ctrl-C raises ``KeyboardInterrupt``, and nothing is written.

    Raises:
        albertine.ColumnError: a table has no such column.
        albertine.LabelError: the labels of the tables do not make a classifier.
        albertine.ParamError: if an argument has an invalid value.
        albertine.ModelNotFound: there is no such base model.
        albertine.TrainingError: training diverged, or the folder cannot be written.

    Warns:
        albertine.TruncationWarning: texts are longer than the limit.

    >>> import albertine, tempfile
    >>> import pyarrow as pa
    >>> table = pa.table({"text": ["Oil prices rose.", "The home side won."] * 4, "label": ["oil", "sport"] * 4})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = train(table, output=f"{folder}/model", epochs=1, freeze_encoder=True)
    ...     predicted = albertine.classify("Oil prices rose.", model=result.path).label
    ...     (result.labels, result.steps, predicted in result.labels)
    (['oil', 'sport'], 1, True)
    """
    columns = column_names(frame, text_column, "text_column")
    label = column_name(frame, label_column, "label_column")
    if validation is not None and validation_split:
        raise ParamError("validation and validation_split cannot be used together")
    if checkpoint is None and (resume or save_steps is not None):
        raise ParamError("save_steps and resume need a folder for checkpoints: checkpoint=")
    counts = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "threads": threads}
    counts.update(gradient_accumulation_steps=gradient_accumulation_steps, save_total_limit=save_total_limit)
    optional = {"max_sentence_length": max_sentence_length, "patience": patience, "save_steps": save_steps}
    for name, value in {**counts, **optional}.items():
        if isinstance(value, bool) or not isinstance(value, (Integral, type(None))):
            raise TypeError(f"{name} is {value!r}, not a whole number")
        if value is not None and not 0 <= value < (1 << 64 if name == "seed" else 1 << 32):
            raise ParamError(f"{name} is {value}, and cannot be {'less than 0' if value < 0 else 'so large'}")

    head: Dict[str, Any] = {}

    def hear(kind: str, values: Dict[str, Any]) -> None:
        if on_progress is None:
            return
        if kind == "head":
            head.update(values)
        elif kind == "start":
            on_progress(TrainStart(**head, **values))
        elif kind == "step":
            on_progress(TrainStep(**values))
        else:
            metrics = values.pop("validation")
            on_progress(TrainEpoch(**values, validation=None if metrics is None else Evaluation(json.loads(metrics))))

    def table(frame: Any) -> Any:
        return None if frame is None else (_name(frame), stream_of(frame, columns, label))

    arguments = {
        "model": os.fspath(model or "ag_news"),
        "output": os.fspath(output),
        "text_columns": columns,
        "label_column": label,
        "validation_split": validation_split,
        "max_sentence_length": max_sentence_length,
        "threads": threads,
        "freeze_encoder": freeze_encoder,
        "epochs": epochs,
        "batch_size": batch_size,
        "gradient_accumulation_steps": gradient_accumulation_steps,
        "learning_rate": learning_rate,
        "lr_scheduler": lr_scheduler,
        "warmup": warmup,
        "weight_decay": weight_decay,
        "clip": clip,
        "label_smoothing": label_smoothing,
        "class_weights": class_weights,
        "dropout": dropout,
        "metric_for_best_model": metric_for_best_model,
        "patience": patience,
        "seed": seed,
        "checkpoint": None if checkpoint is None else os.fspath(checkpoint),
        "save_steps": save_steps,
        "save_total_limit": save_total_limit,
        "resume": resume,
    }
    tables = table(frame), table(validation), table(test)
    result = _albertine.train(*tables, arguments, None if on_progress is None else hear)
    metrics = result.pop("metrics")
    return TrainResult(
        path=Path(output), metrics=None if metrics is None else Evaluation(json.loads(metrics)), **result
    )


def evaluate(
    frame: Any,
    model: _Name = None,
    precision: str = "f32",
    *,
    text_column: Union[ColumnName, Sequence[ColumnName]] = "text",
    label_column: ColumnName = "label",
    labels: Optional[Sequence[str]] = None,
    report: Union[str, "os.PathLike[str]", None] = None,
    max_sentence_length: Optional[int] = None,
    case_sensitive: Optional[bool] = None,
    encoding: Optional[str] = None,
    window_overlap: Optional[int] = None,
    threads: int = 0,
) -> Evaluation:
    """Evaluates a model on a labeled table, as ``albertine evaluate`` does.

    Args:
        frame: a pandas or polars DataFrame, a pyarrow Table, RecordBatch or RecordBatchReader, or anything else with
            the Arrow PyCapsule interface.
        model: a name, a repository, a URL or a path; by default the built-in model.
        precision: ``f32`` (exact), ``bf16`` or ``int8`` (faster).
        text_column: the column of texts; several are joined with one space.
        label_column: the column that contains the true label: the model's labels, or their indices from 0. A number
            that the table's metadata names, as ``ClassLabel`` of Hugging Face's datasets does, is the class of its
            name, and -1 is no label.
        labels: the table's names for the model's classes, in the model's order.
        report: a folder for ``report.html`` and ``metrics.json``.
        max_sentence_length: the most pieces of a text that are read.
        case_sensitive: whether case matters; by default the model's tokenizer decides.
        encoding: ``document`` or ``token``; by default as the model was saved.
        window_overlap: reads texts over the limit whole, in windows that overlap by so many pieces.
        threads: threads to work with; 0 means one for each core.

    Returns:
        The metrics, under the keys that the command prints.

    Raises:
        albertine.ColumnError: the table has no such column.
        albertine.LabelError: a label is not one of the model's classes; the message has its row, from 0.
        albertine.ParamError: if an argument has an invalid value.
        albertine.ModelNotFound: there is no such model.

    Warns:
        albertine.LabelWarning: the table names the classes of its numbers, and none is one of the model's.

    >>> import pyarrow as pa
    >>> texts = ["Oil prices rose as OPEC cut output.", "The striker scored twice."]
    >>> table = pa.table({"text": texts, "label": ["Business", "Sports"]})
    >>> metrics = evaluate(table)
    >>> metrics.accuracy, metrics["eval_samples"], list(metrics)[:2]
    (1.0, 2, ['eval_loss', 'eval_accuracy'])
    """
    columns = column_names(frame, text_column, "text_column")
    label = column_name(frame, label_column, "label_column")
    names = None if labels is None else names_of_classes(labels)
    classifier = loaded(
        os.fspath(model or "ag_news"), precision, max_sentence_length, case_sensitive, encoding, window_overlap, threads
    )
    stream = stream_of(frame, columns, label)
    folder = None if report is None else os.fspath(report)
    found = _albertine.evaluate(classifier, _name(frame), stream, columns, label, names, folder)
    return Evaluation(json.loads(found))


def _name(frame: Any) -> str:
    """What a report calls a table."""
    return f"{type(frame).__module__.partition('.')[0]}.{type(frame).__qualname__}"
