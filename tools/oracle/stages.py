"""Writes down whole pipelines: schemas, column metadata, rows with every field, light pipelines and errors.

usage: stages.py FIXTURES_DIR OUT_FILE

FIXTURES_DIR is testdata/spark_nlp/models. Every row of OUT_FILE says what was done in Spark NLP's names, and what came of it.
"""

import argparse
import functools
import json
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import sparknlp
from pyspark.ml import Pipeline
from pyspark.sql import Row
from pyspark.sql.types import ArrayType, StringType, StructField, StructType
from sparknlp.annotation import Annotation
from sparknlp.annotator import AlbertForSequenceClassification
from sparknlp.base import LightPipeline

from annotators import write
from session import message, session

TEXTS = [["Oil prices rose. The young goalkeeper saved two."], [None], [""], ["  \t "], ["\u00a0"], ["日本 😀 ok. e\u0301"]]
ONE = "text string"
DOCUMENT = ["DocumentAssembler", {"inputCol": "text", "outputCol": "document"}]
SENTENCE = ["SentenceDetector", {"inputCols": ["document"], "outputCol": "sentence"}]
TOKEN = ["Tokenizer", {"inputCols": ["document"], "outputCol": "token"}]
SENTENCE_TOKEN = ["Tokenizer", {"inputCols": ["sentence"], "outputCol": "token"}]
ALBERT = ["AlbertForSequenceClassification", {"inputCols": ["document", "token"], "outputCol": "class"}]
SENTENCE_ALBERT = ["AlbertForSequenceClassification", {"inputCols": ["sentence", "token"], "outputCol": "class"}]
PLAIN, BY_SENTENCE = [DOCUMENT, TOKEN, ALBERT], [DOCUMENT, SENTENCE, SENTENCE_TOKEN, SENTENCE_ALBERT]


def finisher(**params) -> list:
    return ["Finisher", {"inputCols": ["class"], **params}]


def document(**params) -> list:
    return ["DocumentAssembler", {"inputCol": "text", "outputCol": "document", **params}]


