"""Runs the command while things fail around it, and checks how it ends and what it leaves.

usage: faults.py ALBERTINE [--runs 20] [--seed 1] [FAULT ...]

Each fault is tried `--runs` times with each command that it concerns, at places drawn at random. Whatever happens, the exit code is 0, 1
(some rows could not be read) or 2 with an error in words; no panic is shown; what lies at the target is whole or absent; and the same
command without the fault gives every byte that an undisturbed one gives. Prints a table in Markdown, and fails if anything else was seen.
`kills.py` does the same for SIGKILL.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import corruption
import network
from harness import HERE, TESTDATA, Campaign, Job, run, write_tables

CLASSIFY = ["classify", "--model", "{place}/model", "--input", "{place}/in", "--rejects", "{out}/rejects.jsonl", "--quiet"]
JOBS = [
    *(Job(name, [*CLASSIFY, "--output", f"{{out}}/{name}", "--resume"]) for name in ("labels.csv", "labels.parquet", "labels.jsonl.gz", "labels/")),
    Job("labels.csv without `--resume`", [*CLASSIFY, "--output", "{out}/labels.csv"], resumes=False),
    Job(
        "`train`",
        ["train", "--model", "{place}/model", "--input", "{place}/labeled/train.csv", "--validation-split", "0.2", "--output", "{out}/model"]
        + ["--checkpoint", "{out}/steps", "--save-steps", "3", "--resume", "--epochs", "2", "--batch-size", "8", "--quiet"],
        compared=r"model/(model\.safetensors|config\.json|tokenizer.*|spiece\.model)",
        # A checkpoint that cannot be written is told, and the training goes on; a trained model that cannot be moved is kept and told.
        ignored=r"steps/.*|\.model\.partial.*",
    ),
]


def undisturbed(campaign: Campaign) -> None:
    """What each command leaves when nothing fails."""
    for job in JOBS:
        folder = campaign.clear()
        ended = run(job.command(campaign.albertine, campaign.place, "out"))
        if ended.code not in (0, 1):
            sys.exit(f"error: {job.name} fails without a fault: {ended.said}")
        job.reference = job.left(folder)


def shim(campaign: Campaign, **settings: object) -> dict[str, str]:
    """What preloads `shim.c`."""
    library = campaign.place / "shim.so"
    if not library.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "shim.c", "-ldl"], check=True)
    named = {f"FAULTS_{name.upper()}": str(value) for name, value in settings.items()}
    return {"LD_PRELOAD": str(library), "FAULTS_BELOW": str(campaign.place), **named}


def io_errors(campaign: Campaign, runs: int) -> None:
    """A call that opens, reads, writes, flushes or renames fails: once, or from then on, as on a disk that dies."""
    for job in JOBS:
        count = campaign.place / "count"
        campaign.clear()
        run(job.command(campaign.albertine, campaign.place, "out"), env=shim(campaign, calls="orwsn", count=count))
        calls = int(count.read_text())
        for fault, more in (("one call fails (EIO)", {"once": 1}), ("the disk dies (EIO)", {})):
            for _ in range(runs):
                campaign.clear()
                campaign.faulty(fault, job, env=shim(campaign, calls="orwsn", nth=campaign.chance.randint(1, calls), **more))


def transfers(campaign: Campaign, runs: int) -> None:
    """Reads and writes move less than they were asked to, and signals interrupt them: nobody may notice."""
    for job in JOBS:
        for _ in range(max(1, runs // 5)):
            campaign.clear()
            campaign.faulty("short reads and writes, EINTR", job, harmless=True, env=shim(campaign, short=1))


def clock(campaign: Campaign, runs: int) -> None:
    """The time of day jumps: nobody may notice."""
    for job in JOBS:
        for _ in range(max(1, runs // 5)):
            campaign.clear()
            campaign.faulty("the clock jumps by hours", job, harmless=True, env=shim(campaign, clock=1))


def full_disk(campaign: Campaign, runs: int) -> None:
    """The output is on a disk of its own of some kilobytes, which has room afterwards."""
    for job in JOBS:
        size = sum(len(data) for data in job.reference.values())
        for _ in range(runs):
            folder = campaign.clear("disk")
            # Twice the output: parts and the table are there at the same time.
            pages = campaign.chance.randint(2, 4 + 2 * size // 4096)
            if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={4 * pages}k", "tmpfs", folder], capture_output=True).returncode:
                print("skipped: a full disk, because no file system can be mounted: run this as root", file=sys.stderr)
                return
            try:
                campaign.faulty("the disk is full", job, out="disk", mend=lambda: subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True))
            finally:
                subprocess.run(["umount", folder], check=True)


def permissions(campaign: Campaign, runs: int) -> None:
    """Somebody else's output folder, input or model."""
    nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    for job in JOBS:
        for fault, path, mode in (
            ("no right to write the output", campaign.place / "out", 0o555),
            ("no right to read the input", campaign.place / ("labeled/train.csv" if "train" in job.name else "in/1.csv"), 0),
            ("no right to read the model", campaign.place / "model/model.safetensors", 0),
        ):
            campaign.clear().chmod(0o777)
            usual = path.stat().st_mode
            path.chmod(mode)
            campaign.faulty(fault, job, mend=lambda: path.chmod(usual), **nobody)


