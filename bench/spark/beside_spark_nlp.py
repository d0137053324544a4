"""Real Spark NLP and Albertine as stages of the same Spark, on the same texts and the same files of a model.

    tools/oracle/setup.sh target/oracle && target/oracle/venv/bin/pip install 'pandas<3' pyarrow target/python/albertine-*.whl
    target/oracle/venv/bin/python tools/oracle/bench.py prepare EXPORT SAVED
    target/oracle/venv/bin/python bench/spark/beside_spark_nlp.py SAVED --texts test.csv --docs 256

SAVED is an annotator that Spark NLP saved; both read it, token by token. Each engine has a process of its own, in turn, for as many
turns as asked, with `local[2]`, the same partitions and the same action. Prints one line of JSON for each, then the ratios.

docs_per_second    median over the passes, after one to warm up; all of Spark's own work is in it
first_seconds      from the start of the process to the class of a first text
jvm_mb, python_mb  the most memory that the JVM had, and that the Python workers had together (Spark NLP has none)
"""

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

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "oracle"))


def peak_mb(pid: int) -> float:
    """The most memory that a process ever had."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def python_mb() -> float:
    """What the Python workers of Spark on this machine had together."""
    found = 0.0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            found += peak_mb(int(folder.name)) if b"pyspark.daemon" in command else 0.0
    return found


def stages(engine: str, saved: Path, batch: int) -> list[Any]:
    """The same three stages by either library."""
    if engine == "albertine":
        from albertine.annotator import AlbertForSequenceClassification, Tokenizer
        from albertine.base import DocumentAssembler

        model = AlbertForSequenceClassification.load(str(saved))
    else:
        from sparknlp.annotator import AlbertForSequenceClassification, Tokenizer
        from sparknlp.base import DocumentAssembler

        model = AlbertForSequenceClassification.load(f"file://{saved.resolve()}").setBatchSize(batch)
    return [
        DocumentAssembler().setInputCol("text").setOutputCol("document"),
        Tokenizer().setInputCols(["document"]).setOutputCol("token"),
        model.setInputCols(["document", "token"]).setOutputCol("class").setMaxSentenceLength(512),
    ]


def run(args: argparse.Namespace) -> dict[str, Any]:
    from annotators import column
    from pyspark.ml import Pipeline
    from session import session

    threads = {"spark.jsl.settings.onnx.intraOpNumThreads": args.onnx_threads} if args.onnx_threads else {}
    spark = session("4g", **threads)
    texts = column(args.texts, "text")[: args.docs]
    pipeline = Pipeline(stages=stages(args.engine, args.saved, args.batch)).fit(spark.createDataFrame([[""]], ["text"]))
    pipeline.transform(spark.createDataFrame([[texts[0]]], ["text"])).select("class.result").collect()
    first = time.time() - STARTED
    frame = spark.createDataFrame([[text] for text in texts], ["text"]).repartition(2).cache()
    frame.count()
    times = []
    for _ in range(args.passes + 1):
        started = time.perf_counter()
        pipeline.transform(frame).select("class").write.format("noop").mode("overwrite").save()
        times.append(time.perf_counter() - started)
    seconds = statistics.median(times[1:])
    jvm = spark._jvm.java.lang.ProcessHandle.current().pid()
    report = {"engine": args.engine, "docs": len(texts), "docs_per_second": round(len(texts) / seconds, 1)}
    return {**report, "first_seconds": round(first, 1), "jvm_mb": round(peak_mb(jvm)), "python_mb": round(python_mb())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("saved", type=Path, metavar="SAVED")
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--docs", type=int, default=256)
    parser.add_argument("--batch", type=int, default=8, help="of Spark NLP")
    parser.add_argument("--onnx-threads", type=int, help="of Spark NLP's ONNX engine for one text; its default is 6")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--engine", choices=["albertine", "sparknlp"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.engine:
        print(json.dumps(run(args)))
        return
    found: dict[str, list[float]] = {"albertine": [], "sparknlp": []}
    for _ in range(args.turns):
        for engine, rates in found.items():
            environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
            command = [sys.executable, *sys.argv, "--engine", engine]
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
            line = done.stdout.splitlines()[-1]
            print(line, flush=True)
            rates.append(json.loads(line)["docs_per_second"])
    ratios = [ours / theirs for ours, theirs in zip(found["albertine"], found["sparknlp"])]
    print(json.dumps({"ours / theirs": [round(ratio, 2) for ratio in ratios]}))


if __name__ == "__main__":
    main()
