"""What Spark costs over the command: the same rows, model and two cores, in turns.

usage: overhead.py TABLE --albertine COMMAND [--model NAME|DIR] [--text-column text] [--rows 2000] [--turns 5] [--precision f32|bf16|int8]
                   [--partitions 2 8] [--task-cpus 1|2]

Start-up is left aside on both sides: the command's time is that of a run over the rows less that of a run over the first row alone,
and Spark's that of a job in a session, with workers, that has had one. Spark has two tasks at a time, of one thread each, or with
`--task-cpus 2` (its `spark.task.cpus`) one task of two threads. Rows are in its memory before the clock starts, and its sink throws
them away, where the command reads and writes files. In each turn all sides follow each other, and ratios are taken within it. Prints
a JSON line for each turn, and medians with the range of the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
from common import pipeline, session, texts


def command(arguments: argparse.Namespace, table: Path, out: Path) -> float:
    """The seconds of a run of the command over a file."""
    words = [str(arguments.albertine), "classify", "--input", str(table), "--annotations", "--output", str(out), "--model", arguments.model]
    words += ["--precision", arguments.precision, "--max-sentence-length", "512", "--threads", "2", "--quiet"]
    started = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, metavar="TABLE")
    parser.add_argument("--albertine", type=Path, required=True, metavar="COMMAND")
    parser.add_argument("--model", default="ag_news")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--partitions", type=int, nargs="+", default=[2, 8])
    parser.add_argument("--task-cpus", type=int, choices=[1, 2], default=1)
    arguments = parser.parse_args()
    # for the command, the JVM and its workers alike
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    with tempfile.TemporaryDirectory(prefix="albertine-overhead-") as name:
        folder = Path(name)
        table = texts(arguments.table, arguments.text_column, arguments.rows)
        parquet.write_table(table, folder / "rows.parquet")
        parquet.write_table(table.slice(0, 1), folder / "one.parquet")
        spark = session("local[2]", **{"spark.task.cpus": str(arguments.task_cpus)})
        try:
            turns = measure(arguments, spark, folder)
        finally:
            spark.stop()
    rows = len(table)
    alone = statistics.median(turn["command"] for turn in turns)
    print(f"\ncommand: {alone:.2f} s, {rows / alone:,.1f} rows/s")
    for partitions in arguments.partitions:
        name = f"spark_{partitions}"
        seconds = statistics.median(turn[name] for turn in turns)
        ratios = sorted(turn[name] / turn["command"] for turn in turns)
        over = ", ".join(f"{100 * (ratio - 1):+.1f} %" for ratio in (statistics.median(ratios), ratios[0], ratios[-1]))
        print(f"Spark, {partitions} partitions: {seconds:.2f} s, {rows / seconds:,.1f} rows/s; over the command (median, least, most): {over}")


def measure(arguments: argparse.Namespace, spark: Any, folder: Path) -> list[dict[str, float]]:
    model = pipeline(arguments.model, arguments.precision)
    frames = {count: spark.read.parquet(str(folder / "rows.parquet")).repartition(count).cache() for count in arguments.partitions}
    for frame in frames.values():
        frame.count()
        # both workers load the model
        model.transform(frame.limit(1)).write.format("noop").mode("overwrite").save()
        model.transform(frame.filter("row < 32")).write.format("noop").mode("overwrite").save()
    turns = []
    for _ in range(arguments.turns):
        turn = {"start": command(arguments, folder / "one.parquet", folder / "one.out.parquet")}
        turn["command"] = command(arguments, folder / "rows.parquet", folder / "out.parquet") - turn["start"]
        for count, frame in frames.items():
            started = time.perf_counter()
            model.transform(frame).select("row", "class").write.format("noop").mode("overwrite").save()
            turn[f"spark_{count}"] = time.perf_counter() - started
        turns.append({name: round(seconds, 3) for name, seconds in turn.items()})
        print(json.dumps(turns[-1]), flush=True)
    return turns


if __name__ == "__main__":
    main()
