"""Compares what two builds of the command answer, bit for bit.

usage: same_bits.py OLD NEW [--rows N] [--only NAME ...]

Classifies the golden texts with every golden checkpoint that OLD reads, and the AG News test rows with the built-in model
where ../shared has them, by both programs, at every CPU level that this machine has and every precision, logits and all.
Their outputs must be the same bytes. Prints a line for each model, and fails with the first line that differs.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
AG_NEWS = ROOT.parent / "shared/data/ag_news/test.csv"


def answer(program: Path, model: str | None, texts: Path, level: str, precision: str) -> subprocess.CompletedProcess:
    """What a program says of the texts."""
    command = [program, "classify", "--input", texts, "--logits", "--all-scores", "--quiet", "--precision", precision]
    command += ["--model", model] if model else []
    return subprocess.run(command, capture_output=True, env=os.environ | {"ALBERTINE_CPU": level})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, metavar="OLD")
    parser.add_argument("new", type=Path, metavar="NEW")
    parser.add_argument("--rows", type=int, help="so many AG News rows; all by default")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these checkpoints, `built-in` among them")
    arguments = parser.parse_args()
    cpu = json.loads(subprocess.run([arguments.old, "inspect", "cpu"], capture_output=True, check=True).stdout)
    models = sorted(path.name for path in (ROOT / "testdata/golden").iterdir() if path.is_dir())
    models += ["built-in"] if AG_NEWS.exists() else []
    with tempfile.TemporaryDirectory() as scratch:
        golden, news = Path(scratch, "golden.jsonl"), Path(scratch, "news.jsonl")
        texts = json.loads((ROOT / "tools/golden/texts.json").read_text())
        golden.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        if AG_NEWS.exists():
            with open(AG_NEWS, newline="", encoding="utf-8") as file:
                rows = [{"text": row["text"]} for row in csv.DictReader(file)][: arguments.rows]
            news.write_text("".join(json.dumps(row) + "\n" for row in rows))
        compared = 0
        for name in arguments.only or models:
            model = None if name == "built-in" else str(ROOT / "testdata/golden" / name)
            done, lacking = [], []
            for level in cpu["available"]:
                for precision in cpu["precisions"]:
                    input_ = golden if model else news
                    old, new = (answer(program, model, input_, level, precision) for program in (arguments.old, arguments.new))
                    if old.returncode:
                        lacking.append(f"{level} {precision}")
                        continue
                    if new.returncode or old.stdout != new.stdout:
                        pairs = zip(old.stdout.splitlines(), new.stdout.splitlines())
                        different = next((pair for pair in pairs if pair[0] != pair[1]), (b"", new.stderr))
                        sys.exit(f"{name} at {level} in {precision}:\n- {different[0].decode()}\n+ {different[1].decode()}")
                    done.append(f"{level} {precision}")
                    compared += old.stdout.count(b"\n")
            if not done:
                print(f"{name:18} not read by {arguments.old}")
                continue
            note = f", not there: {', '.join(lacking)}" if lacking else ""
            print(f"{name:18} the same at {len(done)} levels and precisions{note}", flush=True)
    print(f"{compared} rows compared, all the same bits")


if __name__ == "__main__":
    main()
