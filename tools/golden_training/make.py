"""Makes the golden loss curves: twenty steps of training by transformers and PyTorch, without dropout.

usage: make.py testdata testdata/training
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForMaskedLM, AutoModelForSequenceClassification

STEPS, BATCH, RATE, WARMUP, DECAY, CLIP = 20, 8, 2e-3, 0.1, 0.01, 1.0


def documents(vocabulary: int, pairs: bool) -> tuple[list[list[int]], list[list[int]]]:
    """Pieces and their types: some numbers that are the same everywhere."""
    ids, types = [], []
    for row in range(STEPS * BATCH):
        length = 4 + (row * 7) % 17
        pieces = [2] + [5 + (row * 31 + place * place * 13) % (vocabulary - 5) for place in range(length)] + [3]
        kinds = [0] * len(pieces)
        if pairs:
            second = [5 + (row * 17 + place * 29) % (vocabulary - 5) for place in range(3 + row % 5)] + [3]
            pieces, kinds = pieces + second, kinds + [1] * len(second)
        ids.append(pieces)
        types.append(kinds)
    return ids, types


def rate(step: int) -> float:
    """The learning rate of a step from 0, as `albertine train` has it."""
    warmup = -(-int(WARMUP * STEPS * 1000) // 1000)
    if step < warmup:
        return RATE * (step + 1) / warmup
    return RATE * (STEPS - step) / (STEPS - warmup)


def optimizer(model: torch.nn.Module) -> torch.optim.AdamW:
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": DECAY},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=RATE)


def without_dropout(config) -> None:
    for name in ["hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout_prob", "classifier_dropout"]:
        if hasattr(config, name):
            setattr(config, name, 0.0)


def run(model, loss_of) -> list[float]:
    """The losses of all steps; each document goes alone, without padding, and the rows in order."""
    model.train()
    adam, losses = optimizer(model), []
    for step in range(STEPS):
        rows = range(step * BATCH, (step + 1) * BATCH)
        loss = loss_of(model, list(rows))
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        for group in adam.param_groups:
            group["lr"] = rate(step)
        adam.step()
        losses.append(loss.item())
    return losses


def classifier(folder: Path, ids, types, loss) -> list[float]:
    config = AutoConfig.from_pretrained(folder)
    without_dropout(config)
    model = AutoModelForSequenceClassification.from_pretrained(folder, config=config, dtype=torch.float32)

    def loss_of(model, rows):
        logits = [
            model(input_ids=torch.tensor([ids[row]]), token_type_ids=torch.tensor([types[row]])).logits for row in rows
        ]
        return loss(torch.cat(logits), rows)

    return run(model, loss_of)


def cross_entropy(classes):
    return lambda logits, rows: torch.nn.functional.cross_entropy(logits, torch.tensor([classes[row] for row in rows]))


def distillation(classes, scores, temperature, weight):
    """Hinton's loss: the labels, and the divergence from the teacher's scores at the temperature, times its square."""

    def loss(logits, rows):
        hard = torch.nn.functional.cross_entropy(logits, torch.tensor([classes[row] for row in rows]))
        teacher = torch.log(torch.tensor([scores[row] for row in rows])) / temperature
        soft = torch.nn.functional.kl_div(
            torch.log_softmax(logits / temperature, -1), torch.softmax(teacher, -1), reduction="batchmean"
        )
        return (1 - weight) * hard + weight * temperature**2 * soft

    return loss


def masked(ids: list[list[int]], vocabulary: int) -> list[list[int]]:
    """For each document the places that are hidden; by turns behind the mask, as another piece, and as they are."""
    return [[place for place in range(1, len(pieces) - 1) if (row + place * 5) % 4 == 0] for row, pieces in enumerate(ids)]


def masked_language(folder: Path, ids, hidden) -> list[float]:
    config = AutoConfig.from_pretrained(folder)
    without_dropout(config)
    model = AutoModelForMaskedLM.from_pretrained(folder, config=config, dtype=torch.float32)

    def loss_of(model, rows):
        logits, targets = [], []
        for row in rows:
            pieces = [MASK if place in hidden[row] else piece for place, piece in enumerate(ids[row])]
            if hidden[row]:
                logits.append(model(input_ids=torch.tensor([pieces])).logits[0, hidden[row]])
                targets += [ids[row][place] for place in hidden[row]]
        return torch.nn.functional.cross_entropy(torch.cat(logits), torch.tensor(targets))

    return run(model, loss_of)


MASK = 4


def main() -> None:
    testdata, out = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)

    def write(name: str, model: str, losses: list[float], **data) -> None:
        (out / f"{name}.json").write_text(json.dumps({"model": model, "losses": losses, **data}, separators=(",", ":")) + "\n")

    for name, model in [("albert", "golden/gelu_new"), ("albert_groups", "golden/groups_uneven"), ("bert", "golden/bert_uncased")]:
        config = AutoConfig.from_pretrained(testdata / model)
        ids, types = documents(config.vocab_size, False)
        classes = [(row * 3 + row // 4) % config.num_labels for row in range(len(ids))]
        losses = classifier(testdata / model, ids, types, cross_entropy(classes))
        write(name, model, losses, documents=ids, classes=classes)

    model = "golden/gelu_new"
    config = AutoConfig.from_pretrained(testdata / model)
    ids, types = documents(config.vocab_size, True)
    classes = [(row * 3 + row // 4) % config.num_labels for row in range(len(ids))]
    losses = classifier(testdata / model, ids, types, cross_entropy(classes))
    write("pairs", model, losses, documents=ids, types=types, classes=classes)

    ids, types = documents(config.vocab_size, False)
    scores = []
    for row in range(len(ids)):
        raw = [1 + (row * 5 + label * 7) % 9 for label in range(config.num_labels)]
        scores.append([value / sum(raw) for value in raw])
    losses = classifier(testdata / model, ids, types, distillation(classes, scores, 2.0, 0.7))
    write("distillation", model, losses, documents=ids, classes=classes, scores=scores, temperature=2.0, weight=0.7)

    model = "golden/multi_label"
    config = AutoConfig.from_pretrained(testdata / model)
    ids, types = documents(config.vocab_size, False)
    sets = [[label for label in range(config.num_labels) if (row + label * 3) % 4 == 0] for row in range(len(ids))]

    def binary(logits, rows):
        wanted = torch.zeros_like(logits)
        for place, row in enumerate(rows):
            wanted[place, sets[row]] = 1.0
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted)

    write("multi_label", model, classifier(testdata / model, ids, types, binary), documents=ids, sets=sets)

    model = "golden/regression"
    config = AutoConfig.from_pretrained(testdata / model)
    ids, types = documents(config.vocab_size, False)
    values = [((row * 7) % 11 - 5) / 4 for row in range(len(ids))]

    def squared(logits, rows):
        return torch.nn.functional.mse_loss(logits.squeeze(-1), torch.tensor([values[row] for row in rows]))

    write("regression", model, classifier(testdata / model, ids, types, squared), documents=ids, values=values)

    for name, model in [("albert_mlm", "heads/albert_mlm"), ("bert_mlm", "heads/bert_mlm")]:
        config = AutoConfig.from_pretrained(testdata / model)
        ids, _ = documents(config.vocab_size, False)
        hidden = masked(ids, config.vocab_size)
        write(name, model, masked_language(testdata / model, ids, hidden), documents=ids, hidden=hidden, mask=MASK)


main()
