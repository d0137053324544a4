"""Makes testdata/explain: what the `shap` package's Partition explainer says of texts, with models of this repository.

usage: make.py target/release/albertine testdata/explain

One file for each model: texts with the number of evaluations, the values of the text and of the text all hidden, and the weights of
its parts for each label, rounded to six digits. Texts have no space around them, which shap would take away. The order in which equal parts are divided is up to chance there; the seed is fixed.
"""

import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import shap
import torch
from transformers import pipeline

ROOT = Path(__file__).resolve().parents[2]

MODELS = {
    "bert_cased": ROOT / "testdata/golden/bert_cased",
    "bert_regression": ROOT / "testdata/golden/bert_regression",
    "multi_label": ROOT / "testdata/golden/multi_label",
}

TEXTS = [
    ("Oil prices rose on Monday as OPEC cut its output.", 500),
    ("Oil prices rose on Monday as OPEC cut its output.", 40),
    ("The striker (on loan from Leeds) didn't score, but the team's 'B' side won 3-2 - and how!\nIt ended [at last] in rain.", 500),
    ("Señor O'Neil: \"We've sold 1,200 phones, or 3.5% more\"; analysts, who had expected less, were stunned?", 200),
    ("One [SEP] two [MASK] three", 500),
    ("goal", 500),
]


def main() -> None:
    warnings.filterwarnings("ignore")
    albertine, out = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # Its weights are stored in 8 bits, which transformers does not read.
        built_in = Path(folder, "ag_news")
        subprocess.run([albertine, "models", "convert", "ag_news", built_in, "--weights", "f32"], check=True)
        write({"ag_news": built_in, **MODELS}, out)


def write(models: dict[str, Path], out: Path) -> None:
    for name, model in models.items():
        classifier = pipeline("text-classification", model=str(model), top_k=None, truncation=True, dtype=torch.float32)
        explainer = shap.Explainer(classifier)
        rows = []
        for text, evaluations in TEXTS:
            np.random.seed(0)
            found = explainer([text], max_evals=evaluations, silent=True)
            values, base = found.values[0], found.base_values[0]
            if "".join(found.data[0]) != text:
                # where two pieces have the same offsets, shap repeats what stands there and explains another text
                print("left out:", name, text[:40], flush=True)
                continue
            rows.append({
                "text": text,
                "evaluations": evaluations,
                "parts": list(found.data[0]),
                "base": np.round(base, 6).tolist(),
                "values": np.round(base + values.sum(axis=0), 6).tolist(),
                "weights": np.round(values, 6).tolist(),
            })
        (out / f"{name}.json").write_text(
            "[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n", encoding="utf-8"
        )
        print(name, (out / f"{name}.json").stat().st_size, "bytes", flush=True)


if __name__ == "__main__":
    main()
