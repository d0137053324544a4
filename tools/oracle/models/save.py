"""Loads the exported models with Spark NLP and saves them as annotators, pipelines and hub zips.

usage: save.py MODELS_DIR OUT_DIR [--old]

MODELS_DIR holds what checkpoint.py and saved_model.py made. OUT_DIR gets the fixtures. With --old only those of an old version are
made; run it with that version's PySpark, jars and Java (README.md).
"""

import argparse
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from pyspark.ml import Pipeline
from sparknlp.annotator import AlbertForSequenceClassification, SentenceDetector, Tokenizer
from sparknlp.base import DocumentAssembler, Finisher

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from session import session  # noqa: E402

# Spark NLP's hub puts the time of upload there; here it is part of the name and nothing else.
MILLIS = 1700000000000
DATE = (2023, 11, 14, 22, 13, 20)
NAME = "albert_tiny_sequence_classifier_news"


def pack(folder: Path, archive: Path) -> None:
    """A zip as the hub has them: no top folder; the same bytes for the same files."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            entry = zipfile.ZipInfo(name + "/" if path.is_dir() else name, DATE)
            entry.external_attr = (0o40755 << 16 | 0x10) if path.is_dir() else 0o100644 << 16
            entry.compress_type = zipfile.ZIP_STORED if path.is_dir() else zipfile.ZIP_DEFLATED
            out.writestr(entry, b"" if path.is_dir() else path.read_bytes())


def classifier(spark, folder: Path, document: str = "document", **params):
    """The annotator, loaded as a user loads an export."""
    made = AlbertForSequenceClassification.loadSavedModel(str(folder), spark)
    made.setInputCols([document, "token"]).setOutputCol("class")
    for name, value in params.items():
        getattr(made, f"set{name[0].upper()}{name[1:]}")(value)
    return made


def assembler():
    return DocumentAssembler().setInputCol("text").setOutputCol("document")


def tokenizer(document: str = "document"):
    return Tokenizer().setInputCols([document]).setOutputCol("token")


def fitted(spark, stages: list):
    return Pipeline(stages=stages).fit(spark.createDataFrame([[""]], ["text"]))


def save_zip(model, archive: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        model.write().overwrite().save(f"file://{folder}")
        pack(folder, archive)


def new(spark, models: Path, out: Path, version: str) -> None:
    # One ONNX model a session: Spark NLP sends it to executors under its name, which is always the same.
    onnx = classifier(spark, models / "onnx", maxSentenceLength=64, caseSensitive=True, activation="sigmoid", threshold=0.25, batchSize=4)
    shutil.rmtree(out / "annotator_onnx", ignore_errors=True)
    onnx.write().overwrite().save(f"file://{out / 'annotator_onnx'}")
    tokenizers(spark, out)
    sentences = [
        assembler().setCleanupMode("shrink"),
        SentenceDetector().setInputCols(["document"]).setOutputCol("sentence").setCustomBounds(["\\|\\|"]),
        tokenizer("sentence").setExceptions(["New York", "e-mail"]).setSplitChars(["_"]),
        onnx.setInputCols(["sentence", "token"]).setCoalesceSentences(True).setActivation("softmax"),
        Finisher().setInputCols(["class"]).setOutputCols(["label"]).setIncludeMetadata(True),
    ]
    save_zip(fitted(spark, sentences), out / f"{NAME}_sentence_pipeline_en_{version}_3.0_{MILLIS}.zip")
    keras = classifier(spark, models / "tensorflow", maxSentenceLength=128)
    save_zip(keras, out / f"{NAME}_en_{version}_3.0_{MILLIS}.zip")
    module = classifier(spark, models / "tensorflow_module", maxSentenceLength=128, multilabel=True, threshold=0.3)
    save_zip(fitted(spark, [assembler(), tokenizer(), module]), out / f"{NAME}_pipeline_en_{version}_3.0_{MILLIS}.zip")


def tokenizers(spark, out: Path) -> None:
    """Fitted tokenizers: what their rules were made of is nowhere but in `fields/rules`."""
    empty = spark.createDataFrame([[""]], ["text"])
    kinds = {
        "context_chars": tokenizer().setContextChars(["(", ")", "?"]),
        "patterns": tokenizer().setPrefixPattern(r"\A([^\s\w\$\.]*)").setInfixPatterns([r"(\w+)('\w+)", r"(\w+)"]),
    }
    for name, kind in kinds.items():
        kind.fit(assembler().transform(empty)).write().overwrite().save(f"file://{out / 'tokenizers' / name}")


def old(spark, models: Path, out: Path, version: str) -> None:
    keras = classifier(spark, models / "tensorflow", maxSentenceLength=128, caseSensitive=False)
    save_zip(keras, out / f"{NAME}_en_{version}_3.0_{MILLIS}.zip")
    module = classifier(spark, models / "tensorflow_module", maxSentenceLength=128, coalesceSentences=True, activation="sigmoid")
    save_zip(fitted(spark, [assembler(), tokenizer(), module]), out / f"{NAME}_pipeline_en_{version}_3.0_{MILLIS}.zip")


def exports(models: Path, out: Path) -> None:
    """What was not made by Spark NLP, beside it; zips where there is much to pack."""
    for name in ["huggingface", "onnx"]:
        shutil.copytree(models / name, out / name, dirs_exist_ok=True)
    for name in ["onnx_dynamo", "tensorflow", "tensorflow_module"]:
        pack(models / name, out / f"{name}.zip")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, metavar="MODELS_DIR")
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    parser.add_argument("--old", action="store_true")
    arguments = parser.parse_args()
    models, out = arguments.models.resolve(), arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    spark = session()
    import sparknlp

    if not arguments.old:
        exports(models, out)
    (old if arguments.old else new)(spark, models, out, sparknlp.version())


if __name__ == "__main__":
    main()
