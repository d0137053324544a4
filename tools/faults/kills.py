"""Kills `albertine classify --resume` at random moments and compares what comes of it with an unbroken run.

usage: kills.py ALBERTINE [--model MODEL] [--kills 100] [--rows 20000] [--seed 1]

For each kind of output (CSV, JSON Lines, Parquet, CSV in gzip, a folder of Parquet) an unbroken run with --resume is the reference. Then
the same run is begun, killed with SIGKILL at a moment of its time that is drawn at random, and begun again; one in three is killed a
second time. At the end every file must have the bytes of the reference, and no other file may be left, hidden ones included. A few rows
of the input cannot be read and are put aside with --rejects. Prints a table in Markdown, and fails if a run differs.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORDS = "oil prices rose team won cup final market shares fell chip maker president talks storm film court phone bank goal".split()
KINDS = ["labels.csv", "labels.jsonl", "labels.parquet", "labels.csv.gz", "labels/"]
FILES = 8


def write_inputs(folder: Path, rows: int, chance: random.Random) -> None:
    """Tables with a row in a thousand that has no text; the last has half of the rows, for parts that end within a file."""
    folder.mkdir()
    for number in range(FILES):
        lines = ["id,text"]
        for row in range(rows // 2 if number == FILES - 1 else rows // 2 // (FILES - 1)):
            text = " ".join(chance.choices(WORDS, k=chance.randint(4, 24)))
            lines.append(f"{row}" if chance.random() < 0.001 else f"{row},{text} {number}")
        (folder / f"{number}.csv").write_text("\n".join(lines) + "\n")


def command(albertine: Path, model: str, folder: Path, kind: str) -> list[str]:
    words = [albertine, "classify", "--model", model, "--input", "in", "--output", f"{folder}/{kind}", "--rejects", f"{folder}/rejects.jsonl"]
    return [*map(str, words), "--resume", "--quiet"]


def files(folder: Path) -> dict[str, bytes]:
    """All that is left in a folder; of what a folder of tables keeps about itself, the names."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): b"" if path.parent.name == ".parts" else path.read_bytes() for path in found}


def finish(words: list[str], place: Path) -> None:
    done = subprocess.run(words, cwd=place, capture_output=True, text=True)
    # A run over a folder that was killed in its last moment leaves nothing to do and nothing to tell.
    if done.returncode not in (0, 1) or "panicked" in done.stderr:
        sys.exit(f"exit code {done.returncode} of {' '.join(words)}: {done.stderr}")


def kill_at(words: list[str], place: Path, moment: float) -> bool:
    """Whether the run was still going when it was killed."""
    with subprocess.Popen(words, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        try:
            run.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            run.kill()
            return True
    return False


def state(output: Path, kind: str) -> tuple[bool, int]:
    """Whether the table was in its place, and how many parts there were."""
    parts = output / "labels/.parts" if kind.endswith("/") else output / f".{kind}.parts"
    kept = [path for path in parts.glob("*") if path.suffix in (".part", ".done")] if parts.is_dir() else []
    return (output / kind).is_file(), len(kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albertine", type=Path)
    parser.add_argument("--model", default="ag_news", help="a small one leaves more of the time to what is tested here")
    parser.add_argument("--kills", type=int, default=100, help="kills in all, spread over the kinds of output")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    albertine, chance = arguments.albertine.resolve(), random.Random(arguments.seed)
    model = str(Path(arguments.model).resolve()) if Path(arguments.model).exists() else arguments.model
    wrong = 0
    print("| output | unbroken run | kills | before the first part | with parts kept | table in place | equal to the unbroken run |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for number, kind in enumerate(KINDS):
        share = arguments.kills // len(KINDS) + (number < arguments.kills % len(KINDS))
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)
            write_inputs(place / "in", arguments.rows, random.Random(arguments.seed))
            (place / "reference").mkdir()
            since = time.monotonic()
            finish(command(albertine, model, place / "reference", kind), place)
            took = time.monotonic() - since
            reference = files(place / "reference")
            kills = early = kept = in_place = equal = runs = 0
            while kills < share:
                output = place / "out"
                output.mkdir()
                words = command(albertine, model, output, kind)
                for _ in range(2 if chance.random() < 1 / 3 else 1):
                    if kills < share and kill_at(words, place, chance.uniform(0, took)):
                        kills += 1
                        there, parts = state(output, kind)
                        in_place += there
                        early += not there and parts == 0
                        kept += not there and parts > 0
                finish(words, place)
                if files(output) == reference:
                    equal += 1
                else:
                    wrong += 1
                    print(f"{kind}: other files than {sorted(reference)}: {sorted(files(output))}", file=sys.stderr)
                runs += 1
                shutil.rmtree(output)
            print(f"| `{kind}` | {took:.1f} s | {kills} | {early} | {kept} | {in_place} | {equal} of {runs} |", flush=True)
    sys.exit(1 if wrong else 0)


main()
