"""Real Spark NLP beside Albertine: the same Spark, the same saved model, the same texts, in turns.

usage: beside_spark_nlp.py SAVED_DIR... --texts CSV --oracle PYTHON [--docs 256] [--passes 3] [--turns 3] [--memory 4g] [--onnx-threads N]

SAVED_DIR is what `tools/oracle/bench.py prepare` had Spark NLP save, with the TensorFlow or the ONNX engine; PYTHON is that of the
environment of `tools/oracle/setup.sh` (ORACLE_JARS as there). In each turn, for each SAVED_DIR, a process of each side starts a
session with two cores, answers a first text, warms up with a pass over the first texts, and times further ones. Albertine reads the
same folder, token by token as Spark NLP does, so that both compute the same scores. Prints a JSON line for each process, then a table in
Markdown: documents a second, seconds from the start of the process to the class of a first text, memory of the JVM and the workers.
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
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

ORACLE = Path(__file__).parents[2] / "tools" / "oracle" / "bench.py"


def ours(arguments: argparse.Namespace) -> dict[str, Any]:
    """What `run` of tools/oracle/bench.py does, with our stages."""
    from common import Watch, jvm, memory, pipeline, python_workers, session, texts

    spark = session("local[2]", **{"spark.driver.memory": arguments.memory})
    model = pipeline(str(arguments.saved[0].resolve()))
    table = texts(arguments.texts, "text", arguments.docs)["text"].to_pylist()
    model.transform(spark.createDataFrame([[table[0]]], ["text"])).select("class.result").collect()
    first = time.time() - STARTED
    frame = spark.createDataFrame([[text] for text in table], ["text"]).repartition(2).cache()
    frame.count()

    def all_of_them() -> float:
        started = time.perf_counter()
        model.transform(frame).select("class").write.format("noop").mode("overwrite").save()
        return time.perf_counter() - started

    all_of_them()
    watch = Watch({"driver": jvm(spark)})
    watch.start()
    seconds = statistics.median(all_of_them() for _ in range(arguments.passes))
    found = watch.stop()
    workers = [memory(pid)["most"] for pid in python_workers(jvm(spark))]
    report = {"docs": len(table), "seconds": seconds, "docs_per_second": len(table) / seconds, "first_seconds": first}
    report.update({"peak_rss_mb": found["jvm_mb"] + sum(workers), "jvm_mb": found["jvm_mb"], "workers_mb": [round(most) for most in workers]})
    spark.stop()
    return report


def theirs(arguments: argparse.Namespace, saved: Path) -> dict[str, Any]:
    words = [str(arguments.oracle), str(ORACLE), "run", str(saved), "--texts", str(arguments.texts), "--docs", str(arguments.docs)]
    words += ["--passes", str(arguments.passes), "--memory", arguments.memory]
    if arguments.onnx_threads:
        words += ["--onnx-threads", str(arguments.onnx_threads)]
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYSPARK_PYTHON", "SPARK_HOME")}
    return last_line(words, environment)


def last_line(words: list[str], environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("saved", type=Path, nargs="+", metavar="SAVED_DIR")
    parser.add_argument("--texts", type=Path, required=True, metavar="CSV")
    parser.add_argument("--oracle", type=Path, metavar="PYTHON")
    parser.add_argument("--docs", type=int, default=256)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--memory", default="4g", help="of the JVM, on both sides")
    parser.add_argument("--onnx-threads", type=int)
    parser.add_argument("--ours", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ours:
        print(json.dumps(ours(arguments)))
        return
    if arguments.oracle is None:
        parser.error("--oracle names the Python that has Spark NLP")
    reports: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for _ in range(arguments.turns):
        for saved in arguments.saved:
            again = [sys.executable, __file__, str(saved), "--texts", str(arguments.texts), "--ours"]
            again += ["--docs", str(arguments.docs), "--passes", str(arguments.passes), "--memory", arguments.memory]
            for side in ("Spark NLP", "Albertine"):
                report = theirs(arguments, saved) if side == "Spark NLP" else last_line(again, dict(os.environ))
                reports.setdefault((side, saved.name), []).append(report)
                print(json.dumps({"side": side, "saved": saved.name, **report}), flush=True)
    print("\n| | saved model | docs/s | first class, s | JVM and workers, MB |\n| --- | --- | --- | --- | --- |")
    for (side, name), found in reports.items():
        rate, first, memory = (statistics.median(each[key] for each in found) for key in ("docs_per_second", "first_seconds", "peak_rss_mb"))
        print(f"| {side} | {name} | {rate:.2f} | {first:.1f} | {memory:,.0f} |")
    for saved in arguments.saved:
        pairs = zip(reports["Albertine", saved.name], reports["Spark NLP", saved.name])
        ratios = sorted(mine["docs_per_second"] / other["docs_per_second"] for mine, other in pairs)
        print(f"\n{saved.name}: Albertine does {statistics.median(ratios):.2f} times the documents ({ratios[0]:.2f} to {ratios[-1]:.2f}).")


if __name__ == "__main__":
    main()
