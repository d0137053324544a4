"""Measures the built-in model on a labelled table, through the command itself.

usage: accuracy.py ALBERTINE TABLE_CSV --at-least 0.90

TABLE_CSV has columns `label` and `text`. Prints the share of rows whose label is found, and fails when it is under the bar.
"""

import argparse
import csv
import io
import subprocess
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albertine", type=Path, metavar="ALBERTINE")
    parser.add_argument("table", type=Path, metavar="TABLE_CSV")
    parser.add_argument("--at-least", type=float, required=True)
    arguments = parser.parse_args()

    command = [arguments.albertine, "classify", "--input", arguments.table, "--output-format", "csv", "--quiet"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = list(csv.DictReader(io.StringIO(output)))
    with open(arguments.table, newline="", encoding="utf-8") as table:
        expected = list(csv.DictReader(table))
    if [(row["label"], row["text"]) for row in rows] != [(row["label"], row["text"]) for row in expected]:
        sys.exit("the rows of the output are not those of the input")

    right = sum(row["label"] == row["predicted_label"] for row in rows)
    accuracy = right / len(rows)
    print(f"accuracy {accuracy:.4f}: {right} of {len(rows)} rows of {arguments.table.name}")
    if accuracy < arguments.at_least:
        sys.exit(f"the accuracy is under {arguments.at_least}")


main()
