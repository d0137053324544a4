"""Is what a cluster gives the same as what the command gives, to the last bit, and is every row there once?

usage: cluster.py TABLE [--text-column text] [--rows N] [--expected FILE] [--master local-cluster[2,1,1024]] [--partitions N]
                  [--job MODEL[,broadcast|path][,kill-executor|kill-worker]]...

TABLE is a CSV or Parquet file. Its texts go through a pipeline on the cluster, and from there into Parquet files, once for each job:
with a model, a name or a directory; how it gets to the executors, if that is said; and if it is said, the first executor, or the
Python worker of one, is killed with signal 9 when a third of the tasks have ended. FILE is what
`albertine classify --input TABLE --all-scores --output FILE` wrote with the model, as CSV or Parquet; without it `albertine.classify`
is asked here. Prints a JSON line for each job; ends with 1 when anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as dataset
import pyarrow.parquet as parquet
from common import executor_processes, executors, pipeline, python_workers, session, texts

import albertine


def command_scores(path: Path) -> list[tuple[str | None, dict[str, float] | None]]:
    """Label and scores of each row, in 32 bits, from a file of the command."""
    if path.suffix == ".parquet":
        table = parquet.read_table(path)
        return classified(table)
    import pyarrow.csv as csv

    names = csv.open_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True)).schema.names
    options = csv.ConvertOptions(column_types={name: pa.string() for name in names}, strings_can_be_null=True)
    table = csv.read_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=options)
    labels = table[label_column(names)].to_pylist()
    scores = [None if text is None else json.loads(text) for text in table["scores"].to_pylist()]
    return [(label, as_floats(found)) for label, found in zip(labels, scores)]


def label_column(names: list[str]) -> str:
    """The command gives way to a column that is there."""
    return "predicted_label" if "predicted_label" in names else "label"


def classified(table: pa.Table) -> list[tuple[str | None, dict[str, float] | None]]:
    """Label and scores of each row of a table that was classified."""
    labels = table[label_column(table.column_names)].to_pylist()
    return list(zip(labels, map(as_floats, table["scores"].to_pylist())))


def as_floats(scores: dict[str, Any] | None) -> dict[str, float] | None:
    """Scores as the 32-bit floats that their texts stand for."""
    if scores is None or any(value is None for value in scores.values()):
        return None
    values = pa.array([float(value) for value in scores.values()], pa.float64()).cast(pa.float32(), safe=False)
    return dict(zip(scores, values.to_pylist()))


def annotated(annotations: list[dict[str, Any]]) -> tuple[str | None, dict[str, float] | None]:
    """The same of an annotation column's row."""
    if not annotations:
        return None, None
    (annotation,) = annotations
    scores = {name: value for name, value in annotation["metadata"] if name != "sentence"}
    return annotation["result"], as_floats(scores)


class Killer(threading.Thread):
    """Kills an executor, or a Python worker, once a third of the tasks of the running job have ended."""

    def __init__(self, spark: Any, what: str) -> None:
        super().__init__(daemon=True)
        self.spark, self.what = spark, what
        self.killed: list[dict[str, Any]] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        tracker = self.spark.sparkContext.statusTracker()
        try:
            while True:
                for stage in map(tracker.getStageInfo, tracker.getActiveStageIds()):
                    if stage is not None and stage.numCompletedTasks * 3 >= stage.numTasks > 2 and self.hit(stage):
                        return
                time.sleep(0.01)
        except BaseException as error:  # noqa: BLE001, told at the end
            self.error = error

    def hit(self, stage: Any) -> bool:
        for executor, pid in executor_processes(self.spark).items():
            victims = [pid] if self.what == "executor" else python_workers(pid)
            for victim in victims:
                os.kill(victim, signal.SIGKILL)
                self.killed.append({"executor": executor, "pid": victim, "tasks_done": stage.numCompletedTasks, "of": stage.numTasks})
                return True
        return False


def run(spark: Any, job: str, partitions: int, folder: Path) -> tuple[dict[str, Any], pa.Table]:
    """Does a job; gives what happened, and what was written."""
    model, *options = job.split(",")
    ship = [option for option in options if not option.startswith("kill-")]
    kill = [option.removeprefix("kill-") for option in options if option.startswith("kill-")]
    if ship:
        spark.conf.set("spark.albertine.models", ship[0])
    else:
        spark.conf.unset("spark.albertine.models")
    frame = spark.read.parquet(str(folder / "in.parquet")).repartition(partitions)
    result = pipeline(model).transform(frame).select("row", "class")
    before = {executor.id(): (executor.completedTasks(), executor.failedTasks()) for executor in executors(spark)}
    killer = Killer(spark, kill[0]) if kill else None
    if killer is not None:
        killer.start()
    out = Path(tempfile.mkdtemp(dir=folder)) / "out"
    started = time.perf_counter()
    result.write.parquet(str(out))
    seconds = time.perf_counter() - started
    known = executors(spark)
    done = {executor.id(): executor.completedTasks() - before.get(executor.id(), (0, 0))[0] for executor in known}
    failed = sum(executor.failedTasks() - before.get(executor.id(), (0, 0))[1] for executor in known)
    report: dict[str, Any] = {"job": job, "spark": spark.version, "seconds": round(seconds, 2), "tasks": done, "failed_tasks": failed}
    report["lost"] = [executor.id() for executor in known if not executor.isActive()]
    if killer is not None:
        report["killed"] = killer.killed
        if killer.error is not None:
            raise killer.error
    return report, dataset.dataset(out).to_table()


def compare(expected: list[Any], out: pa.Table) -> dict[str, Any]:
    """How what was written differs from what was expected of the rows in turn."""
    rows = out["row"].to_pylist()
    found = dict(zip(rows, map(annotated, out["class"].to_pylist())))
    report = {
        "rows": len(expected),
        "written": len(rows),
        "each_once": sorted(rows) == list(range(len(expected))),
        "nulls": sum(label is None for label, _ in expected),
        "labels_that_differ": sum(found.get(row, ("?", None))[0] != label for row, (label, _) in enumerate(expected)),
        "scores_that_differ": sum(found.get(row, (None, {}))[1] != scores for row, (_, scores) in enumerate(expected)),
    }
    report["same"] = report["each_once"] and report["labels_that_differ"] == report["scores_that_differ"] == 0
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, metavar="TABLE")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--rows", type=int, help="only the first")
    parser.add_argument("--expected", type=Path, metavar="FILE")
    parser.add_argument("--master", default="local-cluster[2,1,1024]")
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--job", action="append", metavar="MODEL[,broadcast|path][,kill-executor|kill-worker]")
    arguments = parser.parse_args()
    same = True
    with tempfile.TemporaryDirectory(prefix="albertine-cluster-") as name:
        folder = Path(name)
        table = texts(arguments.table, arguments.text_column, arguments.rows)
        parquet.write_table(table, folder / "in.parquet")
        spark = session(arguments.master)
        try:
            for job in arguments.job or ["ag_news"]:
                report, out = run(spark, job, arguments.partitions, folder)
                if arguments.expected is not None:
                    expected = command_scores(arguments.expected)[: len(table)]
                else:
                    expected = classified(albertine.classify(table, model=job.split(",")[0], all_scores=True))
                report.update(compare(expected, out))
                same = same and report["same"] and len(expected) == len(table)
                print(json.dumps(report), flush=True)
        finally:
            spark.stop()
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
