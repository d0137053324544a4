"""Masked-language-model training of the encoder on the training texts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from transformers import AlbertConfig, AlbertForMaskedLM

from encoding import Document, TrainingTexts, batches, padded
from model import corrupted, for_training, optimizer_for, random_ordinary, step
from vocabulary import PAD


@dataclass(frozen=True, slots=True)
class PretrainSettings:
    epochs: int = 1
    learning_rate: float = 1.2e-3
    warm_up: float = 0.12
    weight_decay: float = 0.01
    batch_tokens: int = 2048
    masked_share: float = 0.2
    random_candidates: int = 1000
    joined_documents: int = 800
    seed: int = 11


def pretrain(
    texts: TrainingTexts,
    embeddings: np.ndarray,
    config: AlbertConfig,
    settings: PretrainSettings,
    checkpoint: Path,
) -> None:
    """Trains up to the last epoch, from the checkpoint on where there is one."""
    torch.manual_seed(settings.seed)
    model = AlbertForMaskedLM(for_training(config))
    with torch.no_grad():
        model.albert.embeddings.word_embeddings.weight.copy_(torch.from_numpy(embeddings))
    optimizer = optimizer_for(model, settings.weight_decay)
    first_epoch = 0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first_epoch = state["epochs"]

    for epoch in range(first_epoch, settings.epochs):
        started = time.monotonic()
        loss = _train_epoch(model, optimizer, texts, settings, epoch)
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epochs": epoch + 1}
        torch.save(state, checkpoint)
        seconds = time.monotonic() - started
        print(f"pretraining: epoch {epoch + 1}, loss {loss:.4f}, {seconds:.0f} s", flush=True)


def _train_epoch(
    model: AlbertForMaskedLM,
    optimizer: torch.optim.Optimizer,
    texts: TrainingTexts,
    settings: PretrainSettings,
    epoch: int,
) -> float:
    """One pass over all texts; gives the mean loss."""
    rng = np.random.default_rng((settings.seed, epoch))
    generator = torch.Generator().manual_seed(settings.seed + epoch)
    epoch_batches = batches(_documents(texts, settings, rng), settings.batch_tokens, rng)
    model.train()
    losses = []
    for index, batch in enumerate(epoch_batches):
        progress = (epoch + index / len(epoch_batches)) / settings.epochs
        rate = settings.learning_rate * min(1.0, progress / settings.warm_up)
        loss = _masked_loss(model, padded(batch), settings, generator)
        step(model, optimizer, loss, rate)
        losses.append(loss.item())
        if index % 200 == 199:
            print(f"  {index + 1}/{len(epoch_batches)}: {np.mean(losses[-200:]):.4f}", flush=True)
    return float(np.mean(losses))


def _documents(
    texts: TrainingTexts, settings: PretrainSettings, rng: np.random.Generator
) -> list[Document]:
    single = [texts.whole(row, rng) for row in range(len(texts))]
    return single + [texts.joined(rng) for _ in range(settings.joined_documents)]


def _masked_loss(
    model: AlbertForMaskedLM, ids: torch.Tensor, settings: PretrainSettings, generator: torch.Generator
) -> torch.Tensor:
    """Cross-entropy of the selected pieces among the batch's pieces and some random ones.

    A full softmax over the vocabulary would cost as much as the encoder.
    """
    vocabulary_size = model.config.vocab_size
    selected = random_ordinary(ids, settings.masked_share, generator)
    inputs = corrupted(ids, selected, vocabulary_size, generator)
    noise = torch.randint(vocabulary_size, (settings.random_candidates,), generator=generator)
    candidates = torch.unique(torch.cat([ids.flatten(), noise]))
    targets = torch.searchsorted(candidates, ids[selected])

    head = model.predictions
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = model.albert(inputs, attention_mask=(ids != PAD).long()).last_hidden_state
        features = head.LayerNorm(head.activation(head.dense(hidden[selected])))
        logits = F.linear(features, head.decoder.weight[candidates], head.decoder.bias[candidates])
    return F.cross_entropy(logits.float(), targets)
