"""Deletion curves of explanations: how much the score of the predicted class loses without the words that speak most for it.

usage: deletion.py ALBERTINE TEXTS_CSV [--rows 200] [--model NAME]

For each text and method, words are ranked by their weights for the predicted class. Comprehensiveness is what the score loses when the
first 5, 10, 20 and 50 % of the words are deleted (higher is better), sufficiency what it loses when only those are kept (lower is
better), each the mean over the four shares, as in DeYoung et al., "ERASER" (2020). Words are deleted from the text, not masked, so that
neither method is measured by what it was computed from. `random` ranks words by chance. The difference between the methods comes with
its standard error over the texts. Needs nothing but Python.
"""

import argparse
import csv
import json
import random
import statistics
import subprocess

SHARES = (0.05, 0.1, 0.2, 0.5)


def explained(albertine: str, model: str, method: str, texts: list[str]) -> list[dict]:
    command = [albertine, "explain", "--quiet", "--model", model, "--method", method, "--", *texts]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def scores(albertine: str, model: str, texts: list[str]) -> list[dict[str, float]]:
    """The score of every label; nothing speaks for a text without words, which has none."""
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    command = [albertine, "classify", "--quiet", "--model", model, "--input", "-", "--input-format", "jsonl", "--all-scores"]
    found = subprocess.run(command, check=True, capture_output=True, text=True, input=lines).stdout.splitlines()
    return [json.loads(line).get("scores") or {} for line in found]


def without(text: str, words: list[dict], gone: set[int]) -> str:
    """The text without the words of these indices."""
    kept, at = [], 0
    for index, word in enumerate(words):
        kept.append(text[at : word["begin"]])
        kept.append("" if index in gone else text[word["begin"] : word["end"]])
        at = word["end"]
    return "".join([*kept, text[at:]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albertine", metavar="ALBERTINE")
    parser.add_argument("texts", metavar="TEXTS_CSV")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--model", default="ag_news")
    arguments = parser.parse_args()
    with open(arguments.texts, newline="", encoding="utf-8") as file:
        texts = [row["text"] for row, _ in zip(csv.DictReader(file), range(arguments.rows))]

    rankings: dict[str, list[list[int]]] = {}
    for method in ("shap", "leave-one-out"):
        rows = explained(arguments.albertine, arguments.model, method, texts)
        rankings[method] = []
        for row in rows:
            label = row["labels"].index(row["label"])
            order = sorted(range(len(row["words"])), key=lambda word: -row["words"][word]["weights"][label])
            rankings[method].append(order)
    chance = random.Random(0)
    rankings["random"] = [chance.sample(range(len(row["words"])), len(row["words"])) for row in rows]

    asked: list[str] = []
    for ranking in rankings.values():
        for row, order in zip(rows, ranking):
            for share in SHARES:
                count = max(1, round(share * len(order)))
                first, rest = set(order[:count]), set(order[count:])
                asked += [without(row["text"], row["words"], first), without(row["text"], row["words"], rest)]
    answers = iter(scores(arguments.albertine, arguments.model, asked))

    figures: dict[str, dict[str, list[float]]] = {}
    for method in rankings:
        figures[method] = {"comprehensiveness": [], "sufficiency": []}
        for row in rows:
            losses = [[row["score"] - next(answers).get(row["label"], 0.0) for _ in range(2)] for _ in SHARES]
            figures[method]["comprehensiveness"].append(statistics.mean(loss[0] for loss in losses))
            figures[method]["sufficiency"].append(statistics.mean(loss[1] for loss in losses))
        mean = {name: statistics.mean(values) for name, values in figures[method].items()}
        print(f"{method:14} comprehensiveness {mean['comprehensiveness']:.4f}  sufficiency {mean['sufficiency']:.4f}")
    for name in ("comprehensiveness", "sufficiency"):
        pairs = zip(figures["shap"][name], figures["leave-one-out"][name])
        difference = [shap - other for shap, other in pairs]
        error = statistics.stdev(difference) / len(difference) ** 0.5
        print(f"shap - leave-one-out, {name}: {statistics.mean(difference):+.4f} +- {error:.4f}")


if __name__ == "__main__":
    main()