# Stages, the columns of the input, and its rows.
PIPELINES = [
    (PLAIN, ONE, TEXTS),
    (BY_SENTENCE, ONE, TEXTS),
    (PLAIN, "id int, text string, label string", [[1, "Oil is up.", "Business"], [2, None, None]]),
    ([document(idCol="id")], "id string, text string", [["a", "x"], [None, "y"], ["c", None]]),
    ([document(idCol="id")], "id int, text string", [[1, "x"]]),
    ([document(metadataCol="m")], "m map<string,string>, text string", [[{"k": "v", "sentence": "9"}, "x"], [{}, None], [{"k": None}, "z"]]),
    ([document(metadataCol="m")], "m map<string,string>, text string", [[None, "y"]]),
    ([document(idCol="id", metadataCol="m")], "id string, m map<string,string>, text string", [["a", {"id": "b", "k": "v"}, "x"]]),
    ([document(idCol="id", metadataCol="m"), SENTENCE, TOKEN], "id string, m map<string,string>, text string", [["a", {"k": "v"}, "x. y."]]),
    ([document()], "text array<string>", [[["One. Two.", "Three 😀"]], [[]], [None], [["a", None]]]),
    ([document(), SENTENCE, TOKEN], "text array<string>", [[["One. Two.", "Three"]]]),
    ([document()], "text array<string> not null", [[["One. Two.", "Three"]]]),
    ([document()], "text int", [[1]]),
    ([document(cleanupMode="shrink"), SENTENCE, SENTENCE_TOKEN], ONE, TEXTS),
    ([document(cleanupMode=" SHRINK_full ")], ONE, [[" a\\n\\tb  c "]]),
    ([document(cleanupMode="sharp")], ONE, TEXTS),
    ([document(inputCol="other")], ONE, TEXTS),
    ([document(outputCol="text")], ONE, [["x"]]),
    ([DOCUMENT, ["SentenceDetector", {**SENTENCE[1], "explodeSentences": True}]], "id int, text string", [[1, "One. Two."], [2, ""], [3, None], [4, "x"]]),
    ([DOCUMENT, ["SentenceDetector", {**SENTENCE[1], "explodeSentences": True}], SENTENCE_TOKEN, SENTENCE_ALBERT], "id int, text string", [[1, "Oil is up. Rain is near."], [2, ""]]),
    ([DOCUMENT, ["SentenceDetector", {**SENTENCE[1], "customBoundsStrategy": "after"}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["SentenceDetector", {**SENTENCE[1], "customBoundsStrategy": "after", "customBounds": ["x"]}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["SentenceDetector", {**SENTENCE[1], "customBounds": ["("]}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["SentenceDetector", {**SENTENCE[1], "minLength": -1}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["SentenceDetector", {**SENTENCE[1], "splitLength": 0}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "inputCols": ["document", "document"]}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "inputCols": ["text"]}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "inputCols": ["none"]}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "contextChars": ["ab"]}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "contextChars": []}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "splitChars": ["ab"]}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "splitChars": ["(a"]}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "splitPattern": "("}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "prefixPattern": "x"}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "suffixPattern": "x"}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "infixPatterns": ["x"]}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "infixPatterns": ["(x"]}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "minLength": -1}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "minLength": 5, "maxLength": 4}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "targetPattern": "]["}]], ONE, [["a. b"]]),
    ([DOCUMENT, ["Tokenizer", {**TOKEN[1], "exceptions": ["("]}]], ONE, [["a. b"]]),
    ([DOCUMENT, TOKEN, ["AlbertForSequenceClassification", {**ALBERT[1], "inputCols": ["document"]}]], ONE, [["a"]]),
    ([DOCUMENT, TOKEN, ["AlbertForSequenceClassification", {**ALBERT[1], "inputCols": ["document", "text"]}]], ONE, [["a"]]),
    ([DOCUMENT, TOKEN, ["AlbertForSequenceClassification", {**ALBERT[1], "inputCols": ["document", "none"]}]], ONE, [["a"]]),
    ([DOCUMENT, TOKEN, ["AlbertForSequenceClassification", {**ALBERT[1], "inputCols": ["token", "document"]}]], ONE, [["Oil is up."]]),
    ([DOCUMENT, TOKEN, ["AlbertForSequenceClassification", {**ALBERT[1], "inputCols": "token"}]], ONE, [["Oil is up."]]),
    ([DOCUMENT, TOKEN, ["AlbertForSequenceClassification", {**ALBERT[1], "inputCols": 5}]], ONE, [["Oil is up."]]),
    ([DOCUMENT, TOKEN, ["AlbertForSequenceClassification", {**ALBERT[1], "maxSentenceLength": 513}]], ONE, [["a"]]),
    ([DOCUMENT, TOKEN, ["AlbertForSequenceClassification", {**ALBERT[1], "maxSentenceLength": 0}]], ONE, [["a"]]),
    ([DOCUMENT, TOKEN, ["AlbertForSequenceClassification", {**ALBERT[1], "batchSize": 0}]], ONE, [["a"]]),
    ([DOCUMENT, TOKEN, ["AlbertForSequenceClassification", {**ALBERT[1], "activation": "tanh"}]], ONE, [["a"]]),
    ([DOCUMENT, TOKEN, ["AlbertForSequenceClassification", {**ALBERT[1], "outputCol": "text"}]], ONE, [["Oil is up."]]),
    ([*PLAIN, finisher()], ONE, TEXTS),
    ([*PLAIN, finisher()], "id int, text string", [[1, "Oil is up."]]),
    ([*PLAIN, finisher(outputCols=["label"])], ONE, TEXTS[:3]),
    ([*PLAIN, finisher(includeMetadata=True)], ONE, TEXTS[:3]),
    ([*PLAIN, finisher(outputAsArray=False)], ONE, TEXTS[:3]),
    ([*PLAIN, finisher(outputAsArray=False, includeMetadata=True)], ONE, TEXTS[:3]),
    ([*PLAIN, finisher(cleanAnnotations=False)], ONE, TEXTS[:1]),
    ([*PLAIN, finisher(inputCols=["token", "class"])], ONE, TEXTS[:3]),
    ([*PLAIN, finisher(inputCols=["token", "class"], outputCols=["t", "c"], includeMetadata=True)], ONE, TEXTS[:1]),
    ([*PLAIN, finisher(inputCols=["token"], outputAsArray=False, valueSplitSymbol="/", annotationSplitSymbol="|")], ONE, TEXTS[:3]),
    ([*PLAIN, finisher(inputCols=["token"], outputAsArray=False, includeMetadata=True, valueSplitSymbol="/", annotationSplitSymbol="|")], ONE, TEXTS[:3]),
    ([*BY_SENTENCE, finisher(includeMetadata=True)], ONE, TEXTS[:3]),
    ([*BY_SENTENCE, finisher(outputAsArray=False)], ONE, TEXTS[:3]),
    ([*BY_SENTENCE, finisher(outputAsArray=False, includeMetadata=True)], ONE, TEXTS[:3]),
    ([*PLAIN, finisher(inputCols=["token", "class"], outputCols=["t"])], ONE, TEXTS[:1]),
    ([*PLAIN, finisher(inputCols=["none"])], ONE, TEXTS[:1]),
    ([*PLAIN, finisher(inputCols=["text"])], ONE, TEXTS[:1]),
    ([*PLAIN, finisher(outputCols=["text"])], ONE, TEXTS[:1]),
]  # fmt: skip
# Stages, the call, and its arguments.
LIGHT = [
    (PLAIN, "annotate", ["Oil is up."]),
    (PLAIN, "annotate", [["Oil is up.", "", "  ", "Rain. Sun."]]),
    (PLAIN, "annotate", [[]]),
    (PLAIN, "annotate", [5]),
    (PLAIN, "annotate", [None]),
    (PLAIN, "annotate", ["a", "b"]),
    (PLAIN, "annotate", [[1, 2], ["Oil is up.", "Rain."]]),
    (PLAIN, "fullAnnotate", ["Oil 😀 is up."]),
    (PLAIN, "fullAnnotate", [["Oil is up.", "", "\u00a0"]]),
    (PLAIN, "fullAnnotate", [[]]),
    (PLAIN, "fullAnnotate", [5]),
    (BY_SENTENCE, "annotate", ["Oil is up. Rain is near."]),
    (BY_SENTENCE, "fullAnnotate", [["Oil is up. Rain is near.", ""]]),
    ([*PLAIN, finisher()], "annotate", ["Oil is up."]),
    ([*PLAIN, finisher()], "fullAnnotate", ["Oil is up."]),
    ([*PLAIN, finisher(outputCols=["label"], includeMetadata=True, outputAsArray=False)], "annotate", ["Oil is up."]),
    ([document(cleanupMode="shrink"), SENTENCE, SENTENCE_TOKEN], "fullAnnotate", ["  Oil\tis. up "]),
    ([document(inputCol="body")], "annotate", ["Oil is up."]),
    ([DOCUMENT, ["SentenceDetector", {**SENTENCE[1], "explodeSentences": True}], SENTENCE_TOKEN], "annotate", ["Oil is up. Rain."]),
    ([DOCUMENT, ["SentenceDetector", {**SENTENCE[1], "inputCols": ["token"]}], TOKEN], "annotate", ["Oil is up."]),
]
# Calls of the loader: the folder's files.
LOADS = [
    None, [], ["model.onnx"], ["model.onnx", "assets/spiece.model"], ["model.onnx", "assets/labels.txt"], ["assets/spiece.model", "assets/labels.txt"],
    ["saved_model.pb", "assets/spiece.model", "assets/labels.txt"],
]  # fmt: skip


