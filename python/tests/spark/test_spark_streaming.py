"""Structured Streaming: a folder of JSON files through a pipeline, as any stage of Spark's does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="PySpark is not installed")

import pyspark.ml
from spark_cases import LABELS, TEXTS, frame, stages


def drop(folder: Path, name: str, places: range) -> None:
    """Puts a file into the folder, whole."""
    lines = [
        json.dumps({"place": place, "text": TEXTS[place][0], "at": f"2024-01-01T00:00:{place:02}Z"}) for place in places
    ]
    (folder / f".{name}").write_text("\n".join(lines) + "\n")
    (folder / f".{name}").rename(folder / name)


def test_a_folder_of_json_is_classified_as_it_fills(spark: Any, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    drop(folder, "a.json", range(3))
    stream = spark.readStream.schema("place int, text string, at timestamp").json(str(folder))
    model = pyspark.ml.Pipeline(stages=stages()).fit(frame(spark))
    result = model.transform(stream).selectExpr("place", "at", "class.result AS label")
    assert result.isStreaming
    writer = result.writeStream.format("parquet").option("checkpointLocation", str(tmp_path / "checkpoint"))
    for count in (3, len(TEXTS)):
        query = writer.trigger(availableNow=True).start(str(tmp_path / "out"))
        assert query.awaitTermination(120)
        rows = spark.read.parquet(str(tmp_path / "out")).orderBy("place").collect()
        assert [row.place for row in rows] == list(range(count))
        assert [row.label[0] if row.label else None for row in rows] == LABELS[:count]
        if count == 3:
            drop(folder, "b.json", range(3, len(TEXTS)))


def test_classes_are_counted_in_a_stream(spark: Any, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    drop(folder, "a.json", range(4))
    drop(folder, "b.json", range(4, len(TEXTS)))
    stream = (
        spark.readStream.schema("place int, text string, at timestamp")
        .option("maxFilesPerTrigger", 1)
        .json(str(folder))
    )
    model = pyspark.ml.Pipeline(stages=stages()).fit(frame(spark))
    counts = model.transform(stream).selectExpr("explode(class.result) AS label").groupBy("label").count()
    query = (
        counts.writeStream.format("memory")
        .outputMode("complete")
        .queryName("counts")
        .trigger(availableNow=True)
        .start()
    )
    assert query.awaitTermination(120)
    assert sorted(tuple(row) for row in spark.table("counts").collect()) == [
        ("Business", 1),
        ("Sci/Tech", 1),
        ("Sports", 1),
        ("World", 1),
    ]


def test_batches_of_a_stream_go_through_a_function(spark: Any, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    drop(folder, "a.json", range(len(TEXTS)))
    model = pyspark.ml.Pipeline(stages=stages()).fit(frame(spark))
    found: list[Any] = []

    def batch(table: Any, _: int) -> None:
        found.extend(model.transform(table).selectExpr("place", "class.result AS label").collect())

    stream = spark.readStream.schema("place int, text string, at timestamp").json(str(folder))
    query = stream.writeStream.foreachBatch(batch).trigger(availableNow=True).start()
    assert query.awaitTermination(120)
    assert [row.label[0] if row.label else None for row in sorted(found)] == LABELS
