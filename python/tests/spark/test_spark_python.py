"""Which Python runs the tasks of a session that users start themselves, and what they read where it is the wrong
one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="PySpark is not installed")

#: A driver that starts a session of its own, with settings that are put in.
SCRIPT = """
from pyspark.sql import SparkSession
from pyspark.errors import PythonException
import albertine
from albertine import functions
from albertine.annotation import Annotation
from albertine.annotator import AlbertForSequenceClassification, Tokenizer
from albertine.base import DocumentAssembler, Pipeline

builder = SparkSession.builder.master("MASTER").config("spark.ui.enabled", "false").config("spark.executor.memory", "512m")
for name, value in SETTINGS.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("OFF")
usual = spark.sparkContext.pythonExec
frame = spark.createDataFrame([("Oil prices rose.",)], "text string")
stages = [
    DocumentAssembler().setInputCol("text").setOutputCol("document"),
    Tokenizer().setInputCols(["document"]).setOutputCol("token"),
    AlbertForSequenceClassification.pretrained().setInputCols(["document", "token"]).setOutputCol("class"),
]
model = Pipeline(stages=stages).fit(frame)

def upper(annotations):
    return [Annotation("token", a.begin, a.end, a.result.upper(), a.metadata, a.embeddings) for a in annotations]

def told(work):
    try:
        return work()
    except PythonException as error:
        return str(error).strip().splitlines()[-1]

result = model.transform(frame)
print(told(lambda: result.select("class.result").collect()[0].result))
print(told(lambda: functions.map_annotations_col(result, upper, "token", "upper", "token").select("upper.result").collect()[0].result))
print(told(lambda: functions.filter_by_annotations_col(result, lambda found: len(found) == 4, "token").count()))
print(told(lambda: albertine.load("ag_news").predict(frame)["classified_sequence"].tolist()))
print(spark.sparkContext.pythonExec == usual)
spark.stop()
"""

WORKS = ["['Business']", "['OIL', 'PRICES', 'ROSE', '.']", "1", "['Business']", "True"]


@pytest.fixture
def path_without(tmp_path: Path, spark_environment: dict[str, str]) -> Path:
    """A folder of the path whose ``python3`` has neither this package nor any other, but is as new as this one."""
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    package = spark_environment["PYTHONPATH"]
    python.write_text(f"""#!/bin/sh
PYTHONPATH=$(printf %s "$PYTHONPATH" | tr : '\\n' | grep -vxF '{package}' | paste -sd: -) exec '{sys.executable}' -S "$@"
""")
    python.chmod(0o755)
    return python


def lines(
    spark_environment: dict[str, str], bare: Path, master: str = "local[1]", settings: Any = (), **variables: str
) -> list[str]:
    """What the driver prints; its environment is not activated."""
    environment = {name: value for name, value in spark_environment.items() if not name.startswith("PYSPARK")}
    environment["PATH"] = f"{bare.parent}:{environment['PATH']}"
    script = SCRIPT.replace("MASTER", master).replace("SETTINGS", repr(dict(settings)))
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_on_one_machine_it_is_that_of_the_driver(path_without: Path, spark_environment: dict[str, str]) -> None:
    assert lines(spark_environment, path_without) == WORKS


def test_it_is_the_one_that_is_named(path_without: Path, spark_environment: dict[str, str]) -> None:
    named = {"spark.pyspark.python": sys.executable}
    # the setting counts on a cluster too, which may be on other machines
    assert lines(spark_environment, path_without, "local-cluster[1,1,512]", named) == WORKS
    for found in (
        lines(spark_environment, path_without, settings={"spark.pyspark.python": str(path_without)}),
        lines(spark_environment, path_without, PYSPARK_PYTHON=str(path_without)),
    ):
        assert found[-1] == "True"
        for line in found[:-1]:
            assert line.startswith(
                f"ModuleNotFoundError: albertine is not installed for the Python of Spark's tasks, {sys.executable} on "
            )
            assert line.endswith(
                ": set PYSPARK_PYTHON or spark.pyspark.python to one that has it before the session starts; albertine.start() does so for "
                "a session on one machine"
            )


@pytest.mark.parametrize(
    ("master", "executable", "expected"),
    [
        ("local", "/venv/bin/python", "/venv/bin/python"),
        ("local[*]", "/venv/bin/python3.11", "/venv/bin/python3.11"),
        ("local[2,4]", "/opt/pypy/bin/pypy3", "/opt/pypy/bin/pypy3"),
        ("local-cluster[2,1,1024]", "/venv/bin/python", "/venv/bin/python"),
        # another machine has other paths
        ("spark://host:7077", "/venv/bin/python", None),
        ("yarn", "/venv/bin/python", None),
        ("k8s://https://host", "/venv/bin/python", None),
        # programs with a Python inside
        ("local[*]", "/usr/bin/uwsgi", None),
        ("local[*]", "", None),
    ],
)
def test_another_machine_has_another_python(
    monkeypatch: pytest.MonkeyPatch, master: str, executable: str, expected: Any
) -> None:
    from types import SimpleNamespace

    from albertine import _workers

    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)
    monkeypatch.setattr(sys, "executable", executable)
    context = SimpleNamespace(master=master, pythonExec="python3")
    session = SimpleNamespace(_jsc=None, sparkContext=context, conf={})
    with _workers.python_of_tasks(session):
        assert context.pythonExec == (expected or "python3")
    assert context.pythonExec == "python3"
    monkeypatch.setenv("PYSPARK_PYTHON", "/named/python")
    with _workers.python_of_tasks(session):
        assert context.pythonExec == "python3", "PySpark has seen it"