@functools.cache
def loaded(classifier: str, params: str):
    """The classifier, one for each set of parameters: it takes long to load."""
    return AlbertForSequenceClassification.load(classifier)


def build(kind: str, params: dict, classifier: str):
    """A stage with its parameters set, as a user sets them."""
    if kind == "AlbertForSequenceClassification":
        made = loaded(classifier, json.dumps(params))
    else:
        made = getattr(sparknlp.annotator, kind, None) or getattr(sparknlp.base, kind)
        made = made()
    for name, value in params.items():
        getattr(made, f"set{name[0].upper()}{name[1:]}")(value)
    return made


def plain(value):
    """Rows and annotations as JSON; lists and maps may be the JVM's."""
    if isinstance(value, Row):
        value = value.asDict()
    if isinstance(value, Annotation):
        value = {name: getattr(value, name) for name in ("annotatorType", "begin", "end", "result", "metadata", "embeddings")}
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(one) for one in value]
    return value


def said(error: Exception) -> str:
    """The error's message; the random part of a stage's name left out."""
    return re.sub(r"_[0-9a-f]{12}\b", "_UID", message(error))


def transformed(spark, classifier: str, stages: list, schema: str, rows: list) -> dict:
    """The schema as printed, the metadata of columns, and every row."""
    try:
        if schema.endswith("array<string> not null"):
            schema = StructType([StructField("text", ArrayType(StringType(), containsNull=False))])
        frame = spark.createDataFrame(rows, schema)
        out = Pipeline(stages=[build(kind, params, classifier) for kind, params in stages]).fit(frame).transform(frame)
        metadata = {field.name: field.metadata for field in out.schema.fields if field.metadata}
        return {"schema": out._jdf.schema().treeString(), "metadata": metadata, "rows": plain(out.collect())}
    except Exception as error:
        return {"error": said(error)}


