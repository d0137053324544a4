"""Pre-training on plain texts."""

from __future__ import annotations

import os
from typing import Any, Callable, Optional, Sequence, Union

from albertine._frames import ColumnName, column_names
from albertine._training import Checkpoints, Event, Name, Run, TrainResult
from albertine.errors import ParamError

__all__ = ["pretrain"]


def pretrain(
    frame: Any,
    *,
    output: Union[str, "os.PathLike[str]"],
    text_column: Union[ColumnName, Sequence[ColumnName]] = "text",
    validation: Any = None,
    validation_split: float = 0.0,
    model: Name = None,
    config: Name = None,
    vocabulary_size: Optional[int] = None,
    max_sentence_length: Optional[int] = None,
    mlm_probability: float = 0.15,
    epochs: int = 3,
    batch_size: int = 32,
    gradient_accumulation_steps: int = 1,
    learning_rate: float = 2e-5,
    lr_scheduler: str = "linear",
    warmup: float = 0.1,
    weight_decay: float = 0.01,
    clip: float = 1.0,
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
    """Pre-trains a masked language model on plain texts, as ``albertine train --pretrain`` does. :func:`albertine.train`
    takes the result as its ``model``.

    Args:
        frame: the texts, in any kind of table that :func:`albertine.train` takes. A text that is longer than the limit
            goes on in the next part.
        output: the folder for the model; must be new or empty. It appears when the model is complete.
        config: a ``config.json``, or a folder with one: a new model of this shape. Without it, ``model`` goes on.
        vocabulary_size: the pieces of a unigram vocabulary that is trained on the texts, for ``config``.
        mlm_probability: the probability that a piece is hidden.
        metric_for_best_model: ``loss`` or ``accuracy``, of hidden pieces.

    All other arguments, and what is raised, are those of :func:`albertine.train`.

    Returns:
        A :class:`albertine.TrainResult` without labels.

    >>> import albertine, json, tempfile
    >>> from pathlib import Path
    >>> import pyarrow as pa
    >>> table = pa.table({"text": ["Oil prices rose.", "The home side won."] * 20})
    >>> shape = {"model_type": "albert", "embedding_size": 8, "hidden_size": 16, "num_attention_heads": 2,
    ...          "num_hidden_layers": 1, "intermediate_size": 32, "max_position_embeddings": 32}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "config.json").write_text(json.dumps(shape))
    ...     result = pretrain(table, output=f"{folder}/model", config=f"{folder}/config.json", vocabulary_size=28,
    ...                       epochs=1)
    ...     (result.steps, (result.path / "tokenizer.json").exists())
    (2, True)
    """
    columns = column_names(frame, text_column, "text_column")
    if model is not None and config is not None:
        raise ParamError("model and config cannot be used together")
    arguments = {
        "model": os.fspath(model or "ag_news"),
        "config": None if config is None else os.fspath(config),
        "text_columns": columns,
        "text_pair_column": None,
        "label_column": "",
        "problem_type": "single_label_classification",
        "label_separator": ",",
        "add_labels": False,
        "freeze_encoder": False,
        "teacher_temperature": 1.0,
        "teacher_weight": 0.0,
        "mlm_probability": mlm_probability,
        "learning_rate": learning_rate,
        "lr_scheduler": lr_scheduler,
        "warmup": warmup,
        "weight_decay": weight_decay,
        "clip": clip,
        "label_smoothing": 0.0,
        "class_weights": "equal",
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
        tables=(frame, validation, None),
        columns=columns,
        label=None,
        output=output,
        validation_split=validation_split,
        checkpoints=Checkpoints(checkpoint, save_steps, save_total_limit, resume),
        teachers=[],
        on_progress=on_progress,
    )
    return run.start(arguments, counts)
