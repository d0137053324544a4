"""Sentence embeddings of all-MiniLM-L6-v2, whose numbers a student learns to say of a text."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

_TOKENS_OF_BATCH = 4096
_MAX_TOKENS = 128


def sentence_embeddings(texts: list[str], model_folder: Path) -> np.ndarray:
    """The mean of the hidden states of each text, scaled to length 1, as sentence-transformers computes it: `[texts, 384]`."""
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModel.from_pretrained(model_folder).eval().to(torch.bfloat16)
    ids = tokenizer(texts, truncation=True, max_length=_MAX_TOKENS)["input_ids"]
    order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
    embeddings = np.empty((len(ids), model.config.hidden_size), dtype=np.float32)
    started, done, start = time.monotonic(), 0, 0
    with torch.inference_mode():
        while start < len(order):
            longest = len(ids[order[min(start + 8, len(order) - 1)]])
            indices = order[start : start + max(8, _TOKENS_OF_BATCH // longest)]
            embeddings[indices] = _embed(model, [ids[index] for index in indices])
            start += len(indices)
            if start * 20 // len(order) > done:
                done = start * 20 // len(order)
                print(f"embeddings: {start} of {len(order)}, {time.monotonic() - started:.0f} s", flush=True)
    return embeddings


def _embed(model: torch.nn.Module, batch: list[list[int]]) -> np.ndarray:
    width = max(map(len, batch))
    ids = torch.zeros((len(batch), width), dtype=torch.long)
    mask = torch.zeros((len(batch), width))
    for row, pieces in enumerate(batch):
        ids[row, : len(pieces)] = torch.tensor(pieces)
        mask[row, : len(pieces)] = 1
    hidden = model(input_ids=ids, attention_mask=mask.long()).last_hidden_state.float()
    mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return torch.nn.functional.normalize(mean, dim=1).numpy()
