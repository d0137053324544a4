"""Runs Albertine and its rivals in turn on the same texts and prints one table of ratios.

usage: run.py --model DIR --texts CSV --albertine PROGRAM [--section NAME]... [--docs N] [--threads N] [--repeats N] [--json PATH]

DIR is made by make_model.py. The README beside this file says what is measured and how it is kept fair.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import texts as corpus
from sections import NAMES, NOT_HELD, SECTIONS, Section

SHAPES = [("sorted", 32), ("sorted", 8), ("naive", 8)]
LONE_RUNS = 200
PACKAGES = {"torch": "torch", "ort": "onnxruntime", "ov": "openvino"}


@dataclass
class Contestant:
    """One engine in one shape, how to run it, and what its runs reported."""

    name: str
    engine: str
    command: list[str]
    environment: dict[str, str]
    reports: list[dict] = field(default_factory=list)

    def run(self) -> None:
        print(f"  {self.name}", file=sys.stderr, end="", flush=True)
        done = subprocess.run(self.command, env={**os.environ, **self.environment}, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"\n{' '.join(self.command)}\nfailed:\n{done.stderr}")
        self.reports.append(json.loads(done.stdout.splitlines()[-1]))
        print(f"  {self.reports[-1]['seconds']:.4g} s", file=sys.stderr)

    def seconds(self) -> list[float]:
        return [report["seconds"] for report in self.reports]


@dataclass
class Texts:
    """The texts of a measurement: a CSV file that both sides read, and what it holds."""

    path: Path
    docs: int
    tokens: int
    flops: int


@dataclass
class Row:
    """One line of the table."""

    section: str
    precision: str
    engine: str
    docs_per_second: float
    gflops: float
    share_of_peak: float
    ratio: float | None
    ratio_range: tuple[float, float] | None
    runs: list[dict]

    def cells(self) -> list[str]:
        milliseconds = 1000 / self.docs_per_second
        return [
            self.section, self.precision, self.engine, f"{self.docs_per_second:.2f}", f"{milliseconds:.1f}",
            f"{self.gflops:.0f}", f"{100 * self.share_of_peak:.0f} %",
            "" if self.ratio is None else f"{self.ratio:.2f} ({self.ratio_range[0]:.2f} to {self.ratio_range[1]:.2f})",
        ]


def gather(model: Path, source: Path, count: int, lone: bool, path: Path) -> Texts:
    """Writes the first texts of `source`, or the one of them that is measured alone, to `path`."""
    texts = corpus.read(source, count)
    lengths = [len(encoding.ids) for encoding in corpus.tokenizer(model).encode_batch(texts)]
    if lone:
        chosen = corpus.lone(lengths)
        texts, lengths = [texts[chosen]], [lengths[chosen]]
    corpus.write(path, texts)
    return Texts(path, len(texts), sum(lengths), corpus.useful_flops(model, lengths))


def rivals(arguments: argparse.Namespace, section: Section, engines: tuple[str, ...], texts: Texts) -> list[Contestant]:
    """The rivals of a section, in each shape that they can choose."""
    made = []
    for engine in engines:
        command = [
            sys.executable, str(Path(__file__).with_name("engine.py")), "--engine", engine, "--model", str(arguments.model),
            "--texts", str(texts.path), "--docs", str(texts.docs), "--threads", str(arguments.threads),
        ]
        name = f"{NAMES[engine]} ({version(PACKAGES[engine.split('-')[0]])})"
        if section.rivals_held and engine in NOT_HELD:
            name += f", {NOT_HELD[engine]}"
        if section.lone:
            made.append(Contestant(name, engine, [*command, "--latency", str(LONE_RUNS)], section.rivals_held))
            continue
        for order, batch in SHAPES:
            shape = ["--order", order, "--batch", str(batch), "--passes", "1"]
            made.append(Contestant(f"{name}, {order} by {batch}", engine, command + shape, section.rivals_held))
    return made


def ours(arguments: argparse.Namespace, section: Section, precision: str, texts: Texts) -> Contestant:
    """Albertine with the same texts; it warms up with one round of its own."""
    command = [
        str(arguments.albertine), "bench", "--quiet", "--model", str(arguments.model), "--input", str(texts.path),
        "--text-column", "text", "--rounds", str(LONE_RUNS if section.lone else 1), "--threads", str(arguments.threads),
        "--precision", precision,
    ]
    return Contestant("Albertine", "albertine", command, section.ours_held)


def lacking(arguments: argparse.Namespace, section: Section, precision: str) -> str | None:
    """Why this CPU cannot take part in a section at that precision."""
    level = section.ours_held.get("ALBERTINE_CPU")
    cpu = json.loads(subprocess.check_output([str(arguments.albertine), "inspect", "cpu"], text=True))
    if level is not None and level not in cpu["available"]:
        return f"this CPU does not have the level {level}"
    if precision not in cpu["precisions"]:
        return f"this CPU does not support {precision}"
    return None


def meet(name: str, precision: str, albertine: Contestant, others: list[Contestant], texts: Texts, repeats: int) -> list[Row]:
    """Runs all in turn, `repeats` times, and keeps each rival's best shape."""
    for turn in range(repeats):
        print(f"{name}, {precision}: turn {turn + 1} of {repeats}", file=sys.stderr)
        for contestant in [albertine, *others]:
            contestant.run()
            if contestant.reports[-1]["tokens"] != texts.tokens:
                sys.exit(f"{contestant.name} worked on {contestant.reports[-1]['tokens']} pieces, not on {texts.tokens}")
    peak = statistics.median(report["peak_gflops"] for report in albertine.reports)

    def row(contestant: Contestant) -> Row:
        seconds = statistics.median(contestant.seconds())
        gflops = texts.flops / seconds / 1e9
        ratios = [theirs / own for own, theirs in zip(albertine.seconds(), contestant.seconds())]
        rival = contestant is not albertine
        return Row(
            name, precision, contestant.name, texts.docs / seconds, gflops, gflops / peak,
            statistics.median(ratios) if rival else None, (min(ratios), max(ratios)) if rival else None, contestant.reports,
        )

    best: dict[str, Contestant] = {}
    for contestant in sorted(others, key=lambda contestant: -statistics.median(contestant.seconds())):
        best[contestant.engine] = contestant
    level = albertine.reports[-1]["cpu_level"]
    albertine.name = f"Albertine ({level}, peak {peak:.0f})"
    return [row(contestant) for contestant in [albertine, *best.values()]]


def table(rows: list[Row]) -> str:
    """A Markdown table with aligned columns."""
    head = ["section", "precision", "engine", "docs/s", "ms a text", "GFLOP/s", "share of peak", "ours / theirs"]
    cells = [head, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--texts", type=Path, required=True, help="a CSV file with a column `text`")
    parser.add_argument("--albertine", type=Path, required=True, help="the program to measure")
    parser.add_argument("--section", action="append", choices=SECTIONS, help="may be given again; all of them when not given")
    parser.add_argument("--docs", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="gets the same rows and every single run")
    arguments = parser.parse_args()

    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.section or SECTIONS:
            section = SECTIONS[name]
            texts = gather(arguments.model, arguments.texts, arguments.docs, section.lone, Path(folder) / f"{name}.csv")
            for precision, engines in section.rivals.items():
                if reason := lacking(arguments, section, precision):
                    print(f"{name}, {precision}: skipped, {reason}", file=sys.stderr)
                    continue
                albertine, others = ours(arguments, section, precision, texts), rivals(arguments, section, engines, texts)
                rows += meet(name, precision, albertine, others, texts, arguments.repeats)
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
