"""How long a step of fine-tuning takes with PyTorch, on documents like those of `cargo run --example steps`.

usage: steps.py MODEL_DIRECTORY [--documents 32] [--pieces 64] [--steps 5] [--threads 2] [--bf16]
"""

import argparse
import statistics
import time

import torch
from transformers import AlbertForSequenceClassification

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("model")
for name, usual in [("documents", 32), ("pieces", 64), ("steps", 5), ("threads", 2)]:
    parser.add_argument(f"--{name}", type=int, default=usual)
parser.add_argument("--bf16", action="store_true", help="products in bfloat16, by autocast")
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
model = AlbertForSequenceClassification.from_pretrained(arguments.model).train()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5, weight_decay=0.01)
times = []
for step in range(arguments.steps):
    rows = torch.arange(step * arguments.documents, (step + 1) * arguments.documents)[:, None]
    ids = (rows * 7919 + torch.arange(arguments.pieces)[None] * 104729) % model.config.vocab_size
    labels = rows[:, 0] % model.config.num_labels
    started = time.perf_counter()
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=arguments.bf16):
        loss = model(input_ids=ids, labels=labels).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    times.append(time.perf_counter() - started)
    print(f"{times[-1]:.3f} s, loss {loss.item():.4f}")
print(f"median {statistics.median(times):.3f} s a step of {arguments.documents} documents of {arguments.pieces} pieces")
