"""Draws how near each stage of the encoder comes in f32 to what the CPU can multiply and the memory can deliver.

usage: roofline.py ALBERTINE --model DIR --input CSV --processor NAME --output SVG [--threads 2]

Runs `albertine bench`, which times the stages and measures the peak of the multiplications, and copies memory for the
bandwidth. A stage's operations are those of `Classifier::phase_flops`; its bytes are all weights and rows that it reads
and writes, once for each batch of 256 pieces, as if no cache kept anything from one stage to the next.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

# Pieces of a batch: the default of `--batch-tokens`.
BATCH = 256
# Of a value in f32.
BYTES = 4
# Bytes that are copied to find out the bandwidth, far more than a cache holds.
COPIED = 1 << 28
STAGES = {"qkv": "query, key, value", "attention": "attention", "projection": "projection", "feed-forward": "feed-forward"}
# Where the picture has a stage's label: its anchor, and how far right of and below the point it stands.
LABELS = {
    "query, key, value": ("end", -10, -12),
    "attention": ("start", 10, 5),
    "projection": ("end", -10, 22),
    "feed-forward": ("start", 10, 5),
}


@dataclass(frozen=True)
class Stage:
    """What one stage of all layers but the last did in a run."""

    name: str
    operations: float
    bytes: float
    seconds: float

    @property
    def intensity(self) -> float:
        """Operations for each byte."""
        return self.operations / self.bytes

    @property
    def gflops(self) -> float:
        return self.operations / self.seconds / 1e9

    @property
    def gigabytes_per_second(self) -> float:
        return self.bytes / self.seconds / 1e9


def copied_per_second(_: int) -> float:
    """Bytes that one process reads and writes in a second: the best of five copies."""
    source, target = bytearray(b"x" * COPIED), bytearray(COPIED)
    best = math.inf
    for _ in range(5):
        start = time.perf_counter()
        target[:] = source
        best = min(best, time.perf_counter() - start)
    return 2 * COPIED / best


def bandwidth(threads: int) -> float:
    """Bytes a second of as many processes together."""
    with ProcessPoolExecutor(threads) as pool:
        return sum(pool.map(copied_per_second, range(threads)))


def stages(config: dict, report: dict) -> Iterator[Stage]:
    """The stages of a report of `albertine bench`."""
    hidden, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    pieces, texts = report["tokens"], report["texts"]
    length = pieces / texts
    work = {
        "qkv": (6 * hidden**2, 3 * hidden**2, hidden + 3 * hidden),
        "attention": (4 * length * hidden, 0, 4 * hidden),
        "projection": (2 * hidden**2, hidden**2, 3 * hidden),
        "feed-forward": (4 * hidden * inner, 2 * hidden * inner, 3 * hidden + 2 * inner),
    }
    # The last layer is computed for the first piece of each text: little work, which is left out, and so is its time.
    passes = layers - 1
    for name, (operations, weights, values) in work.items():
        moved = BYTES * (values + weights / BATCH)
        yield Stage(STAGES[name], operations * pieces * passes, moved * pieces * passes, report["stage_seconds"][name])


def drawing(title: str, found: list[Stage], peak: float, bytes_per_second: float, threads: int) -> str:
    """The picture, as SVG. `peak` is in GFLOP/s; a stage's seconds are those of all threads together."""
    width, height, left, bottom, right, top = 860, 520, 90, 70, 30, 60
    rates = {stage.name: stage.gflops * threads for stage in found}
    x_range = (min(1.0, *(stage.intensity for stage in found)) / 2, max(stage.intensity for stage in found) * 4)
    y_range = (min(rates.values()) / 4, peak * 1.6)

    def place(value: float, bounds: tuple[float, float], start: float, end: float) -> float:
        share = (math.log(value) - math.log(bounds[0])) / (math.log(bounds[1]) - math.log(bounds[0]))
        return start + share * (end - start)

    def x(value: float) -> float:
        return place(value, x_range, left, width - right)

    def y(value: float) -> float:
        return place(value, y_range, height - bottom, top)

    def decades(bounds: tuple[float, float]) -> Iterator[float]:
        for power in range(math.floor(math.log10(bounds[0])), math.ceil(math.log10(bounds[1])) + 1):
            for digit in (1, 2, 5):
                if bounds[0] <= digit * 10.0**power <= bounds[1]:
                    yield digit * 10.0**power

    memory = bytes_per_second / 1e9
    ridge = peak / memory
    floor = max(x_range[0], y_range[0] / memory)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-family="sans-serif" font-size="14">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{left}" y="30" font-size="16" font-weight="bold" fill="#1a1a1a">{escape(title)}</text>',
    ]
    for value in decades(x_range):
        parts.append(f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{top}" y2="{height - bottom}" stroke="#e6e6e6"/>')
        parts.append(f'<text x="{x(value):.1f}" y="{height - bottom + 20}" text-anchor="middle" fill="#444444">{value:g}</text>')
    for value in decades(y_range):
        parts.append(f'<line x1="{left}" x2="{width - right}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#e6e6e6"/>')
        parts.append(f'<text x="{left - 8}" y="{y(value) + 5:.1f}" text-anchor="end" fill="#444444">{value:g}</text>')
    roof = f"{x(floor):.1f},{y(floor * memory):.1f} {x(ridge):.1f},{y(peak):.1f} {x(x_range[1]):.1f},{y(peak):.1f}"
    parts += [
        f'<polyline points="{roof}" fill="none" stroke="#1a1a1a" stroke-width="2"/>',
        f'<text x="{width - right - 4}" y="{y(peak) - 8:.1f}" text-anchor="end" fill="#1a1a1a">peak {peak:.0f} GFLOP/s</text>',
        f'<text x="{x(floor) + 14:.1f}" y="{y(floor * memory) - 4:.1f}" fill="#1a1a1a">memory {memory:.0f} GB/s</text>',
        f'<text x="{(left + width - right) / 2}" y="{height - 18}" text-anchor="middle" fill="#1a1a1a">operations for each byte</text>',
        f'<text transform="translate(24 {(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle" fill="#1a1a1a">GFLOP/s</text>',
    ]
    for stage in found:
        rate = rates[stage.name]
        parts.append(f'<circle cx="{x(stage.intensity):.1f}" cy="{y(rate):.1f}" r="6" fill="#0b5fa5"/>')
        # Products have nearly the same place: each label has its own side of it.
        label = f"{stage.name} {rate / peak:.0%}"
        anchor, shift, lower = LABELS[stage.name]
        parts.append(
            f'<text x="{x(stage.intensity) + shift:.1f}" y="{y(rate) + lower:.1f}" text-anchor="{anchor}" fill="#0b5fa5">{escape(label)}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albertine", type=Path, metavar="ALBERTINE")
    parser.add_argument("--model", type=Path, required=True, help="a model directory with a config.json")
    parser.add_argument("--input", type=Path, required=True, help="a table with a column `text`")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processor", required=True, help="its name, for the title")
    parser.add_argument("--output", type=Path, required=True, help="the SVG file")
    arguments = parser.parse_args()

    command = [
        *(arguments.albertine, "bench", "--quiet", "--model", arguments.model, "--input", arguments.input),
        *("--precision", "f32", "--threads", str(arguments.threads)),
    ]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = list(stages(json.loads((arguments.model / "config.json").read_text("utf-8")), report))
    memory, peak = bandwidth(arguments.threads), report["peak_gflops"]
    print("| stage | operations for each byte | GFLOP/s | of the peak | GB/s | of the memory |")
    print("| --- | --- | --- | --- | --- | --- |")
    for stage in found:
        rate, moved = stage.gflops * arguments.threads, stage.gigabytes_per_second * arguments.threads
        print(
            f"| {stage.name} | {stage.intensity:.0f} | {rate:.0f} | {rate / peak:.0%} | {moved:.1f} | {moved * 1e9 / memory:.0%} |"
        )
    print(f"\npeak {peak:.0f} GFLOP/s, memory {memory / 1e9:.0f} GB/s, whole run {report['share_of_peak']:.1%} of the peak")
    title = f"{arguments.model.name} in f32, {report['cpu_level']}, {arguments.processor}, {arguments.threads} threads"
    arguments.output.write_text(drawing(title, found, peak, memory, arguments.threads), "utf-8")


if __name__ == "__main__":
    main()
