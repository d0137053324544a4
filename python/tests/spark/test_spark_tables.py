"""What becomes of a table on Spark: its columns, its rows, what stages add, and how."""

from __future__ import annotations

import datetime
import decimal
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="PySpark is not installed")

import pyarrow as pa
import pyspark
import pyspark.ml
from pyspark.ml.linalg import Vectors
from pyspark.sql import functions as F
from spark_cases import LABELS, TEXTS, frame, headlines, labels, stages

import albertine.base
from albertine import (
    Annotation,
    ColumnError,
    DocumentAssembler,
    Finisher,
    LightPipeline,
    Pipeline,
    PipelineModel,
    PretrainedPipeline,
    SentenceDetector,
)
from albertine.annotator import AlbertForSequenceClassification, Tokenizer

ANNOTATION = [
    " |    |-- element: struct (containsNull = true)",
    " |    |    |-- annotatorType: string (nullable = true)",
    " |    |    |-- begin: integer (nullable = false)",
    " |    |    |-- end: integer (nullable = false)",
    " |    |    |-- result: string (nullable = true)",
    " |    |    |-- metadata: map (nullable = true)",
    " |    |    |    |-- key: string",
    " |    |    |    |-- value: string (valueContainsNull = true)",
    " |    |    |-- embeddings: array (nullable = true)",
    " |    |    |    |-- element: float (containsNull = false)",
]


def fitted(*more: Any) -> PipelineModel:
    document, token, sequence = stages()
    return PipelineModel([document, token.fit(None), sequence, *more])


def plan(result: Any) -> str:
    """The plan that Spark would carry out."""
    return str(result._jdf.queryExecution().executedPlan().toString())


def passes(result: Any) -> int:
    """How often rows go to Python and back."""
    return sum("MapInArrow Chain" in line for line in plan(result).splitlines())


def test_light_and_pretrained_pipelines_take_tables(spark: Any, saved_models: Path) -> None:
    chosen = LightPipeline(fitted(), output_cols=["class"]).transform(frame(spark).withColumn("a.b", F.lit(1)))
    assert chosen.columns == ["place", "text", "a.b", "class"]
    assert labels(chosen) == LABELS
    pipeline = PretrainedPipeline.from_disk(str(next(saved_models.glob("*news_pipeline_en_5*.zip"))))
    texts = frame(spark).withColumnRenamed("text", "body")
    assert pipeline.annotate(texts, "body").columns == pipeline.transform(frame(spark)).columns
    assert pipeline.annotate(texts, "body").collect() == pipeline.transform(frame(spark)).collect()


def test_pipelines_inside_pipelines_are_fitted(spark: Any) -> None:
    document, token, sequence = stages()
    for library in (pyspark.ml, albertine.base):
        pipeline = Pipeline(stages=[document, library.Pipeline(stages=[token, sequence])])
        result = pipeline.fit(frame(spark)).transform(frame(spark))
        assert labels(result) == LABELS and passes(result) == 1


# columns


