"""Saves models of every kind as Hugging Face directories and loads them with transformers: the logits must be the same.

    python tools/parity/saved.py [MODEL]...

Without arguments the models are those of testdata/spark_nlp/models, which were all made from one.
"""

import pathlib
import subprocess
import sys
import tempfile

import torch
from transformers import AlbertForSequenceClassification, AlbertTokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ROOT / "testdata" / "spark_nlp" / "models"
TEXTS = ["Oil prices rose on Monday.", "The home team won again", "(a new chip, they say)"]


def logits(directory):
    """What transformers makes of the texts, and the labels."""
    model, report = AlbertForSequenceClassification.from_pretrained(directory, output_loading_info=True)
    wrong = {kind: found for kind, found in report.items() if found}
    if wrong:
        raise SystemExit(f"{directory}: {wrong}")
    # From spiece.model alone: the slow tokenizer is the same in every directory.
    tokenizer = AlbertTokenizer(str(directory / "spiece.model"))
    inputs = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        return model.eval()(**inputs).logits, model.config.id2label


def main():
    given = [pathlib.Path(name) for name in sys.argv[1:]]
    models = given or sorted(path for path in MODELS.iterdir() if path.name != "tokenizers")
    reference = None if given else logits(MODELS / "huggingface")
    with tempfile.TemporaryDirectory() as place:
        for model in models:
            saved = pathlib.Path(place) / model.name
            command = ["cargo", "run", "--release", "--quiet", "-p", "albertine-model", "--example", "save", "--"]
            subprocess.run([*command, model, saved], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            found, labels = logits(saved)
            if reference and (labels != reference[1] or not torch.equal(found, reference[0])):
                raise SystemExit(f"{model.name}: {found} {labels}, not {reference}")
            print(f"{model.name}: loaded, {len(labels)} labels" + (", the same logits" if reference else ""))


if __name__ == "__main__":
    main()
