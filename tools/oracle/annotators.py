"""Writes down what Spark NLP's text stages give.

usage: annotators.py OUT_DIR
       annotators.py --csv FILE [--text-column NAME] OUT_FILE

The first form makes annotators.jsonl, cleanup.jsonl, tokenizer.jsonl and sentence_detector.jsonl in OUT_DIR from the strings of texts.py.
The second makes one file in the form of annotators.jsonl for the texts of a table. README.md beside this script says what is in them.
"""

import argparse
import csv
import json
from pathlib import Path

from pyspark.ml import Pipeline
from sparknlp.annotator import SentenceDetector, Tokenizer
from sparknlp.base import DocumentAssembler

from session import message, rows, session
from texts import texts

SEED = 20_041_108
COUNT = 2000
# How many of the texts each cleanup mode and set of parameters gets; the vectors are the first of them.
CLEANED, TOKENIZED, DETECTED = COUNT, 280, 400
MODES = ["disabled", "inplace", "inplace_full", "shrink", "shrink_full", "each", "each_full", "delete_full"]

FRENCH = r"([\w\u00C0-\u017F]+['’])([\w\u00C0-\u017F]+)"
TOKENIZERS = [
    {"exceptions": ["New York"]},
    {"exceptions": ["New York"], "caseSensitiveExceptions": False},
    {"exceptions": [r"Jane's \w+", "that."]},
    {"exceptions": ["e-mail", "won't", "U.S."]},
    {"exceptions": [r"\$\d+ \w+", r"\d+\.", "😀 ok"]},
    {"targetPattern": r"\w+"},
    {"targetPattern": r"\w+", "exceptions": ["New York"]},
    {"targetPattern": r"[a-z]+"},
    {"targetPattern": r"\p{L}"},
    {"targetPattern": "."},
    {"minLength": 4, "maxLength": 5},
    {"minLength": 2},
    {"maxLength": 3},
    {"maxLength": 0},
    {"splitChars": ["-", "#"]},
    {"splitChars": ["\\."]},
    {"splitChars": ["."]},
    {"splitPattern": "-|#"},
    {"splitPattern": "(?=.)"},
    {"splitPattern": r"\d+"},
    {"splitPattern": r"(?<=\d)(?=\D)"},
    {"splitPattern": "[aeiou]", "splitChars": ["-"]},
    {"contextChars": [".", ","]},
    {"contextChars": ["(", ")", "?", "!"]},
    {"contextChars": ["^", "]", "[", "\\", "-", "$"]},
    {"contextChars": ["é", "😀", "“", "”", "."]},
    {"contextChars": ["a"]},
    {"prefixPattern": r"\A([^\s\w\$\.]*)"},
    {"suffixPattern": r"([^\s\w]?)([^\s\w]*)\z"},
    {"prefixPattern": r"\A([^\s\w\$\.]*)", "suffixPattern": r"([^\s\w]?)([^\s\w]*)\z"},
    {"infixPatterns": [FRENCH]},
    {"infixPatterns": [r"(\w+)(n't\b)", r"(\w+)('\w+)", r"((?:\w\.)+)", r"(\w+)"]},
    {"infixPatterns": [r"([\p{L}\w]+)('{1}[\p{L}]+)", r"((?:\p{L}\.)+)", r"([\$#]?\d+(?:[^\s]{1}\d+)*)", r"([\p{L}\w]+)"],
     "prefixPattern": r"\A([^\s\w\$\.]*)", "suffixPattern": r"([^\s\w]?)([^\s\w]*)\z"},
    {"infixPatterns": [r"(\w+)-(\w+)"], "minLength": 2, "splitChars": ["o"]},
]  # fmt: skip
DETECTORS = [
    {"useAbbreviations": False},
    {"detectLists": False},
    {"useAbbreviations": False, "detectLists": False},
    {"customBounds": ["%%"]},
    {"customBounds": ["\n\n"]},
    {"customBounds": ["\n"], "customBoundsStrategy": "append"},
    {"customBounds": ["\\s-\\s", "and"], "customBoundsStrategy": "prepend"},
    {"customBounds": [",", "\\d+"], "customBoundsStrategy": "prepend", "useAbbreviations": False},
    {"customBounds": ["\\.", ";"], "useCustomBoundsOnly": True},
    {"customBounds": ["\\.", ";"], "useCustomBoundsOnly": True, "customBoundsStrategy": "append"},
    {"customBounds": ["\\.", ";"], "useCustomBoundsOnly": True, "customBoundsStrategy": "prepend"},
    {"customBounds": ["\n[\\d\\.]+"], "useCustomBoundsOnly": True, "customBoundsStrategy": "prepend"},
    {"customBounds": ["[.!?]+", "\\s*\n\\s*"], "useCustomBoundsOnly": True, "customBoundsStrategy": "append"},
    {"customBounds": ["(\\|)+", "(?=%)"], "useCustomBoundsOnly": True},
    {"useCustomBoundsOnly": True},
    {"splitLength": 12},
    {"splitLength": 30},
    {"splitLength": 5, "useAbbreviations": False},
    {"minLength": 16, "maxLength": 26},
    {"minLength": 3},
    {"maxLength": 10},
    {"minLength": 5, "splitLength": 10},
    {"splitLength": 10, "maxLength": 8},
]