def test_the_schema_is_spark_nlps(spark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fitted().transform(frame(spark)).printSchema()
    lines = capsys.readouterr().out.splitlines()
    expected = ["root", " |-- place: integer (nullable = true)", " |-- text: string (nullable = true)"]
    for name in ("document", "token", "class"):
        expected += [f" |-- {name}: array (nullable = true)", *ANNOTATION]
    assert [line for line in lines if line] == expected


def test_columns_of_every_type_are_kept(spark: Any) -> None:
    table = spark.sql("""
        SELECT id, IF(id = 1, NULL, 'Oil prices rose.') AS text, CAST(1.23 AS DECIMAL(38, 10)) AS decimal,
          TIMESTAMP '2024-02-29 12:34:56.789012' AS moment, TIMESTAMP_NTZ '2024-02-29 12:34:56.789012' AS wall, DATE '1066-10-14' AS day,
          INTERVAL '1 02:03:04.000005' DAY TO SECOND AS span, ARRAY(1, NULL, 3) AS numbers, ARRAY(ARRAY('a'), NULL) AS nested,
          MAP('k', 1.5D, 'n', NULL) AS pairs, NAMED_STRUCT('x', 1, 'y', NAMED_STRUCT('z', X'00FF')) AS record, X'DEADBEEF' AS bytes,
          1Y AS tiny, 2S AS small, 3L AS large, CAST(1.5 AS FLOAT) AS single, DOUBLE('NaN') AS double, id = 2 AS flag,
          CAST(NULL AS STRING) AS nothing, NULL AS void, CAST(NULL AS DECIMAL(5, 2)) AS no_decimal,
          ARRAY(NAMED_STRUCT('when', TIMESTAMP '2024-01-01 00:00:00', 'how', DATE '2024-01-01')) AS moments
        FROM RANGE(4)""")
    result = fitted().transform(table)
    assert result.schema.fields[: len(table.columns)] == table.schema.fields
    kept = result.select(*table.columns).orderBy("id").collect()
    expected = table.orderBy("id").collect()
    for row, other in zip(kept, expected):
        assert repr(row) == repr(other)
    assert kept[0].decimal == decimal.Decimal("1.23")
    assert kept[0].moment == datetime.datetime(2024, 2, 29, 12, 34, 56, 789012)
    assert [len(row["class"]) for row in result.orderBy("id").collect()] == [1, 0, 1, 1]


def test_user_defined_types_are_kept(spark: Any) -> None:
    table = spark.createDataFrame(
        [("Oil prices rose.", Vectors.dense([1.0, 2.0])), (None, Vectors.sparse(3, [1], [5.0]))], ["text", "features"]
    )
    result = fitted().transform(table)
    assert result.schema["features"] == table.schema["features"]
    assert sorted(map(str, (row.features for row in result.collect()))) == ["(3,[1],[5.0])", "[1.0,2.0]"]


@pytest.mark.skipif(pyspark.__version__.startswith("3."), reason="Spark has variants from 4.0 on")
def test_variants_are_kept(spark: Any) -> None:
    result = fitted().transform(
        spark.sql("""SELECT 'Oil prices rose.' AS text, PARSE_JSON('{"a": [1, null]}') AS variant""")
    )
    assert result.selectExpr("variant:a[0]::int AS one").collect() == [(1,)]


def test_a_type_that_cannot_go_to_python_is_named(spark: Any) -> None:
    with pytest.raises(
        ColumnError, match="column `y` of type interval year cannot go to Python: drop it, or cast it before"
    ):
        fitted().transform(spark.sql("SELECT 'a' AS text, INTERVAL '1' YEAR AS y"))


def test_partition_columns_are_kept(spark: Any, tmp_path: Path) -> None:
    frame(spark).withColumn("year", F.col("place") % 3 + 2020).write.partitionBy("year").parquet(str(tmp_path / "in"))
    table = spark.read.parquet(str(tmp_path / "in"))
    result = fitted().transform(table).select("place", "year", F.col("class.result").alias("label"))
    result.write.partitionBy("year").parquet(str(tmp_path / "out"))
    again = spark.read.parquet(str(tmp_path / "out"))
    assert sorted((row.place, row.year) for row in again.collect()) == [
        (place, place % 3 + 2020) for place in range(len(TEXTS))
    ]
    rows = again.orderBy("place").collect()
    assert [row.label[0] if row.label else None for row in rows] == LABELS


def test_names_of_columns_are_taken_as_they_are(spark: Any) -> None:
    table = spark.createDataFrame([("Oil prices rose.", 1, 2)], ["the.text of `it`", "a b", "Ä.b"])
    document = DocumentAssembler().setInputCol("the.text of `it`").setOutputCol("d.o c")
    token = Tokenizer().setInputCols("d.o c").setOutputCol("Token")
    sequence = AlbertForSequenceClassification.pretrained().setInputCols("d.o c", "Token").setOutputCol("the class")
    result = Pipeline(stages=[document, token, sequence]).fit(table).transform(table)
    assert result.columns == ["the.text of `it`", "a b", "Ä.b", "d.o c", "Token", "the class"]
    row = result.first()
    assert (row[0], row[1], row[2], row["the class"][0].result) == ("Oil prices rose.", 1, 2, "Business")
    assert passes(result) == 1


def test_case_does_not_matter_unless_spark_says_so(spark: Any, setting: Any) -> None:
    table = spark.createDataFrame([("Oil prices rose.", "seven")], ["Text", "ID"])
    document = DocumentAssembler().setInputCol("TEXT").setIdCol("id").setOutputCol("Document")
    token = Tokenizer().setInputCols("document").setOutputCol("token")
    sequence = AlbertForSequenceClassification.pretrained().setInputCols("DOCUMENT", "Token").setOutputCol("class")
    pipeline = Pipeline(stages=[document, token, sequence])
    result = pipeline.fit(table).transform(table)
    assert result.columns == ["Text", "ID", "Document", "token", "class"]
    assert result.selectExpr("document[0].metadata['id']", "CLASS.result").collect() == [("seven", ["Business"])]
    with pytest.raises(ColumnError, match="column `TEXT2` would differ from `Text2` in case alone"):
        DocumentAssembler().setInputCol("Text2").setOutputCol("TEXT2").transform(
            table.withColumnRenamed("Text", "Text2")
        )
    setting("spark.sql.caseSensitive", "true")
    with pytest.raises(ColumnError, match=r"no column `TEXT` \(did you mean `Text`\?\); the columns are `Text`, `ID`"):
        pipeline.fit(table)
    apart = spark.createDataFrame([("Oil prices rose.", 1)], ["text", "TEXT"])
    assert fitted().transform(apart).selectExpr("text", "TEXT", "class.result").collect() == [
        ("Oil prices rose.", 1, ["Business"])
    ]


def test_columns_of_the_same_name_are_refused(spark: Any) -> None:
    with pytest.raises(ColumnError, match="the table has several columns `text`: rename them, or drop all but one"):
        fitted().transform(spark.sql("SELECT 'a' AS text, 1 AS text"))
    apart = spark.sql("SELECT 'Oil prices rose.' AS text, 1 AS n, 2 AS N")
    assert [tuple(row)[:3] for row in fitted().transform(apart).collect()] == [("Oil prices rose.", 1, 2)]


@pytest.mark.parametrize("large", ["false", "true"])
def test_large_arrow_types_make_no_difference(spark: Any, setting: Any, large: str) -> None:
    setting("spark.sql.execution.arrow.useLargeVarTypes", large)
    finished = fitted(Finisher().setInputCols(["class"]).setIncludeMetadata(True)).transform(frame(spark))
    rows = finished.orderBy("place").collect()
    assert [row.finished_class[0] if row.finished_class else None for row in rows] == LABELS


# rows


def test_null_empty_and_blank_texts_have_no_class(spark: Any) -> None:
    result = fitted().transform(frame(spark))
    assert labels(result) == LABELS
    rows = result.orderBy("place").collect()
    document = rows[6]["document"]
    assert document == [("document", 0, -1, "", {"sentence": "0"}, [])]
    assert rows[4]["document"] == document
    assert rows[5]["document"] == [("document", 0, 2, "   ", {"sentence": "0"}, [])]
    assert [row["token"] for row in rows[4:]] == [[], [], []]


def test_empty_tables_and_partitions_stay_empty(spark: Any) -> None:
    empty = spark.createDataFrame([], "place int, text string")
    result = fitted().transform(empty)
    assert result.collect() == []
    assert result.columns == ["place", "text", "document", "token", "class"]
    thin = frame(spark).repartition(16)
    assert labels(fitted().transform(thin)) == LABELS


def test_rows_keep_their_order_within_partitions(spark: Any) -> None:
    texts = headlines(500)
    table = spark.createDataFrame(list(enumerate(texts)), "place int, text string").coalesce(1)
    rows = fitted().transform(table).select("place", "text").collect()
    assert [(row.place, row.text) for row in rows] == list(enumerate(texts))


def test_scores_are_the_same_in_batches_of_every_size_and_alone(spark: Any, setting: Any) -> None:
    texts = [text for text, _ in TEXTS] + headlines(300)
    table = spark.createDataFrame(list(enumerate(texts)), "place int, text string").repartition(3)
    expected = albertine.classify(pa.table({"text": texts}), all_scores=True, max_sentence_length=512)
    scores = [None if row is None or row["World"] is None else row for row in expected["scores"].to_pylist()]
    for size in ("7", "10000"):
        setting("spark.sql.execution.arrow.maxRecordsPerBatch", size)
        rows = fitted().transform(table).select("place", "class").collect()
        assert len(rows) == len(texts)
        for row in rows:
            if scores[row.place] is None:
                assert row["class"] == []
                continue
            metadata = dict(row["class"][0].metadata)
            assert metadata.pop("sentence") == "0"
            # texts of the JVM, which read back as the same 32 bits
            found = pa.array([float(text) for text in metadata.values()]).cast(pa.float32(), safe=False)
            assert dict(zip(metadata, found.to_pylist())) == scores[row.place]


def test_sentences_get_rows_of_their_own(spark: Any) -> None:
    texts = ["Oil prices rose. The striker scored twice in the final.", None, "", "NASA found water on Mars!"]
    table = spark.createDataFrame(
        [(place, text, [place] * 2) for place, text in enumerate(texts)], "place int, text string, other array<int>"
    )
    document = DocumentAssembler().setInputCol("text").setOutputCol("document")
    for explode, counts in ((False, {0: [2], 1: [0], 2: [0], 3: [1]}), (True, {0: [1, 1], 3: [1]})):
        sentence = SentenceDetector().setInputCols("document").setOutputCol("sentence").setExplodeSentences(explode)
        token = Tokenizer().setInputCols("sentence").setOutputCol("token")
        sequence = AlbertForSequenceClassification.pretrained().setInputCols("sentence", "token").setOutputCol("class")
        result = Pipeline(stages=[document, sentence, token, sequence]).fit(table).transform(table)
        rows = result.select("place", "other", "sentence", "class").collect()
        found: dict[int, list[int]] = {}
        for row in rows:
            assert row.other == [row.place] * 2
            found.setdefault(row.place, []).append(len(row["sentence"]))
            assert [annotation.metadata["sentence"] for annotation in row["class"]] == [
                a.metadata["sentence"] for a in row["sentence"]
            ]
        for place, lengths in counts.items():
            assert found[place] == lengths
        results = [annotation.result for row in sorted(rows, key=lambda row: row.place) for annotation in row["class"]]
        assert results == ["Business", "Sports", "Sci/Tech"]


# what users do with the columns


def test_annotation_columns_are_used_as_spark_nlps(spark: Any) -> None:
    result = fitted().transform(frame(spark))
    exploded = result.select("place", F.explode("class").alias("col")).select(
        "place", F.col("col.result"), F.col("col.metadata")["World"].cast("float").alias("world")
    )
    rows = exploded.orderBy("place").collect()
    assert [row.result for row in rows] == [label for label in LABELS if label]
    assert [row.world > 0.5 for row in rows] == [label == "World" for label in LABELS if label]
    assert result.select("class.result").filter(F.col("place") == 1).collect() == [(["Sports"],)]
    (row,) = result.filter("place = 1").select("class").collect()
    annotation = Annotation.fromRow(row["class"][0])
    assert (annotation.annotatorType, annotation.begin, annotation.end, annotation.result) == (
        "category",
        0,
        len(TEXTS[1][0]) - 1,
        "Sports",
    )
    assert set(annotation.metadata) == {"sentence", "World", "Sports", "Business", "Sci/Tech"}
    assert Annotation.arrayType() == result.schema["class"].dataType


def test_the_kind_of_a_column_is_known_to_spark_and_survives_it(spark: Any, tmp_path: Path) -> None:
    result = fitted().transform(frame(spark))
    kinds = {"document": "document", "token": "token", "class": "category"}

    def kinds_of(table: Any) -> dict[str, str]:
        return {field.name: field.metadata["annotatorType"] for field in table.schema.fields if field.metadata}

    assert kinds_of(result) == kinds
    assert kinds_of(result.select("class", "place").filter("place > 0")) == {"class": "category"}
    assert kinds_of(result.withColumnRenamed("class", "kind")) == {
        "document": "document",
        "token": "token",
        "kind": "category",
    }
    other = spark.createDataFrame([(1, "x")], "place int, x string")
    joined = result.join(other, "place")
    assert kinds_of(joined) == kinds
    result.write.parquet(str(tmp_path / "table"))
    again = spark.read.parquet(str(tmp_path / "table"))
    assert kinds_of(again) == kinds
    finisher = Finisher().setInputCols(["class"])
    assert finisher.transform(joined).select("finished_class").collect() == [(["Sports"],)]
    rows = finisher.transform(again).orderBy("place").collect()
    assert [row.finished_class[0] if row.finished_class else None for row in rows] == LABELS
    assert finisher.transform(again).columns == ["place", "text", "finished_class"]
    # the same stages a second time, on what came back from disk
    second = (
        AlbertForSequenceClassification.pretrained()
        .setInputCols("document", "token")
        .setOutputCol("again")
        .setMaxSentenceLength(512)
    )
    assert all(row["again"] == row["class"] for row in second.transform(again).collect())


def test_a_column_without_its_kind_is_refused(spark: Any) -> None:
    result = fitted().transform(frame(spark))
    bare = result.withColumn("class", F.expr("filter(class, x -> true)"))
    with pytest.raises(ColumnError, match="class"):
        Finisher().setInputCols(["class"]).transform(bare)


def test_the_finisher_in_every_form(spark: Any) -> None:
    table = spark.createDataFrame(
        [(0, "Oil prices rose. The striker scored twice in the final."), (1, None)], "place int, text string"
    )
    document = DocumentAssembler().setInputCol("text").setOutputCol("document")
    sentence = SentenceDetector().setInputCols("document").setOutputCol("sentence")
    token = Tokenizer().setInputCols("sentence").setOutputCol("token")
    sequence = AlbertForSequenceClassification.pretrained().setInputCols("sentence", "token").setOutputCol("class")
    model = Pipeline(stages=[document, sentence, token, sequence]).fit(table).transform(table)

    def finished(finisher: Finisher, *columns: str) -> list[Any]:
        return [tuple(row) for row in finisher.transform(model).orderBy("place").select(*columns).collect()]

    finisher = Finisher().setInputCols(["class"])
    assert finisher.transform(model).columns == ["place", "text", "finished_class"]
    assert finished(finisher, "finished_class") == [(["Business", "Sports"],), ([],)]
    named = Finisher().setInputCols(["sentence", "class"]).setOutputCols(["parts", "labels"]).setCleanAnnotations(False)
    assert named.transform(model).columns == [
        "place",
        "text",
        "document",
        "sentence",
        "token",
        "class",
        "parts",
        "labels",
    ]
    assert finished(named, "parts", "labels")[0] == (
        ["Oil prices rose.", "The striker scored twice in the final."],
        ["Business", "Sports"],
    )
    texts = Finisher().setInputCols(["class"]).setOutputAsArray(False)
    assert finished(texts, "finished_class") == [("Business@Sports",), ("",)]
    assert finished(texts.setAnnotationSplitSymbol(" | "), "finished_class")[0] == ("Business | Sports",)
    metadata = Finisher().setInputCols(["class"]).setIncludeMetadata(True)
    assert metadata.transform(model).columns == ["place", "text", "finished_class", "finished_class_metadata"]
    (pairs,), (none,) = finished(metadata, "finished_class_metadata")
    assert [tuple(pair)[0] for pair in pairs].count("World") == 2
    assert none == []
    text = finished(texts.setIncludeMetadata(True).setValueSplitSymbol("; "), "finished_class")[0][0]
    assert text.startswith("sentence->0; ") and "World->" in text and text.count("result->") == 2


# how it is done


def test_a_chain_is_one_pass(spark: Any) -> None:
    finisher = Finisher().setInputCols(["class"])
    one = pyspark.ml.Pipeline(stages=[*stages(), finisher]).fit(frame(spark)).transform(frame(spark))
    assert passes(one) == 1
    table = frame(spark)
    for stage in fitted(finisher).stages:
        table = stage.transform(table)
    assert passes(table) == 1
    assert table.columns == one.columns == ["place", "text", "finished_class"]
    # something of Spark's in between parts it
    document, token, sequence = fitted().stages
    apart = sequence.transform(token.transform(document.transform(frame(spark)).filter("place < 4")))
    assert passes(apart) == 2
    assert labels(apart) == LABELS[:4]


def test_what_was_cached_is_not_done_again(spark: Any) -> None:
    document, token, sequence = fitted().stages
    tokens = token.transform(document.transform(frame(spark))).cache()
    tokens.count()
    result = sequence.transform(tokens)
    assert "InMemoryTableScan" in plan(result)
    assert labels(result) == LABELS
    tokens.unpersist()
    assert labels(sequence.transform(tokens)) == LABELS


def test_a_limit_stops_early(spark: Any) -> None:
    texts = spark.range(100_000_000).selectExpr("id", "'Oil prices rose.' AS text").coalesce(1)
    assert len(fitted().transform(texts).limit(3).collect()) == 3


def test_nothing_happens_before_an_action(spark: Any) -> None:
    tracker = spark.sparkContext.statusTracker()
    broken = spark.range(3).selectExpr("raise_error('read') AS text")
    before = tracker.getJobIdsForGroup()
    result = fitted().transform(broken)
    assert result.columns == ["text", "document", "token", "class"]
    assert tracker.getJobIdsForGroup() == before


def test_the_same_stages_on_a_model_that_was_broadcast(spark: Any, setting: Any, model_directory: Path) -> None:
    setting("spark.albertine.models", "broadcast")
    stage = AlbertForSequenceClassification.load(model_directory)
    model = Pipeline(stages=stages(stage)).fit(frame(spark))
    assert labels(model.transform(frame(spark))) == LABELS
    assert labels(model.transform(frame(spark))) == LABELS
    setting("spark.albertine.models", "by pigeon")
    with pytest.raises(
        albertine.AlbertineError, match="spark.albertine.models is 'by pigeon', expected 'path' or 'broadcast'"
    ):
        model.transform(frame(spark))


def test_spark_sql_sees_the_columns(spark: Any) -> None:
    fitted().transform(frame(spark)).createOrReplaceTempView("classified")
    rows = spark.sql(
        "SELECT class[0].result AS label, count(*) AS n FROM classified WHERE size(class) > 0 GROUP BY 1 ORDER BY 1"
    ).collect()
    assert [tuple(row) for row in rows] == [("Business", 1), ("Sci/Tech", 1), ("Sports", 1), ("World", 1)]


SETTINGS = """
import json
from pyspark.errors import PythonException
from pyspark.sql import SparkSession
from spark_cases import LABELS, frame, labels, stages
from albertine import Pipeline

builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
builder = builder.config("spark.task.cpus", 2).config("spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled", "false")
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("OFF")

def cpus(_):
    from albertine import _spark
    return _spark._task_cpus()

print(spark.sparkContext.parallelize([0], 1).map(cpus).collect())
model = Pipeline(stages=stages()).fit(frame(spark))
assert labels(model.transform(frame(spark))) == LABELS
rows = model.transform(frame(spark)).orderBy("place").collect()
print(json.dumps([dict(row["class"][0].metadata) for row in rows[:4]], sort_keys=True))
try:
    model.transform(spark.sql("SELECT CAST(X'FF' AS STRING) AS text")).collect()
except PythonException as error:
    lines = str(error).strip().splitlines()
    print(len(lines) < 30, lines[-1])
spark.stop()
"""


def test_a_task_with_two_cores_works_with_two_threads(spark: Any, spark_environment: dict[str, str]) -> None:
    """And Python's whole traceback, which Spark shows if asked, is none of Java's."""
    environment = {**spark_environment, "PYTHONPATH": f"{spark_environment['PYTHONPATH']}:{Path(__file__).parent}"}
    out = subprocess.run([sys.executable, "-c", SETTINGS], env=environment, capture_output=True, text=True, check=False)
    cpus, scores, *error = out.stdout.splitlines() or [out.stderr[-3000:], ""]
    assert cpus == "[2]"
    rows = fitted().transform(frame(spark)).orderBy("place").collect()
    assert json.loads(scores) == [dict(row["class"][0].metadata) for row in rows[:4]]
    assert error == ["True albertine.errors.RowError: partition 0, row 0: column `text` holds bytes that are not UTF-8"]
