"""Measures the built-in model on a labelled table at every precision, through the command itself.

usage: accuracy.py ALBERTINE TABLE_CSV --at-least 0.92

TABLE_CSV has columns `label` and `text`. Prints the share of rows whose label is found, and of rows whose label is that of
f32. Fails when `albertine evaluate` counts otherwise, when the first is under the bar or more than 0.3 points under that of
f32, or the second under 99.9 % for bf16 or 99.3 % for int8.
"""

import argparse
import csv
import io
import json
import subprocess
import sys
from pathlib import Path

AGREEMENT = {"f32": 1.0, "bf16": 0.999, "int8": 0.993}
WORSE = 0.003


def supported(albertine: Path) -> tuple[str, list[str]]:
    """The CPU level in use and its precisions."""
    cpu = json.loads(subprocess.run([albertine, "inspect", "cpu"], check=True, capture_output=True).stdout)
    return cpu["cpu_level"], cpu["precisions"]


def labels(albertine: Path, table: Path, precision: str) -> list[str]:
    """The label of each row."""
    command = [albertine, "classify", "--input", table, "--output-format", "csv", "--quiet", "--precision", precision]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    with open(table, newline="", encoding="utf-8") as file:
        expected = list(csv.DictReader(file))
    if [(row["label"], row["text"]) for row in rows] != [(row["label"], row["text"]) for row in expected]:
        sys.exit("the rows of the output are not those of the input")
    return [row["predicted_label"] for row in rows]


def evaluated(albertine: Path, table: Path, precision: str) -> float:
    """The accuracy that `albertine evaluate` tells."""
    command = [albertine, "evaluate", "--input", table, "--quiet", "--precision", precision]
    return float(json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["eval_accuracy"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albertine", type=Path, metavar="ALBERTINE")
    parser.add_argument("table", type=Path, metavar="TABLE_CSV")
    parser.add_argument("--at-least", type=float, required=True)
    arguments = parser.parse_args()

    with open(arguments.table, newline="", encoding="utf-8") as file:
        true = [row["label"] for row in csv.DictReader(file)]
    level, precisions = supported(arguments.albertine)
    print(f"CPU level {level}")
    exact: list[str] = []
    bar = arguments.at_least
    for precision, least in AGREEMENT.items():
        if precision not in precisions:
            print(f"skipped: {precision}, which the CPU level {level} does not support")
            continue
        found = labels(arguments.albertine, arguments.table, precision)
        exact = exact or found
        right = sum(map(str.__eq__, found, true))
        same = sum(map(str.__eq__, found, exact))
        accuracy = right / len(true)
        print(f"accuracy {accuracy:.4f} at {precision}: {right} of {len(true)} rows of {arguments.table.name}; {same} as f32")
        if (told := evaluated(arguments.albertine, arguments.table, precision)) != accuracy:
            sys.exit(f"`albertine evaluate` tells an accuracy of {told}")
        if accuracy < bar:
            sys.exit(f"the accuracy is under {bar}")
        if same / len(true) < least:
            sys.exit(f"fewer than {least:.1%} of the labels are those of f32")
        bar = max(arguments.at_least, right / len(true) - WORSE) if precision == "f32" else bar


main()
