"""The architecture, and what both trainings share: optimizer, schedule and masking."""

from __future__ import annotations

import torch
from torch import nn
from transformers import AlbertConfig

from corpus import LABELS
from vocabulary import CLS, FIRST_ORDINARY_PIECE, MASK, MAX_LENGTH, PAD, SEP

# The same function as the configuration's "gelu_new", as one fused operation.
_FUSED_ACTIVATION = "gelu_pytorch_tanh"


def configuration(vocabulary_size: int) -> AlbertConfig:
    """A small ALBERT: three passes through one layer of 192 features in three heads."""
    return AlbertConfig(
        vocab_size=vocabulary_size,
        embedding_size=128,
        hidden_size=192,
        num_hidden_layers=3,
        num_hidden_groups=1,
        inner_group_num=1,
        num_attention_heads=3,
        intermediate_size=768,
        hidden_act="gelu_new",
        max_position_embeddings=MAX_LENGTH,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        classifier_dropout_prob=0.1,
        initializer_range=0.05,
        pad_token_id=PAD,
        bos_token_id=CLS,
        eos_token_id=SEP,
        id2label=dict(enumerate(LABELS)),
        label2id={name: index for index, name in enumerate(LABELS)},
        problem_type="single_label_classification",
    )


def for_training(config: AlbertConfig) -> AlbertConfig:
    """The same network with the operations that train fastest on a CPU."""
    training = AlbertConfig(**config.to_dict())
    training.hidden_act = _FUSED_ACTIVATION
    training._attn_implementation = "eager"
    return training


def optimizer_for(model: nn.Module, weight_decay: float) -> torch.optim.AdamW:
    """AdamW that leaves vectors (biases, normalisation) undecayed."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)


def step(
    model: nn.Module, optimizer: torch.optim.Optimizer, loss: torch.Tensor, learning_rate: float
) -> None:
    """One update with clipped gradients."""
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.step()
    optimizer.zero_grad()


def triangle(progress: float, peak: float) -> float:
    """A factor that rises up to the given share of the training and then falls to nothing."""
    return min(progress / peak, (1.0 - progress) / (1.0 - peak))


def random_ordinary(ids: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """A random selection of the ordinary pieces, as a mask."""
    selected = torch.rand(ids.shape, generator=generator) < share
    return selected & (ids >= FIRST_ORDINARY_PIECE)


def corrupted(
    ids: torch.Tensor, selected: torch.Tensor, vocabulary_size: int, generator: torch.Generator
) -> torch.Tensor:
    """BERT's corruption of the selected pieces: 80% [MASK], 10% random, 10% unchanged."""
    fate = torch.rand(ids.shape, generator=generator)
    noise = torch.randint(FIRST_ORDINARY_PIECE, vocabulary_size, ids.shape, generator=generator)
    ids = torch.where(selected & (fate < 0.8), torch.full_like(ids, MASK), ids)
    return torch.where(selected & (fate >= 0.9), noise, ids)
