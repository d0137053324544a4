"""What Spark costs: the same rows by the command and by a pipeline on `local[2]`, on the same cores, in turn.

    PYSPARK_PYTHON=.venv/spark4/bin/python .venv/spark4/bin/python bench/spark/overhead.py target/release/albertine \\
        --model ./albert-base --texts test.csv --rows 2000 --turns 3

Both are timed after their start: the command by what it says of its run, from reading to the moved file; Spark by the action alone, after
one that starts the workers and loads the model, and with the table in its memory. The command gives labels and scores, the pipeline all
of its annotations. Prints one line of JSON for each turn and the median of the ratios.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import common
import pyarrow.csv as csv


def command(program: Path, model: str, table: Path, folder: Path) -> float:
    """Seconds of a run of the command, of which its own line at the end tells."""
    arguments = ["classify", "--model", model, "--input", str(table), "--annotations", "--output", str(folder / "out.parquet"), "--threads", "2"]
    done = subprocess.run([program, *arguments], stderr=subprocess.PIPE, text=True, check=True)
    found = re.search(r"rows in ([0-9.]+) s", done.stderr)
    if found is None:
        raise SystemExit(f"the command did not tell its time: {done.stderr}")
    return float(found.group(1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--partitions", type=int, default=8)
    args = parser.parse_args()

    texts = common.texts(args.texts, rows=args.rows)
    spark = common.session("local[2]")
    frame = spark.createDataFrame(texts.to_pandas()).repartition(args.partitions).cache()
    frame.count()
    pipeline = common.pipeline(args.model)
    # both tasks start a worker, which loads the model
    pipeline.transform(frame.limit(64).repartition(2)).write.format("noop").mode("overwrite").save()
    ratios = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        csv.write_csv(texts, folder / "texts.csv")
        for _ in range(args.turns):
            alone = command(args.program, args.model, folder / "texts.csv", folder)
            started = time.perf_counter()
            pipeline.transform(frame).write.format("noop").mode("overwrite").save()
            spark_seconds = time.perf_counter() - started
            ratios.append(spark_seconds / alone)
            report = {"rows": len(texts), "command_s": round(alone, 2), "spark_s": round(spark_seconds, 2), "ratio": round(ratios[-1], 3)}
            print(json.dumps(report), flush=True)
    spark.stop()
    print(json.dumps({"overhead_percent": round(100 * (statistics.median(ratios) - 1), 1)}))


if __name__ == "__main__":
    main()
