"""What the campaigns share: commands with what they write, how a run is judged, and the table of outcomes."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTDATA = HERE.parent.parent / "testdata"
WORDS = "oil prices rose team won cup final market shares fell chip maker president talks storm film court phone bank goal".split()
# Long enough for a slow machine: a run that takes longer hangs.
PATIENCE = 120
# Texts of Rust's runtime that no user should see.
PANIC = re.compile(r"panicked at|stack backtrace|internal error: entered unreachable|overflowed its stack")


@dataclass
class Ended:
    """How a run ended."""

    code: int
    said: str

    def kind(self) -> str:
        if self.code < 0:
            return signal.Signals(-self.code).name
        return str(self.code)


@dataclass
class Job:
    """A command, and what it leaves in its folder. `{out}` in its words is that folder, `{place}` the one above."""

    name: str
    words: list[str]
    # What has to be equal in two runs: the other files tell times.
    compared: str = r".*"
    # What is for its own use, and need not be there.
    ignored: str = r".*/\.parts/.*"
    resumes: bool = True
    reference: dict[str, bytes] = field(default_factory=dict)

    def command(self, albertine: Path, place: Path, out: str) -> list[str]:
        return [str(albertine), *(word.replace("{out}", str(place / out)).replace("{place}", str(place)) for word in self.words)]

    def left(self, folder: Path) -> dict[str, bytes]:
        """The files in its folder; those that are not compared without their bytes."""
        names = (str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file())
        return {
            name: (folder / name).read_bytes() if re.fullmatch(self.compared, name) else b"" for name in names if not re.fullmatch(self.ignored, name)
        }


def run(words: list[str], *, stdout=subprocess.DEVNULL, env: dict[str, str] | None = None, **more) -> Ended:
    environment = {**os.environ, "RUST_BACKTRACE": "0", **(env or {})}
    try:
        done = subprocess.run(words, stdout=stdout, stderr=subprocess.PIPE, env=environment, timeout=PATIENCE, stdin=subprocess.DEVNULL, **more)
    except subprocess.TimeoutExpired as late:
        return Ended(-signal.SIGXCPU, f"after {PATIENCE} s: {(late.stderr or b'').decode(errors='replace')}")
    return Ended(done.returncode, done.stderr.decode(errors="replace"))


@dataclass
class Row:
    """The outcome of one fault for one command."""

    runs: int = 0
    ends: Counter = field(default_factory=Counter)
    whole: int = 0
    repaired: int = 0
    to_repair: int = 0
    wrong: list[str] = field(default_factory=list)


class Campaign:
    """Runs jobs under faults and keeps count."""

    def __init__(self, albertine: Path, place: Path, chance: random.Random) -> None:
        self.albertine, self.place, self.chance = albertine, place, chance
        self.rows: dict[tuple[str, str], Row] = {}

    def row(self, fault: str, what: str) -> Row:
        return self.rows.setdefault((fault, what), Row())

    def ended(self, row: Row, ended: Ended, what: str, signals: tuple[int, ...] = ()) -> bool:
        """Counts how a run ended. Whether it says that it did what it was asked to."""
        row.runs += 1
        row.ends[ended.kind()] += 1
        if PANIC.search(ended.said):
            row.wrong.append(f"{what}: a panic: {ended.said}")
        if ended.code < 0 and -ended.code not in signals:
            row.wrong.append(f"{what}: ended by {ended.kind()}: {ended.said}")
        if ended.code == 2 and not re.search(r"^error: .", ended.said, re.M):
            row.wrong.append(f"{what}: exit code 2 and no error: {ended.said!r}")
        if ended.code not in (0, 1, 2) and ended.code > 0:
            row.wrong.append(f"{what}: exit code {ended.code}: {ended.said}")
        return ended.code in (0, 1)

    def faulty(
        self, fault: str, job: Job, out: str = "out", signals: tuple[int, ...] = (), harmless: bool = False, mend: Callable[[], object] = lambda: None, **how
    ) -> None:
        """One run of a job under a fault, and one after `mend` has ended it, after which everything has to be there."""
        row, folder = self.row(fault, job.name), self.place / out
        ended = run(job.command(self.albertine, self.place, out), **how)
        mend()
        well = self.ended(row, ended, job.name, signals)
        found = job.left(folder)
        visible = {name: data for name, data in found.items() if not any(part.startswith(".") for part in Path(name).parts)}
        if harmless and not well:
            row.wrong.append(f"{job.name}: {ended.said}")
        if well and found != job.reference:
            row.wrong.append(f"{job.name}: exit code {ended.code}, but other files: {differences(found, job.reference)}; {ended.said}")
        # A folder of tables may hold some of them, each whole.
        elif not well and any(job.reference.get(name) != data for name, data in visible.items() if re.fullmatch(job.compared, name)):
            row.wrong.append(f"{job.name}: it failed, and left {differences(visible, job.reference)}; {ended.said}")
        elif not well and not job.resumes and ended.code == 2 and set(found) - set(job.reference):
            row.wrong.append(f"{job.name}: it failed, and left {sorted(set(found) - set(job.reference))}; {ended.said}")
        else:
            row.whole += 1
        if not well:
            row.to_repair += 1
            row.repaired += self.repair(row, job, out, ended)

    def repair(self, row: Row, job: Job, out: str, before: Ended) -> bool:
        """The same command again, without a fault."""
        again = run(job.command(self.albertine, self.place, out))
        found = job.left(self.place / out)
        if before.code < 0 and not job.resumes:
            # What nobody removes after a process that was ended.
            found = {name: data for name, data in found.items() if not name.endswith(".partial")}
        equal = again.code in (0, 1) and found == job.reference
        if not equal:
            row.wrong.append(
                f"{job.name}: the run after it: exit code {again.code}, {differences(found, job.reference)}; {again.said}; before: {before.said}"
            )
        return equal

    def clear(self, out: str = "out") -> Path:
        folder = self.place / out
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def table(self) -> str:
        """A line for each fault."""
        lines = ["| fault | with | runs | exit codes | targets whole or absent | equal after the next run |", "| --- | --- | --- | --- | --- | --- |"]
        for fault in dict.fromkeys(fault for fault, _ in self.rows):
            rows = {what: row for (of, what), row in self.rows.items() if of == fault}
            total = {name: sum(getattr(row, name) for row in rows.values()) for name in ("runs", "whole", "repaired", "to_repair")}
            ends = ", ".join(f"{kind}: {count}" for kind, count in sorted(sum((row.ends for row in rows.values()), Counter()).items()))
            repaired = f"{total['repaired']} of {total['to_repair']}" if total["to_repair"] else ""
            lines.append(f"| {fault} | {', '.join(rows)} | {total['runs']} | {ends} | {total['whole']} of {total['runs']} | {repaired} |")
        return "\n".join(lines)

    def finish(self) -> None:
        print(self.table())
        wrong = [(fault, text) for (fault, _), row in self.rows.items() for text in row.wrong]
        for fault, text in wrong[:40]:
            print(f"{fault}: {text}", file=sys.stderr)
        if wrong:
            sys.exit(f"error: {len(wrong)} runs ended otherwise than they should")
        print(f"\n{sum(row.runs for row in self.rows.values())} runs; no panic, nothing lost, nothing half-written")


def differences(found: dict[str, bytes], reference: dict[str, bytes]) -> str:
    missing, new = sorted(set(reference) - set(found)), sorted(set(found) - set(reference))
    changed = sorted(name for name in set(found) & set(reference) if found[name] != reference[name])
    return f"missing {missing}, new {new}, other bytes {changed}"


def write_tables(folder: Path, rows: int) -> None:
    """Tables to label, with rows that cannot be read, and one to train on."""
    chance = random.Random(1)
    folder.mkdir()
    for number in range(3):
        lines = ["id,text"]
        for row in range(rows // 3):
            text = " ".join(chance.choices(WORDS, k=chance.randint(4, 24)))
            lines.append(f"{row}" if row % 97 == 7 else f"{row},{text} {number}")
        (folder / f"{number}.csv").write_text("\n".join(lines) + "\n")
    labeled = [f"{' '.join(chance.choices(WORDS[row % 2 :: 2], k=6))},{['even', 'odd'][row % 2]}" for row in range(60)]
    folder.with_name("labeled").mkdir()
    (folder.with_name("labeled") / "train.csv").write_text("\n".join(["text,label", *labeled]) + "\n")
