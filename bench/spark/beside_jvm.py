"""The jar beside the Python package, and beside Spark NLP: the same Spark, the same model, the same rows, in turns.

usage: beside_jvm.py TABLE --jar JAR [--model NAME|SAVED_DIR]... [--oracle PYTHON] [--text-column text] [--rows 20000] [--turns 5] [--passes 1]
                     [--cores 2] [--task-cpus 1] [--memory 2g] [--onnx-threads N]

In each turn each way has a process of its own for each model, which starts a session with so many cores, classifies a first row, caches the rows,
warms up with a pass over all of them, and times further ones into a sink that keeps nothing. The jar's stages are called from Python through Spark's
gateway, which the rows never pass.

With PYTHON, that of the environment of `tools/oracle/setup.sh`, Spark NLP is one of the ways; the models are then what `tools/oracle/bench.py prepare`
had it save with the TensorFlow or the ONNX engine, and TABLE is a CSV file. All ways read it token by token, as Spark NLP does, and so compute the same scores.

Prints a JSON line for each process, then a table in Markdown: rows a second, by the clock and by the time that the JVM and the workers had on processors
(of which others on the machine take away less), seconds from the start of the process to the class of a first row, memory of the JVM and of the workers
beside it.
"""

from __future__ import annotations

import time

STARTED = time.time()

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402


ORACLE = Path(__file__).parents[2] / "tools" / "oracle" / "bench.py"


def of_python(_: Any, arguments: argparse.Namespace) -> Any:
    """A function from a table to its classes, by the package."""
    from common import pipeline

    return pipeline(arguments.model[0]).transform


def of_jvm(spark: Any, arguments: argparse.Namespace) -> Any:
    """The same, by the jar."""
    from pyspark.sql import DataFrame

    java = spark._jvm

    def names(*columns: str) -> Any:
        array = spark.sparkContext._gateway.new_array(java.java.lang.String, len(columns))
        for index, column in enumerate(columns):
            array[index] = column
        return array

    document = java.albertine.base.DocumentAssembler().setInputCol("text").setOutputCol("document")
    token = java.albertine.annotator.TokenizerModel().setInputCols(names("document")).setOutputCol("token")
    sequence = java.albertine.annotator.AlbertForSequenceClassification.pretrained(arguments.model[0])
    # as long as the command reads them; a stage of Spark NLP stops at 128 pieces
    sequence = sequence.setInputCols(names("document", "token")).setOutputCol("class").setMaxSentenceLength(512)

    def transform(table: Any) -> Any:
        result = table._jdf
        for stage in (document, token, sequence):
            result = stage.transform(result)
        return DataFrame(result, spark)

    return transform


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """What one process of a way finds."""
    from common import Watch, jvm, memory, processor_seconds, python_workers, session, texts
    from pyarrow import parquet

    settings = {"spark.driver.memory": arguments.memory, "spark.jars": str(arguments.jar), "spark.task.cpus": str(arguments.task_cpus)}
    spark = session(f"local[{arguments.cores}]", **settings)
    transform = (of_jvm if arguments.way == "jar" else of_python)(spark, arguments)
    table = texts(arguments.table, arguments.text_column, arguments.rows).select(["text"])
    with tempfile.TemporaryDirectory() as folder:
        # tables of Python's would come through workers of Python's
        for name, some in (("one", table.slice(0, 1)), ("all", table)):
            parquet.write_table(some, f"{folder}/{name}.parquet")
        transform(spark.read.parquet(f"{folder}/one.parquet")).select("class.result").collect()
        first = time.time() - STARTED
        frame = spark.read.parquet(f"{folder}/all.parquet").repartition(arguments.cores).cache()
        frame.count()

    def busy() -> float:
        return sum(processor_seconds(pid) for pid in [jvm(spark), *python_workers(jvm(spark))])

    def classify() -> tuple[float, float]:
        started, before = time.perf_counter(), busy()
        transform(frame).select("class").write.format("noop").mode("overwrite").save()
        return time.perf_counter() - started, busy() - before

    classify()
    watch = Watch({"driver": jvm(spark)})
    watch.start()
    seconds, processors = (statistics.median(each) for each in zip(*(classify() for _ in range(arguments.passes))))
    found = watch.stop()
    workers = [memory(pid)["most"] for pid in python_workers(jvm(spark))]
    spark.stop()
    return {
        "rows_per_second": len(table) / seconds,
        "rows_per_processor_second": len(table) / processors,
        "first_seconds": first,
        "jvm_mb": found["jvm_mb"],
        "workers_mb": [round(most) for most in workers],
        "all_mb": found["jvm_mb"] + sum(workers),
    }


