"""Functions over annotation columns, on Spark."""

from __future__ import annotations

from typing import Any, Callable

import pytest

pytest.importorskip("pyspark", reason="PySpark is not installed")

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, IntegerType, StringType

from albertine.annotation import Annotation
from albertine.annotator import SentenceDetector, Tokenizer
from albertine.base import DocumentAssembler, Finisher, PipelineModel
from albertine.functions import (
    explode_annotations_col,
    filter_by_annotations_col,
    map_annotations,
    map_annotations_array,
    map_annotations_col,
    map_annotations_cols,
    map_annotations_strict,
)


@pytest.fixture(scope="module")
def annotated(spark: Any) -> DataFrame:
    document = DocumentAssembler().setInputCol("text").setOutputCol("document")
    sentence = SentenceDetector().setInputCols(["document"]).setOutputCol("sentence")
    token = Tokenizer().setInputCols(["sentence"]).setOutputCol("token").fit(None)
    table = spark.createDataFrame([(0, "Oil is up. Gas fell."), (1, None)], "id int, text string").coalesce(1)
    return PipelineModel([document, sentence, token]).transform(table).cache()


@pytest.fixture
def upper() -> Callable[[list[Annotation]], list[Annotation]]:
    # one that Spark sends as it is, since its workers do not know this module
    return lambda annotations: [annotation.copy(annotation.result.upper()) for annotation in annotations]


def test_a_column_is_mapped_to_annotations(annotated: DataFrame, upper: Any) -> None:
    mapped = map_annotations_col(annotated, upper, "sentence", "shout", "document")
    assert mapped.schema["shout"].metadata == {"annotatorType": "document"}
    assert mapped.schema["shout"].dataType == annotated.schema["sentence"].dataType
    made = map_annotations(upper, Annotation.arrayType())("sentence").alias("a")
    strict = map_annotations_strict(upper)("sentence").alias("b")
    rows = mapped.select("shout", made, strict).collect()
    assert [annotation.result for annotation in rows[0].shout] == ["OIL IS UP.", "GAS FELL."]
    assert rows[0].shout == rows[0].a == rows[0].b
    assert rows[0].shout[1].metadata == {"sentence": "1"} and (rows[0].shout[1].begin, rows[0].shout[1].end) == (11, 19)
    assert rows[1].shout == rows[1].a == rows[1].b == []
    # stages take it for an annotation column
    finished = Finisher().setInputCols(["shout"]).transform(mapped.select("shout"))
    assert finished.first().finished_shout == ["OIL IS UP.", "GAS FELL."]


def test_a_column_is_mapped_to_values(annotated: DataFrame) -> None:
    words = map_annotations(lambda found: [annotation.result for annotation in found], ArrayType(StringType()))
    count = map_annotations(len, IntegerType())
    rows = annotated.select(words("token").alias("words"), count("token").alias("count")).collect()
    assert rows[0].words == ["Oil", "is", "up", ".", "Gas", "fell", "."]
    assert [row["count"] for row in rows] == [7, 0]


def test_columns_are_mapped_together(annotated: DataFrame, upper: Any) -> None:
    from pyspark.sql.functions import array

    mapped = map_annotations_cols(annotated, upper, ["sentence", "token"], "all", "document")
    assert mapped.schema["all"].metadata == {"annotatorType": "document"}
    made = map_annotations_array(upper, Annotation.arrayType())(array("sentence", "token")).alias("made")
    row = mapped.select("all", made).first()
    assert [annotation.result for annotation in row["all"]][:3] == ["OIL IS UP.", "GAS FELL.", "OIL"]
    assert row["all"] == row.made


def test_rows_are_filtered_and_annotations_exploded(annotated: DataFrame) -> None:
    kept = filter_by_annotations_col(
        annotated, lambda found: any(annotation.result == "Gas" for annotation in found), "token"
    )
    assert [row.id for row in kept.select("id").collect()] == [0]
    exploded = explode_annotations_col(annotated, "sentence", "one").select("id", "one.result").collect()
    assert [tuple(row) for row in exploded] == [(0, "Oil is up."), (0, "Gas fell.")]


def test_annotations_become_rows_and_back() -> None:
    annotation = Annotation("token", 0, 2, "Oil", {"sentence": "0"}, [0.5])
    assert Annotation.fromRow(annotation.toRow()) == annotation
