"""Times one rival engine in this process and prints one JSON line.

usage: engine.py --engine NAME --model DIR --texts CSV [--docs N] [--batch N] [--order sorted|naive] [--threads N] [--passes N]
       engine.py --engine NAME --model DIR --texts CSV --latency N [--docs N] [--threads N]

Throughput: texts are cut into pieces before the clock starts, all of them are run once to warm up, and the median of the
passes counts. Latency: the text whose pieces are closest to 60 is cut and run alone, N times, and the median counts.

ONEDNN_MAX_CPU_ISA holds OpenVINO's bf16 and int8 to older instructions, and PyTorch together with ATEN_CPU_CAPABILITY and
MKL_ENABLE_INSTRUCTIONS. MLAS, which computes the f32 matrix products of ONNX Runtime and OpenVINO, cannot be held from outside.
"""

import argparse
import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

import texts as corpus

ENGINES = ["torch", "torch-bf16", "ort", "ov-f32", "ov-bf16", "ov-int8-bf16"]

Batch = dict[str, np.ndarray]
Run = Callable[[Batch], object]


def pad(rows: list[list[int]]) -> Batch:
    """Rows of piece ids as the rectangle that these engines read."""
    ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
    mask = np.zeros_like(ids)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


def load_torch(model: Path, threads: int, dtype: str) -> Run:
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.set_num_threads(threads)
    network = AutoModelForSequenceClassification.from_pretrained(model, dtype=getattr(torch, dtype)).eval()

    def run(batch: Batch) -> object:
        with torch.inference_mode():
            return network(**{name: torch.from_numpy(values) for name, values in batch.items()}).logits

    return run


def load_onnxruntime(model: Path, threads: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(model / "model.onnx"), options, providers=["CPUExecutionProvider"])
    return lambda batch: session.run(None, batch)


def load_openvino(file: Path, threads: int, precision: str) -> tuple[Run, Callable[[], str]]:
    """The engine, and what tells afterwards with which kernels most of its matrix products were computed."""
    import openvino

    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(file, "CPU", settings)
    request = compiled.create_infer_request()

    def kernels() -> str:
        facts = [node.get_rt_info() for node in compiled.get_runtime_model().get_ops()]
        products = Counter(str(fact["primitiveType"].value) for fact in facts if fact["layerType"].value == "FullyConnected")
        return products.most_common(1)[0][0]

    return request.infer, kernels


def load(engine: str, model: Path, threads: int) -> tuple[Run, Callable[[], str] | None]:
    """The engine, ready to run, and what tells its kernels where it can be asked."""
    if engine == "torch":
        return load_torch(model, threads, "float32"), None
    if engine == "torch-bf16":
        return load_torch(model, threads, "bfloat16"), None
    if engine == "ort":
        return load_onnxruntime(model, threads), None
    file = "openvino_int8.xml" if "int8" in engine else "model.onnx"
    return load_openvino(model / file, threads, "bf16" if "bf16" in engine else "f32")


def median_time(work: Callable[[], object], times: int) -> float:
    """Seconds that `work` takes."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def throughput(run: Run, rows: list[list[int]], batch: int, passes: int) -> dict[str, object]:
    """Runs all rows, cut into pieces and padded beforehand."""
    batches = [pad(rows[start : start + batch]) for start in range(0, len(rows), batch)]
    tokens = sum(map(len, rows))

    def work() -> None:
        for rectangle in batches:
            run(rectangle)

    work()
    seconds = median_time(work, passes)
    padding = sum(rectangle["input_ids"].size for rectangle in batches) / tokens
    return {"tokens": tokens, "padding": padding, "seconds": seconds, "docs_per_second": len(rows) / seconds}


def latency(run: Run, cut: Callable[[], list[int]], times: int) -> dict[str, object]:
    """Cuts and runs one text, again and again."""
    for _ in range(1 + times // 10):
        run(pad([cut()]))
    seconds = median_time(lambda: run(pad([cut()])), times)
    return {"tokens": len(cut()), "seconds": seconds, "docs_per_second": 1 / seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=ENGINES, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--docs", type=int, default=256)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--order", choices=["sorted", "naive"], default="sorted")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--latency", type=int, metavar="N")
    arguments = parser.parse_args()

    # Read by OpenMP when the engine is imported.
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    run, kernels = load(arguments.engine, arguments.model, arguments.threads)
    tokenizer = corpus.tokenizer(arguments.model)
    texts = corpus.read(arguments.texts, arguments.docs)
    rows = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    if arguments.latency:
        text = texts[corpus.lone([len(row) for row in rows])]
        report = latency(run, lambda: tokenizer.encode(text).ids, arguments.latency)
    else:
        if arguments.order == "sorted":
            rows.sort(key=len)
        report = throughput(run, rows, arguments.batch, arguments.passes)
    if kernels:
        report["kernels"] = kernels()
    print(json.dumps({"engine": arguments.engine, "threads": arguments.threads} | report))


if __name__ == "__main__":
    main()
