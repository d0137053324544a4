"""Fine-tuning and evaluation on labeled tables."""

from __future__ import annotations

import json
import os
from typing import Any, Callable, List, Mapping, Optional, Sequence, Union

from albertine import _albertine
from albertine._classify import loaded
from albertine._frames import ColumnName, column_name, column_names
from albertine._labeled import names_of_classes, stream_of
from albertine._training import Checkpoints, Evaluation, Event, Name, Run, TrainResult, table_name
from albertine.errors import ParamError

__all__ = ["evaluate", "train"]


def train(
    frame: Any,
    *,
    output: Union[str, "os.PathLike[str]"],
    text_column: Union[ColumnName, Sequence[ColumnName]] = "text",
    text_pair_column: Optional[ColumnName] = None,
    label_column: ColumnName = "label",
    problem_type: str = "single_label_classification",
    label_separator: str = ",",
    validation: Any = None,
    validation_split: float = 0.0,
    test: Any = None,
    model: Name = None,
    config: Name = None,
    vocabulary_size: Optional[int] = None,
    add_labels: bool = False,
    max_sentence_length: Optional[int] = None,
    freeze_encoder: bool = False,
    teacher: Any = None,
    teacher_temperature: float = 2.0,
    teacher_weight: float = 0.5,
    epochs: int = 3,
    batch_size: int = 32,
    gradient_accumulation_steps: int = 1,
    learning_rate: float = 2e-5,
    lr_scheduler: str = "linear",
    warmup: float = 0.1,
    weight_decay: float = 0.01,
    clip: float = 1.0,
    label_smoothing: float = 0.0,
    class_weights: Union[str, Mapping[str, float]] = "equal",
    dropout: Optional[float] = None,
    metric_for_best_model: str = "loss",
    patience: Optional[int] = None,
    ema_decay: Optional[float] = None,
    precision: str = "f32",
    seed: int = 42,
    threads: int = 0,
    checkpoint: Union[str, "os.PathLike[str]", None] = None,
    save_steps: Optional[int] = None,
    save_total_limit: int = 1,
    resume: bool = False,
    on_progress: Optional[Callable[[Event], object]] = None,
) -> TrainResult:
    """Fine-tunes a model on a labeled table, as ``albertine train`` does: the same table and seed give the same model,
    bit for bit.

    Args:
        frame: the training set: a pandas or polars DataFrame, a pyarrow Table, RecordBatch or RecordBatchReader, or
            anything else with the Arrow PyCapsule interface.
        output: the folder for the model; must be new or empty. It appears when the model is complete.
        text_column: the column of texts; several are joined with one space.
        text_pair_column: the column of the second text of a pair.
        label_column: the column that contains the true label: texts, numbers or booleans. Numbers that the table's
            metadata names, as ``ClassLabel`` of Hugging Face's datasets does, are their names, and -1 is a row without
            a label.
        problem_type: what the labels are for: ``single_label_classification``, ``multi_label_classification`` (a column of
            lists, or of texts with several labels) or ``regression``.
        label_separator: what stands between the labels of a text, where it may have several.
        validation: a table that is evaluated after every epoch; the best epoch by ``metric_for_best_model`` is kept.
        validation_split: the fraction of the training set to hold out at random as the validation set.
        test: a table that is evaluated once after training.
        model: the base model: a name, a repository, a URL or a path; by default the built-in model.
        config: a ``config.json``, or a folder with one: a new model of this shape is trained instead.
        vocabulary_size: the pieces of a vocabulary that is trained on the texts, for ``config``.
        add_labels: keep the labels of the base model, and add those that it lacks.
        max_sentence_length: the maximum sequence length in pieces; by default the model's limit.
        freeze_encoder: train only the classification head and leave the encoder as it is.
        teacher: who else says something of each text: a model with the labels that are trained, a table with their scores
            for each row (a column for each label, or ``scores`` as ``classify`` writes it), or a list of these, which
            are averaged. Rows without a label learn from the teacher alone.
        teacher_temperature: the temperature at which the scores of teacher and model are compared.
        teacher_weight: the part of the loss that the teacher decides.
        epochs: passes over the training set.
        batch_size: texts whose gradients are computed together.
        gradient_accumulation_steps: batches whose gradients are added up for one optimizer step.
        learning_rate: the peak learning rate.
        lr_scheduler: how the learning rate decays after the warm-up: ``linear``, ``cosine`` or ``constant``.
        warmup: the fraction of the steps over which the learning rate warms up.
        weight_decay: weight decay, not applied to biases and LayerNorm weights.
        clip: the maximum gradient norm; larger gradients are clipped to it.
        label_smoothing: the part of each target that is spread evenly over all classes.
        class_weights: ``equal``, ``balanced`` to compensate for rare classes, or a dict of weights by label.
        dropout: the dropout probability of hidden states, of attention and before the classification head; by default
            those of the model's configuration.
        metric_for_best_model: the validation metric that chooses the epoch to keep: ``loss`` (the lowest), ``accuracy``
            or ``macro_f1``; ``f1`` for several labels; ``mae``, ``r2`` or ``pearson`` for a regression.
        patience: epochs without a better validation metric before training stops.
        ema_decay: the decay of a moving average of the weights, which is evaluated and kept instead of the last ones.
        precision: what matrix products multiply: ``f32``, or ``bf16`` on CPUs that multiply it, which is faster. Weights
            and sums are 32-bit floating point in both.
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
        With ``checkpoint``, the first one raises it as well, with the checkpoint that ``resume`` goes on from.

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
    pair = None if text_pair_column is None else column_name(frame, text_pair_column, "text_pair_column")
    label = column_name(frame, label_column, "label_column")
    if model is not None and config is not None:
        raise ParamError("model and config cannot be used together")
    teachers = [] if teacher is None else list(teacher) if isinstance(teacher, (list, tuple)) else [teacher]
    arguments = {
        "model": os.fspath(model or "ag_news"),
        "config": None if config is None else os.fspath(config),
        "text_columns": columns,
        "text_pair_column": pair,
        "label_column": label,
        "problem_type": problem_type,
        "label_separator": label_separator,
        "add_labels": add_labels,
        "freeze_encoder": freeze_encoder,
        "teacher_temperature": teacher_temperature,
        "teacher_weight": teacher_weight,
        "mlm_probability": None,
        "learning_rate": learning_rate,
        "lr_scheduler": lr_scheduler,
        "warmup": warmup,
        "weight_decay": weight_decay,
        "clip": clip,
        "label_smoothing": label_smoothing,
        "class_weights": class_weights if isinstance(class_weights, str) else _weights(class_weights),
        "dropout": dropout,
        "metric_for_best_model": metric_for_best_model,
        "ema_decay": ema_decay,
        "precision": precision,
    }
    counts = {
        "epochs": epochs,
        "batch_size": batch_size,
        "gradient_accumulation_steps": gradient_accumulation_steps,
        "seed": seed,
        "threads": threads,
        "patience": patience,
        "max_sentence_length": max_sentence_length,
        "vocabulary_size": vocabulary_size,
    }
    run = Run(
        tables=(frame, validation, test),
        columns=[*columns, *([] if pair is None else [pair])],
        label=label,
        output=output,
        validation_split=validation_split,
        checkpoints=Checkpoints(checkpoint, save_steps, save_total_limit, resume),
        teachers=teachers,
        on_progress=on_progress,
    )
    return run.start(arguments, counts)


def evaluate(
    frame: Any,
    model: Name = None,
    ema_decay: Optional[float] = None,
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
    found = _albertine.evaluate(classifier, table_name(frame), stream, columns, label, names, folder)
    return Evaluation(json.loads(found))


def _weights(weights: Mapping[str, float]) -> str:
    """Class weights as the native half reads them."""
    return ",".join(f"{label}={float(weight)!r}" for label, weight in weights.items())
