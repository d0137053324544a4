"""Makes the golden gradients: what PyTorch says of the golden checkpoints, in f64.

usage: make.py testdata/golden testdata/gradients
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification

NAMES = ["gelu", "gelu_new", "relu", "silu", "tanh", "groups_uneven", "odd_sizes", "one_head"]
NAMES += ["gelu_10", "laplace", "leaky_relu", "linear", "mish", "quick_gelu", "relu2", "relu6", "sigmoid"]
NAMES += ["bert_uncased", "bert_cased", "bert_relu"]
DOCUMENTS = 4
FREQUENCIES = [0.1, 0.37, 1.9]


def gradients(folder: Path) -> dict:
    """Losses and gradients of a checkpoint."""
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    expected = json.loads((folder / "expected.json").read_text())
    documents = sorted((text["ids"] for text in expected if 4 <= len(text["ids"]) <= 40), key=len)[:: 3][:DOCUMENTS]
    labels = model.config.num_labels
    classes = [(3 * i + 1) % labels for i in range(len(documents))]
    cases = []
    for weights, smoothing in [(None, 0.0), ([1.0 + 0.5 * i for i in range(labels)], 0.1)]:
        model.zero_grad()
        # Each document alone: no padding, no mask.
        logits = torch.cat([model(input_ids=torch.tensor([ids])).logits for ids in documents])
        weight = None if weights is None else torch.tensor(weights, dtype=torch.float64)
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(classes), weight=weight, label_smoothing=smoothing)
        loss.backward()
        tensors = {}
        for name, parameter in model.named_parameters():
            gradient = parameter.grad
            flat = torch.zeros(parameter.numel(), dtype=torch.float64) if gradient is None else gradient.flatten()
            places = torch.arange(flat.numel(), dtype=torch.float64)
            products = [torch.dot(flat, torch.cos(frequency * places)).item() for frequency in FREQUENCIES]
            tensors[name.removeprefix("albert.").removeprefix("bert.")] = {"length": flat.norm().item(), "products": products}
        cases.append({"weights": weights, "smoothing": smoothing, "loss": loss.item(), "gradients": tensors})
    return {"documents": documents, "classes": classes, "cases": cases}


def main() -> None:
    golden, out = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        (out / f"{name}.json").write_text(json.dumps(gradients(golden / name), separators=(",", ":")) + "\n")


main()