def light(spark, classifier: str, stages: list, call: str, arguments: list) -> dict:
    """What a light pipeline of these stages answers."""
    try:
        column = stages[0][1]["inputCol"]
        model = Pipeline(stages=[build(kind, params, classifier) for kind, params in stages]).fit(spark.createDataFrame([[""]], [column]))
        return {"answer": plain(getattr(LightPipeline(model), call)(*arguments))}
    except Exception as error:
        return {"error": said(error)}


def load(spark, scratch: Path, files: list | None) -> dict:
    """What the loader says to a folder that holds these files, all of them empty."""
    folder = scratch / "load"
    for name in files or []:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    if files == []:
        folder.mkdir(parents=True)
    try:
        AlbertForSequenceClassification.loadSavedModel(str(folder), spark)
        return {"loaded": True}
    except Exception as error:
        return {"error": said(error).replace(str(folder), "FOLDER")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fixtures", type=Path, metavar="FIXTURES_DIR")
    parser.add_argument("out", type=Path, metavar="OUT_FILE")
    arguments = parser.parse_args()
    spark = session()
    out = []
    with tempfile.TemporaryDirectory() as scratch:
        (archive,) = arguments.fixtures.glob("albert_tiny_sequence_classifier_news_en_5*")
        zipfile.ZipFile(archive).extractall(f"{scratch}/model")
        classifier = f"file://{scratch}/model"
        for stages, schema, rows in PIPELINES:
            print("transform", json.dumps(stages[-1]), flush=True)
            out.append({"stages": stages, "input": schema, "data": rows, **transformed(spark, classifier, stages, schema, rows)})
        for stages, call, given in LIGHT:
            print(call, given, flush=True)
            out.append({"stages": stages, "call": call, "arguments": given, **light(spark, classifier, stages, call, given)})
        for number, files in enumerate(LOADS):
            out.append({"load": files, **load(spark, Path(scratch) / str(number), files)})
    write(arguments.out, out)


if __name__ == "__main__":
    main()
