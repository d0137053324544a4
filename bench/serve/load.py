"""Services under test and the load on them, by `oha`."""

import csv
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator


@dataclass
class Load:
    """What a run of `oha` saw."""

    #: Answers a second with status 200.
    rate: float
    #: Milliseconds, of all answers.
    p50: float
    p99: float
    #: Answers by status, and requests that got none, by what went wrong.
    statuses: dict[str, int]
    errors: dict[str, int]


def bodies(path: Path, table: Path, count: int) -> None:
    """Writes a request for each of the first `count` texts of a CSV file, one a line."""
    with table.open(newline="", encoding="utf-8") as file, path.open("w") as out:
        for row, _ in zip(csv.DictReader(file), range(count)):
            out.write(json.dumps({"inputs": row["text"]}) + "\n")


def load(url: str, lines: Path, connections: int, seconds: float, rate: float | None = None) -> Load:
    """Sends random lines of a file to a service: as fast as it answers, or at a steady `rate` a second, where the time of an
    answer counts from when its request was due.
    """
    command = ["oha", "--no-tui", "--output-format", "json", "-z", f"{seconds}s", "-w", "-c", str(connections), "-m", "POST"]
    command += ["-H", "content-type: application/json", "-Z", str(lines)]
    if rate is not None:
        command += ["-q", str(max(1, round(rate))), "--latency-correction"]
    seen = json.loads(subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout)
    statuses = seen["statusCodeDistribution"]
    errors = seen["errorDistribution"]
    total = seen["summary"]["total"]
    percentiles = seen["latencyPercentiles"]
    return Load(
        rate=statuses.get("200", 0) / total,
        p50=1e3 * (percentiles["p50"] or 0),
        p99=1e3 * (percentiles["p99"] or 0),
        statuses=statuses,
        errors=errors,
    )


@contextmanager
def running(command: list[str], url: str) -> Iterator[subprocess.Popen]:
    """A service, from its first answer on."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=os.environ | {"ALBERTINE_LOG": "error"})
    try:
        body = json.dumps({"inputs": "Oil prices rose on Monday."}).encode()
        headers = {"content-type": "application/json"}
        for _ in range(1200):
            try:
                urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60).read()
                break
            except urllib.error.HTTPError as error:
                raise SystemExit(f"{command} answers {error}") from None
            except (urllib.error.URLError, ConnectionError):
                if process.poll() is not None:
                    raise SystemExit(f"{command} ended") from None
                time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(60)


def memory(process: subprocess.Popen) -> float:
    """Resident megabytes of a process."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
