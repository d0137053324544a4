"""What the service does at half load and at three times the load that it can take.

usage: overload.py ALBERTINE TEXTS_CSV [--model NAME] [--precision int8] [--minutes 10]

Measures a lone client, the rate at saturation, and half of that rate; then sends three times that rate for some minutes, reading
the service's resident memory every second. Fails when an answer has a status other than 200 or 429, when a request gets no
answer, when a request that was accepted was not answered, or when memory in the last fifth of the time is more than a tenth above
that of the second fifth. A p99 at half load of more than three times the lone client's is told as a failure too.
"""

import argparse
import re
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

from load import bodies, load, memory, running

PORT = 9110
URL = f"http://127.0.0.1:{PORT}/"
TEXTS = 1000


def successes() -> int:
    """Requests that the service says it answered."""
    text = urllib.request.urlopen(URL + "metrics").read().decode()
    return sum(int(float(value)) for value in re.findall(r'^te_request_success\{[^}]*\} (\S+)$', text, re.MULTILINE))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albertine")
    parser.add_argument("texts", type=Path)
    parser.add_argument("--model", default="ag_news")
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--minutes", type=float, default=10)
    arguments = parser.parse_args()
    command = [arguments.albertine, "serve", "--model", arguments.model, "--precision", arguments.precision, "--port", str(PORT)]
    failures = []
    with tempfile.TemporaryDirectory() as folder, running(command, URL) as process:
        lines = Path(folder) / "bodies.jsonl"
        bodies(lines, arguments.texts, TEXTS)
        lone = load(URL, lines, 1, 10)
        print(f"one client: {lone.rate:.1f}/s, p50 {lone.p50:.2f} ms, p99 {lone.p99:.2f} ms", flush=True)
        most = load(URL, lines, 64, 20)
        print(f"64 clients: {most.rate:.1f}/s, p50 {most.p50:.2f} ms, p99 {most.p99:.2f} ms", flush=True)
        half = load(URL, lines, 64, 20, most.rate / 2)
        print(f"half of that rate: {half.rate:.1f}/s, p50 {half.p50:.2f} ms, p99 {half.p99:.2f} ms, "
              f"p99 {half.p99 / lone.p99:.1f} times the lone p99, {half.p99 / lone.p50:.1f} times the lone median", flush=True)
        if half.p99 > 3 * lone.p99:
            failures.append("p99 at half load is more than three times the lone p99")

        before, sizes, done = successes(), [memory(process)], threading.Event()

        def watch() -> None:
            while not done.wait(1):
                sizes.append(memory(process))

        watcher = threading.Thread(target=watch)
        watcher.start()
        over = load(URL, lines, 1200, 60 * arguments.minutes, 3 * most.rate)
        done.set()
        watcher.join()
        answered = successes() - before
        print(f"three times the rate for {arguments.minutes:g} minutes: {over.rate:.1f}/s answered, statuses {over.statuses}, "
              f"errors {over.errors}, p50 {over.p50:.2f} ms, p99 {over.p99:.2f} ms", flush=True)
        print(f"requests that the service counts as answered: {answered}")
        fifth = max(1, len(sizes) // 5)
        early, late = max(sizes[fifth : 2 * fifth + 1]), max(sizes[-fifth:])
        print(f"memory: {sizes[0]:.1f} MB before, at most {early:.1f} MB in the second fifth, {late:.1f} MB in the last")
        if not set(over.statuses) <= {"200", "429"} or "429" not in over.statuses:
            failures.append("statuses are not 200 and 429")
        if over.errors:
            failures.append("requests without an answer")
        if answered != over.statuses.get("200", 0):
            failures.append("accepted requests and answers differ")
        if late > 1.1 * early:
            failures.append("memory grows")
    sys.exit("; ".join(failures) or None)


if __name__ == "__main__":
    main()
