"""What trainings have in common: their events and results, and how they are started."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from albertine import _albertine
from albertine._labeled import stream_of
from albertine.errors import ParamError

__all__ = ["Checkpoints", "Evaluation", "Event", "Name", "Run", "TrainEpoch", "TrainResult", "TrainStart", "TrainStep"]

#: A model by name, repository, address or path.
Name = Union[str, "os.PathLike[str]", None]


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
    #: The fraction of them whose prediction was right; none where predictions are not right or wrong.
    accuracy: Optional[float]
    #: How long it took.
    seconds: float
    #: The metrics on the validation set, if there is one.
    validation: Optional[Evaluation]


Event = Union[TrainStart, TrainStep, TrainEpoch]


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


@dataclass(frozen=True)
class Checkpoints:
    """Where checkpoints are kept, how often and how many."""

    folder: Union[str, "os.PathLike[str]", None]
    save_steps: Optional[int]
    save_total_limit: int
    resume: bool


@dataclass(frozen=True)
class Run:
    """A training: its tables, and where it goes."""

    #: Training, validation and test set.
    tables: Tuple[Any, Any, Any]
    #: The columns of texts.
    columns: Sequence[str]
    #: The column of labels; none where none are read.
    label: Optional[str]
    output: Union[str, "os.PathLike[str]"]
    validation_split: float
    checkpoints: Checkpoints
    teachers: Sequence[Any]
    on_progress: Optional[Callable[[Event], object]]

    def start(self, arguments: Mapping[str, Any], counts: Mapping[str, Optional[int]]) -> TrainResult:
        """Trains with these arguments of the native half, of which ``counts`` are whole numbers."""
        checkpoints = self.checkpoints
        if self.tables[1] is not None and self.validation_split:
            raise ParamError("validation and validation_split cannot be used together")
        if checkpoints.folder is None and (checkpoints.resume or checkpoints.save_steps is not None):
            raise ParamError("save_steps and resume need a folder for checkpoints: checkpoint=")
        counts = {
            **counts,
            "save_steps": checkpoints.save_steps,
            "save_total_limit": checkpoints.save_total_limit,
        }
        for name, value in counts.items():
            if isinstance(value, bool) or not isinstance(value, (Integral, type(None))):
                raise TypeError(f"{name} is {value!r}, not a whole number")
            if value is not None and not 0 <= value < (1 << 64 if name == "seed" else 1 << 32):
                raise ParamError(f"{name} is {value}, and cannot be {'less than 0' if value < 0 else 'so large'}")
        arguments = {
            **arguments,
            **counts,
            "output": os.fspath(self.output),
            "validation_split": self.validation_split,
            "checkpoint": None if checkpoints.folder is None else os.fspath(checkpoints.folder),
            "resume": checkpoints.resume,
        }
        vocabulary = None if arguments["vocabulary_size"] is None else self._table(self.tables[0])
        result = _albertine.train(
            [self._table(table) for table in self.tables],
            vocabulary,
            [_teacher(teacher) for teacher in self.teachers],
            arguments,
            None if self.on_progress is None else _Listener(self.on_progress),
        )
        metrics = result.pop("metrics")
        return TrainResult(
            path=Path(self.output), metrics=None if metrics is None else Evaluation(json.loads(metrics)), **result
        )

    def _table(self, frame: Any) -> Any:
        return None if frame is None else (table_name(frame), stream_of(frame, self.columns, self.label))


class _Listener:
    """Calls a function with events."""

    def __init__(self, on_progress: Callable[[Event], object]) -> None:
        self._on_progress = on_progress
        self._head: Dict[str, Any] = {"labels": [], "new_head": True}

    def __call__(self, kind: str, values: Dict[str, Any]) -> None:
        if kind == "head":
            self._head.update(values)
        elif kind == "start":
            self._on_progress(TrainStart(**self._head, **values))
        elif kind == "step":
            self._on_progress(TrainStep(**values))
        else:
            metrics = values.pop("validation")
            validation = None if metrics is None else Evaluation(json.loads(metrics))
            self._on_progress(TrainEpoch(**values, validation=validation))


def _teacher(teacher: Any) -> Any:
    """A model by its name, or a table of scores."""
    if isinstance(teacher, (str, os.PathLike)):
        return os.fspath(teacher)
    return table_name(teacher), stream_of(teacher, None, None)


def table_name(frame: Any) -> str:
    """What a report calls a table."""
    return f"{type(frame).__module__.partition('.')[0]}.{type(frame).__qualname__}"
