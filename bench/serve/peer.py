"""The services that people put in front of a model in Python today: FastAPI on uvicorn.

usage: peer.py transformers|onnxruntime MODEL_DIR PORT [--threads N]

`transformers` answers each request by a `pipeline`, in a thread of FastAPI's pool, as the documentation of both shows it.
`onnxruntime` runs `model.onnx` in dynamic batches: what waits while a batch is computed is the next one, at most 32 texts, padded
to the longest. Both take `{"inputs": TEXT}` at `/` and answer `[{label, score}, ...]`, the best first, as Hugging Face inference does.
"""

import argparse
import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

MOST_IN_A_BATCH = 32


class Request(BaseModel):
    inputs: str


def transformers_service(model: Path, threads: int) -> FastAPI:
    import torch
    from transformers import pipeline

    torch.set_num_threads(threads)
    classify = pipeline("text-classification", model=str(model), top_k=None, truncation=True, dtype=torch.float32)
    app = FastAPI()

    @app.post("/")
    def answer(request: Request) -> list[dict[str, object]]:
        with torch.inference_mode():
            return classify([request.inputs])[0]

    return app


def onnxruntime_service(model: Path, threads: int) -> FastAPI:
    import json

    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(model / "model.onnx"), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.enable_truncation(512)
    tokenizer.enable_padding()
    labels = json.loads((model / "config.json").read_text())["id2label"]
    waiting: asyncio.Queue[tuple[str, asyncio.Future]] = asyncio.Queue()

    def scores(texts: list[str]) -> np.ndarray:
        rows = tokenizer.encode_batch(texts)
        inputs = {
            "input_ids": [row.ids for row in rows],
            "attention_mask": [row.attention_mask for row in rows],
            "token_type_ids": [row.type_ids for row in rows],
        }
        (logits,) = session.run(None, {name: np.array(values, np.int64) for name, values in inputs.items()})
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    async def batches() -> None:
        while True:
            batch = [await waiting.get()]
            while len(batch) < MOST_IN_A_BATCH and not waiting.empty():
                batch.append(waiting.get_nowait())
            rows = await asyncio.to_thread(scores, [text for text, _ in batch])
            for (_, answer), row in zip(batch, rows):
                if not answer.done():
                    answer.set_result(row)

    @asynccontextmanager
    async def lifespan(_: FastAPI):
        worker = asyncio.create_task(batches())
        yield
        worker.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.post("/")
    async def answer(request: Request) -> list[dict[str, object]]:
        future = asyncio.get_running_loop().create_future()
        waiting.put_nowait((request.inputs, future))
        row = await future
        return [{"label": labels[str(index)], "score": float(row[index])} for index in np.argsort(-row)]

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=["transformers", "onnxruntime"])
    parser.add_argument("model", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    make = transformers_service if arguments.engine == "transformers" else onnxruntime_service
    app = make(arguments.model, arguments.threads)
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
