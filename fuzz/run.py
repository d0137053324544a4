#!/usr/bin/env python3
"""Builds the fuzz targets and runs each for a while, from the seeds of `seeds.py` and what earlier runs have found.

    python3 fuzz/run.py [--seconds 30] [--rounds 1] [TARGET ...]
    python3 fuzz/run.py --table

Exits with 1 when a target finds something: an input on which it panics, takes longer than `--timeout` seconds or fills the memory. What it
has found is in `fuzz/artifacts/TARGET`, its output in `fuzz/logs/TARGET.log`. A line for each run is added to `fuzz/logs/runs.jsonl`, of
which `--table` makes the table of `fuzz/README.md`.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

FUZZ = Path(__file__).resolve().parent
LOGS = FUZZ / "logs"
RUNS = LOGS / "runs.jsonl"


def refuse(reason: str):
    print(f"error: {reason}", file=sys.stderr)
    sys.exit(2)


def answers(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def build(toolchain: str) -> Path:
    """The folder of the targets. No sanitizer: there is no unsafe code in what reads foreign bytes, and checks of overflows and of debug
    assertions are on."""
    if not answers("cargo", f"+{toolchain}", "--version"):
        refuse(f"fuzzing needs the `{toolchain}` toolchain: rustup toolchain install {toolchain} --profile minimal, or --toolchain NAME")
    if not answers("cargo", "fuzz", "--version"):
        refuse("fuzzing needs cargo-fuzz: cargo install cargo-fuzz")
    command = ["cargo", f"+{toolchain}", "fuzz", "build", "--sanitizer", "none", "--debug-assertions"]
    if subprocess.run(command, cwd=FUZZ.parent).returncode != 0:
        refuse("the targets cannot be built")
    version = subprocess.run(["rustc", f"+{toolchain}", "-vV"], capture_output=True, text=True).stdout
    return FUZZ / "target" / re.search(r"host: (.*)", version)[1] / "release"


def run(program: Path, seconds: int, timeout: int) -> dict:
    name = program.name
    for folder in (FUZZ / "corpus" / name, FUZZ / "artifacts" / name, LOGS):
        folder.mkdir(parents=True, exist_ok=True)
    before = set((FUZZ / "artifacts" / name).iterdir())
    options = [f"-max_total_time={seconds}", f"-timeout={timeout}", "-rss_limit_mb=3072", "-print_final_stats=1", "-reload=0", "-verbosity=1"]
    folders = [str(FUZZ / "corpus" / name), *(str(path) for path in [FUZZ / "seeds" / name] if path.is_dir())]
    log = LOGS / f"{name}.log"
    with log.open("ab") as output:
        start = output.tell()
        command = [str(program), f"-artifact_prefix={FUZZ / 'artifacts' / name}/", *options, *folders]
        # Files that a target writes are not to wait for a disk.
        environment = {**os.environ, **({"TMPDIR": "/dev/shm"} if Path("/dev/shm").is_dir() else {})}
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=FUZZ, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    with log.open("rb") as written:
        written.seek(start)
        text = written.read().decode("utf-8", "replace")
    executions = re.findall(r"stat::number_of_executed_units:\s*(\d+)", text) or re.findall(r"^#(\d+)\s", text, re.M)
    coverage, features = (re.findall(rf"\b{what}: (\d+)", text) for what in ("cov", "ft"))
    return {
        "target": name,
        "at": int(time.time()),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
        "executions": int(executions[-1]) if executions else 0,
        "cov": int(coverage[-1]) if coverage else 0,
        "ft": int(features[-1]) if features else 0,
        "rss_mb": usage.ru_maxrss // 1024,
        "status": process.returncode,
        "found": sorted(path.name for path in set((FUZZ / "artifacts" / name).iterdir()) - before),
    }


def table() -> str:
    runs = [json.loads(line) for line in RUNS.read_text().splitlines()] if RUNS.exists() else []
    rows, total = [], [0.0, 0]
    for name in sorted({run["target"] for run in runs}):
        of = [run for run in runs if run["target"] == name]
        cpu, executions = sum(run["cpu_s"] for run in of), sum(run["executions"] for run in of)
        total = [total[0] + cpu, total[1] + executions]
        found = len({name for run in of for name in run["found"]})
        per_second = executions / max(cpu, 0.1)
        rows.append(f"| `{name}` | {cpu / 60:.1f} min | {executions:,} | {per_second:,.0f} | {max(r['cov'] for r in of):,} | {max(r['ft'] for r in of):,} | {found} |")
    head = ["| target | CPU time | executions | a CPU second | edges | features | findings |", "| --- | --- | --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows, f"| all | {total[0] / 3600:.2f} h | {total[1]:,} | | | | |"])


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs the fuzz targets.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all, if none is named")
    parser.add_argument("--seconds", type=int, default=30, help="of each target in a round (default: 30)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each target has its turn (default: 1)")
    parser.add_argument("--timeout", type=int, default=20, help="the most seconds that one input may take (default: 20)")
    parser.add_argument("--toolchain", default="nightly", help="the toolchain that builds them (default: nightly)")
    parser.add_argument("--no-build", metavar="FOLDER", type=Path, help="runs the programs of a folder, built before")
    parser.add_argument("--table", action="store_true", help="prints what all runs so far have done, and runs nothing")
    options = parser.parse_args()
    if options.table:
        print(table())
        return
    known = sorted(path.stem for path in (FUZZ / "fuzz_targets").glob("*.rs"))
    unknown = sorted(set(options.targets) - set(known))
    if unknown:
        refuse(f"there is no target {', '.join(unknown)}; there are {', '.join(known)}")
    folder = options.no_build.resolve() if options.no_build else build(options.toolchain)
    if not all((FUZZ / "seeds" / name).is_dir() for name in known) and subprocess.run([sys.executable, str(FUZZ / "seeds.py")]).returncode != 0:
        refuse("the seeds cannot be written")
    missing = [name for name in options.targets or known if not (folder / name).is_file()]
    if missing:
        refuse(f"{folder} has no {', '.join(missing)}")
    failed = set()
    for _ in range(options.rounds):
        for name in options.targets or known:
            done = run(folder / name, options.seconds, options.timeout)
            with RUNS.open("a") as runs:
                runs.write(json.dumps(done) + "\n")
            result = f"{done['executions']:,} executions in {done['cpu_s']:.0f} s of CPU time, {done['cov']:,} edges, {done['ft']:,} features"
            if done["status"] != 0 or done["found"]:
                failed.add(name)
                where = ", ".join(f"fuzz/artifacts/{name}/{found}" for found in done["found"]) or f"status {done['status']}"
                result += f"; FOUND {where}, see fuzz/logs/{name}.log"
            print(f"{name}: {result}", flush=True)
    if failed:
        print(f"error: findings of {', '.join(sorted(failed))}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