def memory(campaign: Campaign, runs: int) -> None:
    """Address space ends at some height: an error, or Rust's abort after `memory allocation of ... bytes failed`."""
    for job in JOBS:
        for _ in range(runs):
            campaign.clear()
            height = campaign.chance.randint(52, 160) << 20
            campaign.faulty(
                "address space of 52 to 160 MiB",
                job,
                signals=(signal.SIGABRT,),
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (height, height)),
            )


def pipes(campaign: Campaign, runs: int) -> None:
    """Who reads the output goes away, is full, or was never there."""
    words = [str(campaign.albertine), "classify", "--model", str(campaign.place / "model"), "--input", str(campaign.place / "in"), "--errors", "null"]
    for kind in ("csv", "jsonl", "parquet"):
        for fault, tail in (
            ("standard output is closed by its reader", '| head -c "$((RANDOM % 3000))" >/dev/null; exit ${PIPESTATUS[0]}'),
            ("standard output is full", ">/dev/full"),
            ("standard output was closed", ">&-"),
            ("standard error is closed", "2>&- >/dev/null"),
            ("standard input is closed", "<&- >/dev/null"),
        ):
            row = campaign.row(fault, f"{kind} to standard output")
            for _ in range(runs if "head" in tail else 1):
                ended = run(["bash", "-c", f'"$@" {tail}', "bash", *words, "--output-format", kind, "--quiet"])
                well = campaign.ended(row, ended, kind)
                row.whole += well != ("full" in tail)
                if well == ("full" in tail):
                    row.wrong.append(f"{kind}: exit code {ended.code}: {ended.said}")


FAULTS = {
    "io": io_errors,
    "transfers": transfers,
    "clock": clock,
    "disk": full_disk,
    "permissions": permissions,
    "memory": memory,
    "pipes": pipes,
    "corruption": corruption.damaged_files,
    "network": network.bad_servers,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albertine", type=Path)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"all, if none is named: {', '.join(FAULTS)}")
    parser.add_argument("--runs", type=int, default=20, help="of each command under each fault (default: 20)")
    parser.add_argument("--rows", type=int, default=3000, help="rows to label (default: 3000)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.faults) - set(FAULTS)):
        parser.error(f"there is no fault {', '.join(unknown)}: there are {', '.join(FAULTS)}")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name).resolve()
        # For those without rights, too.
        place.chmod(0o755)
        shutil.copy(arguments.albertine, place / "albertine")
        shutil.copytree(TESTDATA / "golden/gelu_new", place / "model")
        write_tables(place / "in", arguments.rows)
        campaign = Campaign(place / "albertine", place, random.Random(arguments.seed))
        undisturbed(campaign)
        for fault in arguments.faults or FAULTS:
            FAULTS[fault](campaign, arguments.runs)
        campaign.finish()


if __name__ == "__main__":
    main()
