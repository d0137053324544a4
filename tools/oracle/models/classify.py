"""Writes down the classes that Spark NLP gives with the fixtures of save.py.

usage: classify.py FIXTURES_DIR OUT_DIR

OUT_DIR gets class_texts.jsonl and classes.jsonl. README.md says what is in them.
"""

import argparse
import json
import random
import sys
import tempfile
import zipfile
from pathlib import Path

from pyspark.ml import PipelineModel
from sparknlp.annotator import AlbertForSequenceClassification, SentenceDetector, Tokenizer

ORACLE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ORACLE))
from annotators import COUNT, assembler, run, stage, write  # noqa: E402
from annotators import SEED as STRINGS  # noqa: E402
from session import message, session  # noqa: E402
from texts import texts  # noqa: E402
from vectors import CLASSIFIED  # noqa: E402

SEED = 20_041_109
TEXTS = 500
LABELS = ["World", "Sports", "Business", "Sci/Tech"]
TENSORFLOW, ONNX, OLD = "albert_tiny_sequence_classifier_news_en_5.5.3*", "annotator_onnx", "albert_tiny_sequence_classifier_news_en_3.4.4*"
# Saved parameters that a setting does not name are put back to what a fresh import has.
USUAL = {"maxSentenceLength": 128, "caseSensitive": False, "batchSize": 8, "coalesceSentences": False, "activation": "softmax", "threshold": 0.5}
# The fixture, the column it reads, its parameters (None: as saved), how many of the texts, and parameters of Tokenizer.
SETTINGS = [
    (TENSORFLOW, "document", {}, 500),
    (ONNX, "document", {}, 500),
    (TENSORFLOW, "sentence", {}, 400),
    (ONNX, "sentence", {}, 300),
    (TENSORFLOW, "sentence", {"batchSize": 2}, 80),
    (ONNX, "sentence", {"batchSize": 2}, 80),
    (ONNX, "sentence", {"batchSize": 1}, 80),
    (TENSORFLOW, "sentence", {"coalesceSentences": True}, 100),
    (TENSORFLOW, "sentence", {"coalesceSentences": True, "batchSize": 2}, 60),
    (ONNX, "sentence", {"coalesceSentences": True}, 60),
    (TENSORFLOW, "document", {"activation": "sigmoid"}, 60),
    (TENSORFLOW, "document", {"activation": "sigmoid", "threshold": 0.9}, 60),
    (TENSORFLOW, "document", {"activation": "softmax", "threshold": 0.9}, 20),
    (TENSORFLOW, "document", {"activation": "tanh"}, 2),
    (ONNX, "sentence", {"activation": "sigmoid", "threshold": 0.7}, 60),
    (TENSORFLOW, "sentence", {"activation": "sigmoid", "threshold": 0.3, "coalesceSentences": True}, 60),
    (TENSORFLOW, "document", {"multilabel": True, "threshold": 0.3}, 40),
    (TENSORFLOW, "document", {"multilabel": False}, 20),
    (TENSORFLOW, "document", {"caseSensitive": True}, 150),
    (ONNX, "sentence", {"caseSensitive": True}, 60),
    (TENSORFLOW, "document", {"maxSentenceLength": 8}, 100),
    (ONNX, "sentence", {"maxSentenceLength": 8}, 60),
    (TENSORFLOW, "document", {"maxSentenceLength": 3}, 30),
    (TENSORFLOW, "document", {"maxSentenceLength": 2}, 10),
    (TENSORFLOW, "document", {"maxSentenceLength": 1}, 10),
    # Sentences without tokens: what is left of them moves up.
    (TENSORFLOW, "sentence", {}, 60, {"minLength": 6}),
    (TENSORFLOW, "sentence", {"coalesceSentences": True, "batchSize": 2}, 60, {"minLength": 6}),
    (TENSORFLOW, "document", None, 30),
    (ONNX, "document", None, 60),
    (OLD, "document", None, 60),
]
PIPELINES = ["*news_pipeline_en_5.5.3*", "*sentence_pipeline_en_5.5.3*", "*news_pipeline_en_3.4.4*"]


