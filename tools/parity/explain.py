"""Holds the values of `albertine explain` against those of the `shap` package with the same model in transformers.

usage: explain.py ALBERTINE MODEL_DIR TEXTS_CSV [--rows 20] [--evaluations 500] [--threads 2] [--precision f32]

MODEL_DIR is a Hugging Face directory. TEXTS_CSV has a column `text`. Needs what `requirements.txt` beside it names. Prints for each
text the greatest difference of a weight, of any piece and for any class, and at the end the times; fails when a difference is over
1e-3. Both sides read as many evaluations of a text and use as many threads. The time of `albertine` is that of the whole command.
"""

import argparse
import csv
import json
import subprocess
import sys
import time
import warnings
from itertools import islice
from pathlib import Path

import numpy as np
import shap
import torch
from transformers import AutoTokenizer, pipeline

TOLERANCE = 1e-3


def is_comparable(tokenizer: AutoTokenizer, text: str) -> bool:
    """Whether `shap` reads this text. It puts a text together from the tokens' places, and `tokenizers` gives a token that is
    a space alone the place of the letter behind it, which `shap` then reads twice."""
    places = tokenizer(text, truncation=True, return_offsets_mapping=True)["offset_mapping"][1:-1]
    if all(before[1] <= after[0] for before, after in zip(places, places[1:])):
        return True
    print(f"left out, since shap reads a letter twice: {text[:60]}")
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albertine", metavar="ALBERTINE")
    parser.add_argument("model", type=Path, metavar="MODEL_DIR")
    parser.add_argument("texts", type=Path, metavar="TEXTS_CSV")
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--evaluations", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="f32")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(arguments.threads)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    with arguments.texts.open(newline="", encoding="utf-8") as file:
        comparable = (row["text"] for row in csv.DictReader(file) if is_comparable(tokenizer, row["text"]))
        texts = list(islice(comparable, arguments.rows))

    command = [arguments.albertine, "explain", "--pieces", "--model", str(arguments.model)]
    command += ["--threads", str(arguments.threads), "--precision", arguments.precision]
    command += ["--evaluations", str(arguments.evaluations), "--", *texts]
    started = time.perf_counter()
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    ours_seconds = time.perf_counter() - started
    ours = [json.loads(line) for line in lines]

    # without a type, a pipeline computes in that of the checkpoint, which may be f16
    classifier = pipeline(
        "text-classification", model=str(arguments.model), top_k=None, truncation=True, dtype=torch.float32
    )
    explainer = shap.Explainer(classifier)
    explainer(["warm up"], max_evals=10, silent=True)
    theirs_seconds, worst = 0.0, 0.0
    for text, mine in zip(texts, ours):
        np.random.seed(0)
        started = time.perf_counter()
        found = explainer([text], max_evals=arguments.evaluations, silent=True)
        theirs_seconds += time.perf_counter() - started
        assert list(found.output_names) == mine["labels"]
        segments = [piece["piece"] for piece in mine["pieces"]]
        assert [part.strip() for part in found.data[0]] == [part.strip() for part in segments], (found.data[0], segments)
        weights = np.array([piece["weights"] for piece in mine["pieces"]])
        difference = float(np.abs(weights - found.values[0]).max())
        base = float(np.abs(np.array(mine["base"]) - found.base_values[0]).max())
        worst = max(worst, difference, base)
        print(f"{difference:.1e}  base {base:.1e}  {len(segments)} pieces  {text[:60]}", flush=True)
    print(
        f"{len(texts)} texts, greatest difference {worst:.1e}; shap with transformers {theirs_seconds:.1f} s, "
        f"albertine {ours_seconds:.2f} s, ratio {theirs_seconds / ours_seconds:.1f}"
    )
    if worst > TOLERANCE:
        sys.exit(f"the difference is over {TOLERANCE}")


if __name__ == "__main__":
    main()
