"""Asks Spark NLP what one stage makes of texts; a JSON line each.

usage: ask.py STAGE [--params JSON] [--cleanup MODE] TEXT...

STAGE is Tokenizer, SentenceDetector or DocumentAssembler. A text is taken as JSON if it starts with a quote, so that "a\\nb" can be given.
"""

import argparse
import json

from sparknlp import annotator

from annotators import assembler, run, stage
from session import session


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["Tokenizer", "SentenceDetector", "DocumentAssembler"])
    parser.add_argument("--params", type=json.loads, default={})
    parser.add_argument("--cleanup", default="disabled")
    parser.add_argument("text", nargs="+")
    arguments = parser.parse_args()
    spark = session()
    texts = [json.loads(text) if text.startswith('"') else text for text in arguments.text]
    stages, column = [assembler(arguments.cleanup)], "document"
    if arguments.stage != "DocumentAssembler":
        stages.append(stage(getattr(annotator, arguments.stage), "document", "out", arguments.params))
        column = "out"
    for text, row in zip(texts, run(spark, stages, [column], texts)):
        found = row if isinstance(row, str) else [[one.begin, one.end, one.result, one.metadata] for one in row[column]]
        print(json.dumps({"text": text, "annotations": found}, ensure_ascii=False))


if __name__ == "__main__":
    main()