def class_texts() -> list:
    """Ordinary sentences of the words that the vocabulary was made of, and awkward strings in between."""
    rng = random.Random(SEED)
    corpus = [line.split() for line in (ORACLE.parent / "golden" / "corpus.txt").read_text().splitlines()]

    def sentence() -> str:
        words = rng.choice(corpus)
        first = rng.randrange(len(words))
        some = " ".join(words[first : first + rng.randint(1, 14)])
        return some[:1].upper() + some[1:].rstrip(".") + rng.choice([".", ".", ".", "?", "!", " 日本.", ""])

    awkward = texts(COUNT, STRINGS)[::9]
    out = dict.fromkeys(CLASSIFIED)
    while len(out) < TEXTS:
        count = rng.choice([1, 1, 1, 2, 2, 3, 5, 10])
        text = " ".join(sentence() for _ in range(count))
        out[rng.choice([text, text, text, awkward[len(out) % len(awkward)]])] = None
    return list(out)


def opened(fixtures: Path, pattern: str, scratch: Path) -> str:
    """The one fixture of that name, as a URL of a directory; a zip is unpacked first."""
    (path,) = fixtures.glob(pattern)
    if path.is_file():
        folder = scratch / path.stem
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        path = folder
    return f"file://{path}"


def compact(annotations: list) -> list:
    """`[begin, end, result, sentence, probabilities in the order of ids]`; the numbers as Spark NLP prints them, with spaces between."""
    out = []
    for annotation in annotations:
        metadata = dict(annotation.metadata)
        sentence = metadata.pop("sentence")
        if annotation.annotatorType != "category" or annotation.embeddings or set(metadata) != set(LABELS):
            raise SystemExit(f"{annotation}: not what was expected")
        probabilities = " ".join(metadata[label] for label in LABELS)
        out.append([annotation.begin, annotation.end, annotation.result, int(sentence), probabilities])
    return out


def classes(spark, stages: list, column: str, texts: list) -> list:
    return [row if isinstance(row, str) else compact(row[column]) for row in run(spark, stages, [column], texts)]


def setting(spark, path: str, document: str, params: dict | None, texts: list, tokenizer: dict, scratch: str) -> list:
    """The classes with these parameters."""
    model = AlbertForSequenceClassification.load(path)
    if params is not None:
        for name, value in {**USUAL, **params}.items():
            getattr(model, f"set{name[0].upper()}{name[1:]}")(value)
        # The threshold is read when a model is loaded, and only then.
        model.write().overwrite().save(f"file://{scratch}/changed")
        model = AlbertForSequenceClassification.load(f"file://{scratch}/changed")
    model.setInputCols([document, "token"]).setOutputCol("class")
    stages = [assembler(), stage(SentenceDetector, "document", "sentence", {}), stage(Tokenizer, document, "token", tokenizer), model]
    return classes(spark, stages, "class", texts)


def pipeline(spark, path: str, texts: list) -> dict:
    """The classes that a saved pipeline gives, or the error that loading it ends in."""
    try:
        stages = PipelineModel.load(path).stages
    except Exception as error:
        return {"error": message(error)}
    # Without the Finisher, which would leave no annotations.
    return {"classes": classes(spark, [one for one in stages if "Finisher" not in one.uid], "class", texts)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fixtures", type=Path, metavar="FIXTURES_DIR")
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    arguments = parser.parse_args()
    fixtures = arguments.fixtures.resolve()
    spark = session()
    strings = class_texts()
    write(arguments.out / "class_texts.jsonl", strings)
    out = []
    with tempfile.TemporaryDirectory() as scratch:
        for pattern, document, params, count, *tokenizer in SETTINGS:
            path = opened(fixtures, pattern, Path(scratch))
            tokenizer = tokenizer[0] if tokenizer else {}
            found = setting(spark, path, document, params, strings[:count], tokenizer, scratch)
            out.append({"model": Path(path).name, "input": document, "params": params, "tokenizer": tokenizer, "classes": found})
            print(pattern, document, params, tokenizer, count, flush=True)
        for pattern in PIPELINES:
            path = opened(fixtures, pattern, Path(scratch))
            found = pipeline(spark, path, strings[:60])
            out.append({"model": Path(path).name, "input": "pipeline", "params": None, "tokenizer": None, **found})
    write(arguments.out / "classes.jsonl", out)


if __name__ == "__main__":
    main()
