"""How the time of a job grows with rows, and how it shrinks with executors, on clusters of this machine.

usage: scale.py TABLE [--text-column text] [--rows 25000 50000 100000] [--executors 1 2] [--turns 3] [--model NAME|DIR]
                [--precision f32|bf16|int8] [--memory 1024]

Each executor is a process of its own with one core. In each turn every cluster is started, warmed up with a job that is not counted,
and given the first rows of TABLE, in partitions of about 2,500; the time is that of the whole job, from Spark's plan to the last row,
into a sink that throws rows away. Prints a JSON line for each job, then the medians as tables in Markdown, and what they come to for a
thousand cores and a billion rows. For a quiet machine with a core for each executor; beside them run the driver and the master.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
from common import Watch, executor_processes, executors, pipeline, session, texts

#: Rows of a partition: one that takes a second or two with the built-in model.
PARTITION = 2_500


def measure(arguments: argparse.Namespace, count: int, folder: Path) -> list[dict[str, Any]]:
    """The jobs of one turn on a cluster of `count` executors."""
    spark = session(f"local-cluster[{count},1,{arguments.memory}]", **{"spark.executor.memory": f"{arguments.memory}m"})
    try:
        while sum(executor.isActive() for executor in executors(spark)) < count:
            time.sleep(0.1)
        model = pipeline(arguments.model, arguments.precision)
        job(spark, model, folder / "warm.parquet", 4 * count)
        reports = []
        for rows in arguments.rows:
            watch = Watch(executor_processes(spark))
            watch.start()
            seconds = job(spark, model, folder / f"{rows}.parquet", max(count, rows // PARTITION))
            report = {"executors": count, "rows": rows, "seconds": round(seconds, 3), "rows_per_second": round(rows / seconds, 1)}
            reports.append({**report, **watch.stop(), "spark": spark.version})
            print(json.dumps(reports[-1]), flush=True)
        return reports
    finally:
        spark.stop()


def job(spark: Any, model: Any, path: Path, partitions: int) -> float:
    """The seconds of a job over a file."""
    frame = spark.read.parquet(str(path)).repartition(partitions).cache()
    frame.count()
    started = time.perf_counter()
    model.transform(frame).select("row", "class").write.format("noop").mode("overwrite").save()
    seconds = time.perf_counter() - started
    frame.unpersist()
    return seconds


def tables(reports: list[dict[str, Any]], arguments: argparse.Namespace) -> str:
    def median(name: str, count: int, rows: int) -> float:
        return statistics.median(each[name] for each in reports if (each["executors"], each["rows"]) == (count, rows))

    lines = ["| executors | rows | seconds | rows/s | JVM MB | Python worker MB, its own |", "| --- | --- | --- | --- | --- | --- |"]
    for count in arguments.executors:
        for rows in arguments.rows:
            figures = [median(name, count, rows) for name in ("seconds", "rows_per_second", "jvm_mb", "worker_mb", "worker_own_mb")]
            seconds, rate, jvm, worker, own = figures
            lines.append(f"| {count} | {rows:,} | {seconds:.1f} | {rate:,.0f} | {jvm:,.0f} | {worker:,.0f}, {own:,.0f} |")
    least, most = min(arguments.executors), max(arguments.executors)
    rows = max(arguments.rows)
    core = median("rows_per_second", least, rows) / least
    share = median("rows_per_second", most, rows) / most / core
    lines += ["", f"A core does {core:,.0f} rows/s with {least} executor(s); with {most}, each does {100 * share:.0f} % of that."]
    hours = 1e9 / (core * share * 1_000) / 3_600
    lines.append(f"At that rate a billion rows take a thousand cores {hours * 60:.1f} minutes, and {hours * 1_000:,.0f} core hours.")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, metavar="TABLE")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--rows", type=int, nargs="+", default=[25_000, 50_000, 100_000])
    parser.add_argument("--executors", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--model", default="ag_news")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--memory", type=int, default=1024, help="of an executor's JVM, in MiB")
    arguments = parser.parse_args()
    reports = []
    with tempfile.TemporaryDirectory(prefix="albertine-scale-") as name:
        folder = Path(name)
        table = texts(arguments.table, arguments.text_column, max(arguments.rows))
        if len(table) < max(arguments.rows):
            raise SystemExit(f"{arguments.table} has {len(table)} rows, and {max(arguments.rows)} are asked for")
        for rows in arguments.rows:
            parquet.write_table(table.slice(0, rows), folder / f"{rows}.parquet")
        parquet.write_table(table.slice(0, min(arguments.rows) // 10), folder / "warm.parquet")
        for _ in range(arguments.turns):
            for count in arguments.executors:
                reports += measure(arguments, count, folder)
    print("\n" + tables(reports, arguments))


if __name__ == "__main__":
    main()
