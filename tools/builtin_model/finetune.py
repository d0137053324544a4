"""Training of the classifier on the pre-trained encoder."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import AlbertConfig, AlbertForSequenceClassification

from corpus import LABELS, Row
from encoding import Document, TrainingTexts, batches, padded
from model import for_training, optimizer_for, random_ordinary, step, triangle
from vocabulary import MASK, PAD


@dataclass(frozen=True, slots=True)
class FinetuneSettings:
    epochs: int = 2
    learning_rate: float = 7e-4
    warm_up: float = 0.06
    weight_decay: float = 0.01
    batch_tokens: int = 2048
    masked_share: float = 0.1
    teacher_weight: float = 0.5
    title_share: float = 0.25
    description_share: float = 0.15
    joined_documents: int = 600
    averaging: float = 0.998
    seed: int = 23


def mixed_targets(rows: list[Row], teacher: np.ndarray, teacher_weight: float) -> np.ndarray:
    """Label and teacher's opinion in one class distribution for every row."""
    labels = np.eye(len(LABELS), dtype=np.float32)[[row.label for row in rows]]
    return teacher_weight * teacher + (1.0 - teacher_weight) * labels


def finetune(
    texts: TrainingTexts,
    targets: np.ndarray,
    pretrained: Path,
    config: AlbertConfig,
    settings: FinetuneSettings,
) -> AlbertForSequenceClassification:
    """The classifier with the moving average of its weights, ready for inference."""
    torch.manual_seed(settings.seed)
    model = AlbertForSequenceClassification(for_training(config))
    _load_encoder(model, pretrained)
    optimizer = optimizer_for(model, settings.weight_decay)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.averaging))

    for epoch in range(settings.epochs):
        started = time.monotonic()
        loss = _train_epoch(model, average, optimizer, texts, targets, settings, epoch)
        seconds = time.monotonic() - started
        print(f"fine-tuning: epoch {epoch + 1}, loss {loss:.4f}, {seconds:.0f} s", flush=True)

    result = AlbertForSequenceClassification(config)
    result.load_state_dict(average.module.state_dict())
    return result.eval()


def _load_encoder(model: AlbertForSequenceClassification, checkpoint: Path) -> None:
    """Takes over embeddings and layers; the pooler was not part of the pre-training."""
    prefix = "albert."
    state = torch.load(checkpoint)["model"]
    encoder = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    missing, unexpected = model.albert.load_state_dict(encoder, strict=False)
    if unexpected or set(missing) != {"pooler.weight", "pooler.bias"}:
        raise ValueError(f"{checkpoint} does not fit: missing {missing}, unexpected {unexpected}")


def _train_epoch(
    model: AlbertForSequenceClassification,
    average: AveragedModel,
    optimizer: torch.optim.Optimizer,
    texts: TrainingTexts,
    targets: np.ndarray,
    settings: FinetuneSettings,
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
        rate = settings.learning_rate * triangle(progress, settings.warm_up)
        loss = _loss(model, batch, targets, settings.masked_share, generator)
        step(model, optimizer, loss, rate)
        average.update_parameters(model)
        losses.append(loss.item())
        if index % 200 == 199:
            print(f"  {index + 1}/{len(epoch_batches)}: {np.mean(losses[-200:]):.4f}", flush=True)
    return float(np.mean(losses))


def _documents(
    texts: TrainingTexts, settings: FinetuneSettings, rng: np.random.Generator
) -> list[Document]:
    views = [
        texts.view(row, settings.title_share, settings.description_share, rng) for row in range(len(texts))
    ]
    return views + [texts.joined(rng) for _ in range(settings.joined_documents)]


def _loss(
    model: AlbertForSequenceClassification,
    batch: list[Document],
    targets: np.ndarray,
    masked_share: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Cross-entropy with the soft targets, some pieces of the texts being masked."""
    ids = padded(batch)
    wanted = torch.from_numpy(np.stack([targets[list(document.rows)].mean(0) for document in batch]))
    inputs = ids.masked_fill(random_ordinary(ids, masked_share, generator), MASK)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(inputs, attention_mask=(ids != PAD).long()).logits
    return F.cross_entropy(logits.float(), wanted)
