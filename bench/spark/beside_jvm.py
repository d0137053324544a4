"""The jar beside the Python package: the same Spark, the same model, the same rows, in turns.

usage: beside_jvm.py TABLE --jar JAR [--text-column text] [--model ag_news] [--rows 20000] [--turns 5] [--cores 2] [--task-cpus 1] [--memory 2g]

In each turn each way has a process of its own, which starts a session with so many cores, caches the rows, classifies a first one, warms up,
and times a pass over all rows into a sink that keeps nothing. The jar's stages are called from Python through Spark's gateway, which the rows
never pass. Prints a JSON line for each process, then a table in Markdown: rows a second, seconds from the start of the process to the class of
a first row, memory of the JVM and of the workers beside it.
"""

from __future__ import annotations

import time

STARTED = time.time()

import argparse  # noqa: E402
import json  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402


def of_python(_: Any, arguments: argparse.Namespace) -> Any:
    """A function from a table to its classes, by the package."""
    from common import pipeline

    return pipeline(arguments.model).transform


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
    sequence = java.albertine.annotator.AlbertForSequenceClassification.pretrained(arguments.model)
    sequence = sequence.setInputCols(names("document", "token")).setOutputCol("class")

    def transform(table: Any) -> Any:
        result = table._jdf
        for stage in (document, token, sequence):
            result = stage.transform(result)
        return DataFrame(result, spark)

    return transform


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """What one process of a way finds."""
    from common import Watch, jvm, memory, python_workers, session, texts

    settings = {"spark.driver.memory": arguments.memory, "spark.jars": str(arguments.jar), "spark.task.cpus": str(arguments.task_cpus)}
    spark = session(f"local[{arguments.cores}]", **settings)
    transform = (of_jvm if arguments.way == "jar" else of_python)(spark, arguments)
    table = texts(arguments.table, arguments.text_column, arguments.rows)["text"].to_pylist()
    transform(spark.createDataFrame([[table[0]]], ["text"])).select("class.result").collect()
    first = time.time() - STARTED
    frame = spark.createDataFrame([[text] for text in table], ["text"]).repartition(2 * arguments.cores).cache()
    frame.count()

    def classify() -> float:
        started = time.perf_counter()
        transform(frame).select("class").write.format("noop").mode("overwrite").save()
        return time.perf_counter() - started

    classify()
    watch = Watch({"driver": jvm(spark)})
    watch.start()
    seconds = classify()
    found = watch.stop()
    workers = [memory(pid)["most"] for pid in python_workers(jvm(spark))]
    spark.stop()
    return {
        "rows_per_second": len(table) / seconds,
        "first_seconds": first,
        "jvm_mb": found["jvm_mb"],
        "workers_mb": [round(most) for most in workers],
        "all_mb": found["jvm_mb"] + sum(workers),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, metavar="TABLE")
    parser.add_argument("--jar", type=Path, required=True, metavar="JAR")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--model", default="ag_news")
    parser.add_argument("--rows", type=int, default=20000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--task-cpus", type=int, default=1)
    parser.add_argument("--memory", default="2g", help="of the JVM, on both sides")
    parser.add_argument("--way", choices=("jar", "Python"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(measure(arguments)))
        return
    reports: dict[str, list[dict[str, Any]]] = {"jar": [], "Python": []}
    for _ in range(arguments.turns):
        for way, found in reports.items():
            done = subprocess.run([sys.executable, *sys.argv, "--way", way], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise SystemExit(done.stderr[-3000:])
            found.append(json.loads(done.stdout.strip().splitlines()[-1]))
            print(json.dumps({"way": way, **found[-1]}), flush=True)
    print("\n| way | rows/s | first class, s | JVM, MB | JVM and workers, MB |\n| --- | --- | --- | --- | --- |")
    for way, found in reports.items():
        keys = ("rows_per_second", "first_seconds", "jvm_mb", "all_mb")
        rate, first, own, everything = (statistics.median(each[key] for each in found) for key in keys)
        print(f"| {way} | {rate:,.0f} | {first:.1f} | {own:,.0f} | {everything:,.0f} |")
    pairs = zip(reports["jar"], reports["Python"])
    ratios = sorted(jar["rows_per_second"] / python["rows_per_second"] for jar, python in pairs)
    print(f"\nThe jar does {statistics.median(ratios):.2f} times the rows ({ratios[0]:.2f} to {ratios[-1]:.2f}).")


if __name__ == "__main__":
    main()
