"""Spark Connect: the same stages over a connection, with the built-in model and with one that is sent along."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator

import pytest

pyspark = pytest.importorskip("pyspark", reason="PySpark is not installed")

#: The server of Spark 3.5, which PySpark's wheel lacks; Spark fetches it.
SERVER = "org.apache.spark:spark-connect_2.12:3.5.7"

#: A session over a connection is one of its process.
SCRIPT = """
import sys
from pyspark.sql import SparkSession
from spark_cases import LABELS, frame, labels, stages

remote, model_directory, folder = sys.argv[1:]
spark = SparkSession.builder.remote(remote).getOrCreate()
assert not hasattr(spark, "_jsc")

import pyspark.ml
import albertine.base
from albertine import AlbertForSequenceClassification, AlbertineError, ColumnError, Finisher

for library in (albertine.base, pyspark.ml):
    model = library.Pipeline(stages=stages()).fit(frame(spark))
    assert labels(model.transform(frame(spark))) == LABELS, library

for _ in range(2):
    stage = AlbertForSequenceClassification.load(model_directory)
    model = albertine.base.Pipeline(stages=stages(stage)).fit(frame(spark))
    for _ in range(2):
        assert labels(model.transform(frame(spark))) == LABELS

result = model.transform(frame(spark))
assert Finisher().setInputCols(["class"]).transform(result).columns == ["place", "text", "finished_class"]
assert result.schema["class"].metadata == {"annotatorType": "category"}
odd = frame(spark).withColumnRenamed("text", "the.Text")
model.stages[0].setInputCol("The.text")
assert labels(model.transform(odd)) == LABELS
tokens = model.stages[1].transform(model.stages[0].transform(odd)).cache()
assert labels(model.stages[2].transform(tokens)) == LABELS

try:
    model.transform(spark.sql("SELECT 1L AS `the.text`"))
    raise SystemExit("a number was taken for a text")
except ColumnError as error:
    print(error)
try:
    model.transform(spark.sql("SELECT CAST(X'FF' AS STRING) AS `the.text`")).collect()
    raise SystemExit("bytes were taken for a text")
except Exception as error:
    print(str(error).strip().splitlines()[-1])

model.stages[2].save("file://" + folder + "/stage")
assert AlbertForSequenceClassification.load(folder + "/stage").getClasses() == stage.getClasses()
try:
    model.stages[2].save(folder + "/other")
    raise SystemExit("it was saved")
except AlbertineError as error:
    print(str(error).partition(": ")[2])
spark.stop()
"""


@contextlib.contextmanager
def server(environment: dict[str, str], folder: Path) -> Iterator[str]:
    """The address of a server: PySpark 4 starts its own, that of 3.5 is started here."""
    if not pyspark.__version__.startswith("3."):
        yield "local[1]"
        return
    home = Path(pyspark.__file__).parent
    settings = {"spark.connect.grpc.binding.port": "0", "spark.ui.enabled": "false"}
    command = [str(home / "bin" / "spark-submit"), "--master", "local[1]", "--packages", SERVER]
    command += [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
    log = folder / "server.log"
    with open(log, "wb") as output:
        environment = {**environment, "SPARK_HOME": str(home)}
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 180
        while not (started := re.search(r"Spark Connect server started at: .*:(\d+)", log.read_text(errors="replace"))):
            said = log.read_text(errors="replace")
            if process.poll() is not None and "unresolved dependency" in said:
                pytest.skip(f"there is no network to fetch {SERVER} from")
            assert process.poll() is None and time.monotonic() < deadline, said[-4000:]
            time.sleep(0.2)
        yield f"sc://localhost:{started[1]}"
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_pipelines_work_over_spark_connect(
    model_directory: Path, tmp_path: Path, spark_environment: dict[str, str]
) -> None:
    for name in ("grpc", "grpc_status", "google.rpc", *([] if pyspark.__version__.startswith("3.") else ["zstandard"])):
        pytest.importorskip(name, reason=f"Spark Connect needs {name}, which is not installed")
    here = str(Path(__file__).parent)
    environment = {**spark_environment, "PYTHONPATH": f"{spark_environment['PYTHONPATH']}:{here}"}
    with server(environment, tmp_path) as remote:
        command = [sys.executable, "-c", SCRIPT, remote, str(model_directory), str(tmp_path)]
        out = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert out.returncode == 0, out.stderr[-4000:]
    assert out.stdout.splitlines() == [
        "column `the.text` holds Int64, not text",
        "albertine.errors.RowError: partition 0, row 0: column `the.text` holds bytes that are not UTF-8",
        "put file:// in front of a path on this machine",
    ]
