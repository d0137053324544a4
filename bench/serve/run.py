"""Albertine's service beside those that people put in front of a model in Python, in one run.

usage: run.py ALBERTINE MODEL_DIR TEXTS_CSV [--seconds 8] [--limit 100] [--json FILE]

MODEL_DIR is a Hugging Face directory with `model.onnx` and `tokenizer.json` (`bench/peers/make_model.py`). Every service is
started once; then, for 1, 2, 4, ... connections, each gets requests of one text, in turns. The table has, for each service, the
highest rate with 99 % of the answers within the limit in milliseconds, and the latency of a lone client. The load generator
shares the cores with the service.
"""

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from load import bodies, load, memory, running

CONNECTIONS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
TEXTS = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albertine", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--limit", type=float, default=100)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    peer = [sys.executable, str(Path(__file__).parent / "peer.py")]
    serve = [str(arguments.albertine), "serve", "--model", str(arguments.model)]
    services = {
        "albertine f32": [*serve, "--precision", "f32", "--port", "9101"],
        "albertine bf16": [*serve, "--precision", "bf16", "--port", "9102"],
        "albertine int8": [*serve, "--precision", "int8", "--port", "9103"],
        "FastAPI, transformers f32": [*peer, "transformers", str(arguments.model), "9104"],
        "FastAPI, ONNX Runtime f32, dynamic batches": [*peer, "onnxruntime", str(arguments.model), "9105"],
    }
    urls = {name: f"http://127.0.0.1:{9101 + index}/" for index, name in enumerate(services)}
    best = {name: None for name in services}
    lone = {}
    record = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        lines = Path(folder) / "bodies.jsonl"
        bodies(lines, arguments.texts, TEXTS)
        processes = {name: stack.enter_context(running(command, urls[name])) for name, command in services.items()}
        left = set(services)
        for connections in CONNECTIONS:
            for name in services:
                if name not in left:
                    continue
                seen = load(urls[name], lines, connections, arguments.seconds)
                record.append({"service": name, "connections": connections, **vars(seen)})
                print(f"{name}: {connections} connections, {seen.rate:.1f}/s, p50 {seen.p50:.1f} ms, p99 {seen.p99:.1f} ms, {seen.statuses}", flush=True)
                lone.setdefault(name, seen)
                within = seen.p99 <= arguments.limit and set(seen.statuses) == {"200"}
                if within and (best[name] is None or seen.rate > best[name].rate):
                    best[name] = seen
                # it only gets slower from here on
                if seen.p99 > 3 * arguments.limit:
                    left.discard(name)
        sizes = {name: memory(process) for name, process in processes.items()}
    print(f"\n| service | requests/s with p99 within {arguments.limit:g} ms | p99 then | one client: p50 | p99 | memory |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in services:
        at = best[name]
        rate = f"{at.rate:.1f} | {at.p99:.1f} ms" if at else "none | "
        print(f"| {name} | {rate} | {lone[name].p50:.1f} ms | {lone[name].p99:.1f} ms | {sizes[name]:.0f} MB |")
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