def of_spark_nlp(arguments: argparse.Namespace, model: str) -> dict[str, Any]:
    """What a process of Spark NLP finds."""
    words = [str(arguments.oracle), str(ORACLE), "run", model, "--texts", str(arguments.table), "--docs", str(arguments.rows)]
    words += ["--passes", str(arguments.passes), "--memory", arguments.memory]
    if arguments.onnx_threads:
        words += ["--onnx-threads", str(arguments.onnx_threads)]
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYSPARK_PYTHON", "SPARK_HOME")}
    found = last_line(words, environment)
    memory = found["peak_rss_mb"]
    rates = {"rows_per_second": found["docs_per_second"], "rows_per_processor_second": found["docs"] / found["processor_seconds"]}
    return {**rates, "first_seconds": found["first_seconds"], "jvm_mb": memory, "all_mb": memory}


def last_line(words: list[str], environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, metavar="TABLE")
    parser.add_argument("--jar", type=Path, required=True, metavar="JAR")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--model", action="append", metavar="NAME|SAVED_DIR")
    parser.add_argument("--oracle", type=Path, metavar="PYTHON")
    parser.add_argument("--rows", type=int, default=20000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--passes", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--task-cpus", type=int, default=1)
    parser.add_argument("--memory", default="2g", help="of the JVM, on all sides")
    parser.add_argument("--onnx-threads", type=int)
    parser.add_argument("--way", choices=("jar", "Python"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(measure(arguments)))
        return
    ways = ["jar", "Python"] + (["Spark NLP"] if arguments.oracle else [])
    models = [str(Path(model).resolve()) if Path(model).exists() else model for model in arguments.model or ["ag_news"]]
    reports: dict[tuple[str, str], list[dict[str, Any]]] = {(model, way): [] for model in models for way in ways}
    for _ in range(arguments.turns):
        for (model, way), found in reports.items():
            if way == "Spark NLP":
                found.append(of_spark_nlp(arguments, model))
            else:
                found.append(last_line([sys.executable, *own(arguments), "--model", model, "--way", way], dict(os.environ)))
            print(json.dumps({"way": way, "model": Path(model).name, **found[-1]}), flush=True)
    print("\n| model | way | rows/s | rows/s of a processor | first class, s | JVM, MB | JVM and workers, MB | the jar's rows/s | of a processor |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for (model, way), found in reports.items():
        keys = ("rows_per_second", "rows_per_processor_second", "first_seconds", "jvm_mb", "all_mb")
        rate, busy, first, jvm, everything = (statistics.median(each[key] for each in found) for key in keys)
        ratios = [compared(reports[model, "jar"], found, key) if way != "jar" else "" for key in keys[:2]]
        print(f"| {Path(model).name} | {way} | {rate:,.1f} | {busy:,.1f} | {first:.1f} | {jvm:,.0f} | {everything:,.0f} | {' | '.join(ratios)} |")


def compared(jar: list[dict[str, Any]], other: list[dict[str, Any]], key: str) -> str:
    """How often the jar's figure is that of another way, turn by turn."""
    ratios = sorted(one[key] / two[key] for one, two in zip(jar, other))
    return f"{statistics.median(ratios):.2f} times ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def own(arguments: argparse.Namespace) -> list[str]:
    """The words of a process of ours, but for the model and the way."""
    words = [__file__, str(arguments.table), "--jar", str(arguments.jar), "--text-column", arguments.text_column, "--memory", arguments.memory]
    for name in ("rows", "passes", "cores", "task_cpus"):
        words += [f"--{name.replace('_', '-')}", str(getattr(arguments, name))]
    return words


if __name__ == "__main__":
    main()
