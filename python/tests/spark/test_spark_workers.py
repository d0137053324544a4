"""What a Python worker of Spark keeps from task to task."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Iterator

import pytest

pytest.importorskip("pyspark", reason="PySpark is not installed")

import pyarrow as pa
from spark_cases import LABELS, TEXTS, stages

from albertine import PipelineModel, TruncationWarning, _spark
from albertine._stamp import stamp

BATCH = pa.record_batch({"place": list(range(len(TEXTS))), "text": [text for text, _ in TEXTS]})


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process as a worker that has done nothing yet."""
    monkeypatch.setattr(_spark, "_pipelines", {})
    monkeypatch.setattr(_spark, "_models", {})


def task(model: _spark._Model, limit: int = 64, batch: pa.RecordBatch = BATCH) -> list[Any]:
    """The labels that a task with these stages gives."""
    document, token, sequence = stages()
    chain = PipelineModel([document, token.fit(None), sequence.setMaxSentenceLength(limit)])
    specs = [(name, params, model if has else None) for name, params, has in (stage._spec() for stage in chain.stages)]
    batches: Iterator[pa.RecordBatch] = _spark.Chain(specs, {}, None)(iter([batch]))
    found = [row for batch in batches for row in batch.column("class").to_pylist()]
    return [row[0]["result"] if row else None for row in found]


def test_pipelines_that_were_not_used_for_long_are_forgotten() -> None:
    model = _spark._Model("f32", "ag_news")
    for limit in range(32, 48):
        assert task(model, limit) == LABELS
        assert task(model, 32) == LABELS
        assert len(_spark._pipelines) <= 4 and len(_spark._models) == 1
    limits = ["maxSentenceLength\\\": 32" in key for key in _spark._pipelines]
    assert limits[-1] and sum(limits) == 1


def test_a_model_that_was_replaced_is_forgotten(model_directory: Path, tmp_path: Path) -> None:
    place = tmp_path / "model"
    shutil.copytree(model_directory, place)
    other = _spark._Model("f32", "ag_news")
    assert task(other) == LABELS
    seen = set()
    for turn in range(3):
        os.utime(place / "config.json", ns=(turn, turn))
        model = _spark._Model("f32", str(place), stamp(str(place)))
        assert task(model) == task(model, 32) == LABELS
        assert set(_spark._models) == {other.key, model.key}
        seen.add(model.key)
    assert len(seen) == 3
    # models of which there is one for each precision stand beside each other
    assert task(_spark._Model("int8", str(place), stamp(str(place)))) == LABELS
    assert len(_spark._models) == 3


def test_texts_that_are_cut_are_told_of_where_the_task_is() -> None:
    batch = pa.record_batch({"text": ["Oil rose. " * 300, "Oil rose."]})
    with pytest.warns(TruncationWarning, match="^1 text was longer than 64 pieces and truncated"):
        task(_spark._Model("f32", "ag_news"), batch=batch)