def stage(kind: type, inputs: str, output: str, params: dict):
    """An annotator with its parameters set as a user sets them."""
    made = kind().setInputCols([inputs]).setOutputCol(output)
    for name, value in params.items():
        getattr(made, f"set{name[0].upper()}{name[1:]}")(value)
    return made


def run(spark, stages: list, columns: list, texts: list) -> list:
    """A row of the columns for each text, or the message of the error that this text ends in."""
    frame = spark.createDataFrame([[at, text] for at, text in enumerate(texts)], "at int, text string").repartition(2)
    try:
        found = Pipeline(stages=stages).fit(frame).transform(frame).select("at", *columns).collect()
    except Exception as error:
        if len(texts) == 1:
            return [message(error)]
        half = len(texts) // 2
        return run(spark, stages, columns, texts[:half]) + run(spark, stages, columns, texts[half:])
    return sorted(found, key=lambda row: row["at"])


def assembler(mode: str = "disabled"):
    return DocumentAssembler().setInputCol("text").setOutputCol("document").setCleanupMode(mode)


def annotated(spark, texts: list) -> list:
    """One object a text: its sentences, and its tokens over the document and over sentences."""
    stages = [
        assembler(),
        stage(SentenceDetector, "document", "sentence", {}),
        stage(Tokenizer, "document", "token", {}),
        stage(Tokenizer, "sentence", "sentence_token", {}),
    ]
    out = []
    for text, row in zip(texts, run(spark, stages, ["document", "sentence", "token", "sentence_token"], texts)):
        if isinstance(row, str):
            raise SystemExit(f"{text!r}: {row}")
        # The whole text is the document; its length counts UTF-16 units, as everything does.
        if rows(text, row.document) != [[0, len(text.encode("utf-16-le")) // 2 - 1, 0]]:
            raise SystemExit(f"{text!r}: {row.document}")
        one = {"text": text, "sentences": rows(text, row.sentence), "tokens": rows(text, row.token)}
        over_sentences = rows(text, row.sentence_token)
        if over_sentences != one["tokens"]:
            one["sentence_tokens"] = over_sentences
        out.append(one)
    return out


def cleaned(spark, texts: list) -> list:
    """One object a text, with what each mode makes of it where it makes anything."""
    columns = [f"document_{mode}" for mode in MODES]
    stages = [assembler(mode).setOutputCol(column) for mode, column in zip(MODES, columns)]
    out = []
    for text, row in zip(texts, run(spark, stages, columns, texts)):
        one = {"text": text}
        for mode, column in zip(MODES, columns):
            (document,) = row[column]
            if rows(document.result, [document]) != [[0, len(document.result.encode("utf-16-le")) // 2 - 1, 0]]:
                raise SystemExit(f"{text!r}: {document}")
            if document.result != text:
                one[mode] = document.result
        out.append(one)
    return out


def varied(spark, kind: type, variants: list, texts: list, usual: list) -> list:
    """One object a set of parameters: the texts on which it gives something other than the usual, by their index, and what."""
    out = []
    for params in variants:
        stages = [assembler(), stage(kind, "document", "out", params)]
        differ = []
        for at, row in enumerate(run(spark, stages, ["out"], texts)):
            found = row if isinstance(row, str) else rows(texts[at], row.out)
            if found != usual[at]:
                differ.append([at, found])
        print(f"{kind.__name__} {params}: {len(differ)} of {len(texts)} differ", flush=True)
        out.append({"params": params, "texts": len(texts), "differ": differ})
    return out


def write(path: Path, objects: list) -> None:
    """JSON Lines."""
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        for one in objects:
            out.write(json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n")


def column(path: Path, name: str) -> list:
    with open(path, encoding="utf-8", newline="") as source:
        return [row[name] for row in csv.DictReader(source)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--csv", type=Path, help="the texts of this table instead of generated ones")
    parser.add_argument("--text-column", default="text")
    arguments = parser.parse_args()
    spark = session()
    if arguments.csv:
        strings = column(arguments.csv, arguments.text_column)
        found = annotated(spark, strings)
        for one, modes in zip(found, cleaned(spark, strings)):
            one["cleanup"] = {mode: text for mode, text in modes.items() if mode != "text"}
        write(arguments.out, found)
        return
    strings = texts(COUNT, SEED)
    arguments.out.mkdir(parents=True, exist_ok=True)
    usual = annotated(spark, strings)
    write(arguments.out / "annotators.jsonl", usual)
    write(arguments.out / "cleanup.jsonl", cleaned(spark, strings[:CLEANED]))
    tokens = varied(spark, Tokenizer, TOKENIZERS, strings[:TOKENIZED], [one["tokens"] for one in usual])
    write(arguments.out / "tokenizer.jsonl", tokens)
    sentences = varied(spark, SentenceDetector, DETECTORS, strings[:DETECTED], [one["sentences"] for one in usual])
    write(arguments.out / "sentence_detector.jsonl", sentences)


if __name__ == "__main__":
    main()
