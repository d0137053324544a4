"""Whether memory stays flat while a long table goes through Spark.

A million rows (of 2,000 different texts, so that it takes a minute and not an hour) go through a pipeline into nowhere; the resident
memory of the Python workers is sampled from /proc. Prints one line of JSON; fails if it grows by more than `--allow` MB from the first
third of the run to the last.

    PYSPARK_PYTHON=.venv/spark4/bin/python .venv/spark4/bin/python bench/spark/memory.py
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time

from pyspark.ml import Pipeline
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from albertine.annotator import AlbertForSequenceClassification, Tokenizer
from albertine.base import DocumentAssembler


def workers() -> dict[int, int]:
    """The resident memory of each Python worker of Spark, in bytes, by process."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if b"pyspark.daemon" not in file.read():
                    continue
            with open(f"/proc/{name}/statm") as file:
                found[int(name)] = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--allow", type=float, default=60, help="growth that is none, in MB a worker")
    args = parser.parse_args()

    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    stages = [
        DocumentAssembler(inputCol="text", outputCol="document"),
        Tokenizer(inputCols=["document"], outputCol="token"),
        AlbertForSequenceClassification.pretrained().setInputCols(["document", "token"]).setOutputCol("class"),
    ]
    number = (F.col("id") % 2000).cast("string")
    table = spark.range(args.rows, numPartitions=2).withColumn(
        "text", F.concat(F.lit("Shares of company "), number, F.lit(" rose "), number, F.lit(" per cent on strong sales"))
    )
    result = Pipeline(stages=stages).fit(table).transform(table)

    done = threading.Event()
    samples: list[dict[int, int]] = []

    def sample() -> None:
        while not done.wait(0.2):
            samples.append(workers())

    thread = threading.Thread(target=sample)
    thread.start()
    started = time.perf_counter()
    counted = result.select("id", "class").agg(F.count("class"), F.countDistinct("id")).first()
    seconds = time.perf_counter() - started
    done.set()
    thread.join()
    spark.stop()

    # the workers that lived through most of the run; the daemon that they are forked from does no work
    third = len(samples) // 3
    living = [process for process in samples[third] if process in samples[-1]]
    early = {process: max(found.get(process, 0) for found in samples[third : 2 * third]) / 1e6 for process in living}
    late = {process: max(found.get(process, 0) for found in samples[2 * third :]) / 1e6 for process in living}
    growth = max(late[process] - early[process] for process in living)
    report = {
        "rows": counted[1],
        "annotated": counted[0],
        "seconds": round(seconds, 1),
        "worker_mb_early": round(max(early.values())),
        "worker_mb_late": round(max(late.values())),
        "growth_mb": round(growth, 1),
    }
    print(json.dumps(report))
    if growth > args.allow or counted[0] != args.rows or counted[1] != args.rows:
        sys.exit("memory grew, or rows are missing")


if __name__ == "__main__":
    main()
