"""What goes wrong on Spark, and what the user reads then: the reason first and short, and on the driver where it can
be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="PySpark is not installed")

from spark_cases import frame, stages

import albertine
from albertine import AlbertForSequenceClassification, ColumnError, ParamError, Pipeline, PipelineModel, _spark


def fitted() -> PipelineModel:
    document, token, sequence = stages()
    return PipelineModel([document, token.fit(None), sequence])


def told(action: Any) -> str:
    """What Spark's exception says of a Python worker, without its own first line."""
    from pyspark.errors import PythonException

    with pytest.raises(PythonException) as raised:
        action()
    first, *rest = str(raised.value).strip().splitlines()
    assert first == "An exception was thrown from the Python worker. Please see the stack trace below."
    # no wall: four lines of Python, the last of which has the reason
    assert len(rest) <= 4, rest
    return str(rest[-1])


def test_a_column_of_another_type_is_refused_on_the_driver(spark: Any) -> None:
    jobs = spark.sparkContext.statusTracker().getJobIdsForGroup()
    with pytest.raises(ColumnError, match="^column `text` holds Int64, not text$"):
        fitted().transform(spark.sql("SELECT 1L AS text"))
    with pytest.raises(ColumnError, match="^column `text` holds Int64, not text$"):
        Pipeline(stages=stages()).fit(spark.sql("SELECT 1L AS text"))
    with pytest.raises(ColumnError, match="^there is no column `text`; the columns are `a`, `b`$"):
        fitted().transform(spark.sql("SELECT 'x' AS a, 'y' AS b"))
    with pytest.raises(ColumnError, match="token"):
        stages()[2].transform(frame(spark))
    assert spark.sparkContext.statusTracker().getJobIdsForGroup() == jobs


def test_a_parameter_is_refused_on_the_driver(spark: Any) -> None:
    model = fitted()
    model.stages[2].setMaxSentenceLength(1)
    with pytest.raises(ParamError, match="must lie between 2 and 512 for this model, but 1 was asked for"):
        model.transform(frame(spark))


def test_a_row_that_is_no_text_is_named_by_partition_row_and_column(spark: Any, tmp_path: Path) -> None:
    table = spark.range(0, 100, 1, 4).selectExpr("id", "IF(id = 42, CAST(X'FF' AS STRING), 'Oil prices rose.') AS text")
    reason = "albertine.errors.RowError: partition 1, row 17: column `text` holds bytes that are not UTF-8"
    assert told(fitted().transform(table).collect) == reason
    assert told(lambda: fitted().transform(table).write.parquet(str(tmp_path / "out"))) == reason
    assert told(lambda: fitted().transform(table).selectExpr("sum(size(class))").show()) == reason


def test_a_model_that_the_executors_lack_is_named(spark: Any, tmp_path: Path, model_directory: Path) -> None:
    shutil.copytree(model_directory, tmp_path / "model")
    stage = AlbertForSequenceClassification.load(tmp_path / "model")
    result = Pipeline(stages=stages(stage)).fit(frame(spark)).transform(frame(spark).coalesce(1))
    shutil.rmtree(tmp_path / "model")
    assert told(result.collect) == (
        f"albertine.errors.ModelNotFound: partition 0, {tmp_path / 'model'} is not a model directory: nothing is there; "
        "with spark.albertine.models as 'path' every machine needs the model there"
    )


def test_another_version_on_the_executors_is_named(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _spark.Chain.__init__

    def make(self: _spark.Chain, *arguments: Any) -> None:
        made(self, *arguments)
        self._version = "0.0.1"

    monkeypatch.setattr(_spark.Chain, "__init__", make)
    result = fitted().transform(frame(spark).coalesce(1))
    reason = f"albertine is {albertine.__version__} on an executor and 0.0.1 on the driver"
    assert told(result.collect) == f"albertine.errors.AlbertineError: partition 0, {reason}"


def test_executors_without_the_package_say_so(tmp_path: Path, spark_environment: dict[str, str]) -> None:
    """A worker finds a package in front of the real one that is as missing as can be."""
    (tmp_path / "albertine").mkdir()
    (tmp_path / "albertine" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'albertine'\", name='albertine')\n"
    )
    script = f"""
import os, sys
sys.path.insert(0, {spark_environment["PYTHONPATH"]!r})
os.environ["PYTHONPATH"] = {str(tmp_path)!r}
from pyspark.errors import PythonException
from pyspark.sql import SparkSession
from albertine.base import DocumentAssembler
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
try:
    DocumentAssembler().setInputCol("text").setOutputCol("document").transform(spark.sql("SELECT 'a' AS text")).collect()
except PythonException as error:
    print(str(error).strip().splitlines()[-1])
spark.stop()
"""
    environment = {name: value for name, value in spark_environment.items() if name != "PYTHONPATH"}
    out = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert out.stdout.startswith(
        "ModuleNotFoundError: albertine is not installed for the Python of Spark's tasks, "
    ), out.stderr[-3000:]


def test_a_table_of_spark_needs_a_pipeline(spark: Any) -> None:
    with pytest.raises(TypeError, match="a Spark DataFrame needs a pipeline"):
        albertine.classify(frame(spark))
