"""Does memory stay as it is while a long table goes through Spark?

usage: memory.py [--rows N] [--allow MB] [--model NAME|DIR] [--precision f32|bf16|int8]

A million rows (of 2,000 different texts, so that it takes a minute and not an hour) go through a pipeline into nowhere, in two tasks;
the memory of the Python workers is looked at all the while. Prints a JSON line; ends with 1 if a worker grew by more than MB from the
middle third of the run to the last, or if a row is missing.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time

from common import jvm, memory, pipeline, python_workers, session


class Samples(threading.Thread):
    """The memory of each Python worker of a process in megabytes, five times a second."""

    def __init__(self, executor: int) -> None:
        super().__init__(daemon=True)
        self._executor = executor
        self._done = threading.Event()
        self.found: list[dict[int, float]] = []

    def run(self) -> None:
        while not self._done.wait(0.2):
            sample = {}
            for worker in python_workers(self._executor):
                try:
                    sample[worker] = memory(worker)["now"]
                except (OSError, KeyError):
                    continue  # it has ended meanwhile
            self.found.append(sample)

    def stop(self) -> tuple[dict[int, float], dict[int, float]]:
        """Ends; gives the most that each worker had in the middle third of the time and in the last."""
        self._done.set()
        self.join()
        third = len(self.found) // 3

        def most(samples: list[dict[int, float]]) -> dict[int, float]:
            return {worker: max(sample.get(worker, 0) for sample in samples) for worker in samples[-1]}

        return most(self.found[third : 2 * third]), most(self.found[2 * third :])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--allow", type=float, default=60, metavar="MB")
    parser.add_argument("--model", default="ag_news")
    parser.add_argument("--precision", default="f32")
    arguments = parser.parse_args()

    spark = session("local[2]")
    text = "concat('Shares of company ', id % 2000, ' rose ', id % 2000, ' per cent on strong sales') AS text"
    table = spark.range(arguments.rows, numPartitions=2).selectExpr("id", text)
    result = pipeline(arguments.model, arguments.precision).transform(table)
    samples = Samples(jvm(spark))
    samples.start()
    started = time.perf_counter()
    rows, annotated = result.selectExpr("count(DISTINCT id)", "count(class)").first()
    seconds = time.perf_counter() - started
    before, after = samples.stop()
    spark.stop()

    growth = max(after[worker] - before.get(worker, 0) for worker in after)
    report = {"rows": rows, "annotated": annotated, "seconds": round(seconds, 1), "worker_mb": round(max(after.values()))}
    print(json.dumps({**report, "growth_mb": round(growth, 1)}))
    if growth > arguments.allow or rows != arguments.rows or annotated != arguments.rows:
        sys.exit("memory grew, or rows are missing")


if __name__ == "__main__":
    main()
