"""How fast real Spark NLP is with an ALBERT, to hold Albertine against.

usage: bench.py prepare EXPORT_DIR SAVED_DIR
       bench.py run SAVED_DIR --texts CSV [--docs N] [--input document|sentence] [--batch N] [--passes N] [--light N]
                               [--memory 4g] [--onnx-threads N]

EXPORT_DIR is a TensorFlow SavedModel or an ONNX model with its assets, or a model directory that has model.onnx. `prepare` has Spark
NLP load and save it, as its users do once. `run` prints one JSON line:

docs_per_second     median of the passes over the first N texts, on two cores, after a pass to warm up; all of Spark's own work is in it
processor_seconds   what the JVM had of processors for one of those passes
light_per_second    one text after the other through a LightPipeline, if asked
first_seconds       from the start of this process to the class of a first text: JVM, session, model, pipeline, one row
peak_rss_mb         of the JVM
"""

import time

STARTED = time.time()

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import shutil  # noqa: E402
import statistics  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

from pyspark.ml import Pipeline  # noqa: E402
from sparknlp.annotator import AlbertForSequenceClassification, SentenceDetector, Tokenizer  # noqa: E402
from sparknlp.base import LightPipeline  # noqa: E402

from annotators import assembler, column, stage  # noqa: E402
from session import session  # noqa: E402


def prepare(export: Path, saved: Path) -> None:
    """Loads an export and saves it as Spark NLP's own."""
    spark = session()
    with tempfile.TemporaryDirectory() as scratch:
        if not (export / "assets").is_dir():
            folder = Path(scratch) / "export"
            (folder / "assets").mkdir(parents=True)
            shutil.copy(export / "model.onnx", folder)
            shutil.copy(export / "spiece.model", folder / "assets")
            labels = json.loads((export / "config.json").read_text())["id2label"]
            (folder / "assets" / "labels.txt").write_text("\n".join(labels[str(index)] for index in range(len(labels))))
            export = folder
        model = AlbertForSequenceClassification.loadSavedModel(str(export.resolve()), spark)
        model.write().overwrite().save(f"file://{saved.resolve()}")


def peak_rss(spark) -> float:
    """The most memory that the JVM ever had, in megabytes."""
    pid = spark._jvm.java.lang.ProcessHandle.current().pid()
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def processor_seconds(spark) -> float:
    """The time that the JVM has had on processors."""
    pid = spark._jvm.java.lang.ProcessHandle.current().pid()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run(arguments: argparse.Namespace) -> dict:
    threads = {"spark.jsl.settings.onnx.intraOpNumThreads": arguments.onnx_threads} if arguments.onnx_threads else {}
    spark = session(arguments.memory, **threads)
    model = AlbertForSequenceClassification.load(f"file://{arguments.saved.resolve()}")
    model.setInputCols([arguments.input, "token"]).setOutputCol("class").setMaxSentenceLength(512).setBatchSize(arguments.batch)
    stages = [assembler(), stage(SentenceDetector, "document", "sentence", {}), stage(Tokenizer, arguments.input, "token", {}), model]
    if arguments.input == "document":
        del stages[1]
    texts = column(arguments.texts, "text")[: arguments.docs]
    pipeline = Pipeline(stages=stages).fit(spark.createDataFrame([[""]], ["text"]))
    pipeline.transform(spark.createDataFrame([[texts[0]]], ["text"])).select("class.result").collect()
    first = time.time() - STARTED
    frame = spark.createDataFrame([[text] for text in texts], ["text"]).repartition(2).cache()
    frame.count()

    def all_of_them() -> None:
        pipeline.transform(frame).select("class").write.format("noop").mode("overwrite").save()

    all_of_them()
    before = processor_seconds(spark)
    seconds = statistics.median(timed(all_of_them) for _ in range(arguments.passes))
    processors = (processor_seconds(spark) - before) / arguments.passes
    report = {
        "engine": model.getEngine(), "input": arguments.input, "docs": len(texts), "batch": arguments.batch, "seconds": seconds,
        "docs_per_second": len(texts) / seconds, "first_seconds": first, "processor_seconds": processors,
    }  # fmt: skip
    if arguments.light:
        light = LightPipeline(pipeline)
        some = texts[: arguments.light]
        light.annotate(some[0])
        report["light_per_second"] = len(some) / timed(lambda: [light.annotate(text) for text in some])
    report["peak_rss_mb"] = peak_rss(spark)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    first = commands.add_parser("prepare")
    first.add_argument("export", type=Path, metavar="EXPORT_DIR")
    first.add_argument("saved", type=Path, metavar="SAVED_DIR")
    second = commands.add_parser("run")
    second.add_argument("saved", type=Path, metavar="SAVED_DIR")
    second.add_argument("--texts", type=Path, required=True)
    second.add_argument("--docs", type=int, default=256)
    second.add_argument("--input", choices=["document", "sentence"], default="document")
    second.add_argument("--batch", type=int, default=8)
    second.add_argument("--passes", type=int, default=3)
    second.add_argument("--light", type=int, default=0)
    second.add_argument("--memory", default="4g")
    second.add_argument("--onnx-threads", type=int, help="of the ONNX engine for one text; Spark NLP's default is 6")
    arguments = parser.parse_args()
    if arguments.command == "prepare":
        prepare(arguments.export, arguments.saved)
    else:
        print(json.dumps(run(arguments)))


if __name__ == "__main__":
    main()
