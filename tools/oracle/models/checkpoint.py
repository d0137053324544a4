"""Makes the tiny classifier that everything here is exported from, and its ONNX forms.

usage: checkpoint.py OUT_DIR

OUT_DIR gets huggingface/ (a model directory), and onnx/ and onnx_dynamo/ (by PyTorch's two exporters, with the assets that Spark NLP
wants). Vocabulary and weights are drawn as tools/golden does it.
"""

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

import onnx
import torch
from transformers import AlbertForSequenceClassification, AlbertTokenizerFast

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
sys.path.insert(0, str(GOLDEN))
import make  # noqa: E402  tools/golden/make.py

SEED = 7
# As small as ALBERT-base is large: three layers that share their weights, the embedding narrower than the rest.
SHAPE = make.Golden({"hidden_size": 32, "num_hidden_layers": 3, "hidden_act": "gelu_new", "attn_implementation": "eager"})
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]


def vocabulary(out: Path) -> Path:
    """`spiece.model`, from the corpus of tools/golden."""
    corpus = (GOLDEN / "corpus.txt").read_text().splitlines()
    texts = json.loads((GOLDEN / "texts.json").read_text())
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        make.write_rules(texts + corpus, Path("rules.tsv"))
        made = make.train_vocabulary(corpus, Path("small"), {"normalization_rule_tsv": "rules.tsv"})
        return Path(shutil.copy(made, out))


def export(model: AlbertForSequenceClassification, out: Path, spiece: Path, dynamo: bool) -> None:
    """`model.onnx` for any batch and any length, and its assets."""
    out.mkdir(parents=True, exist_ok=True)
    example = (torch.ones(2, 8, dtype=torch.int64), torch.ones(2, 8, dtype=torch.int64), torch.zeros(2, 8, dtype=torch.int64))
    if dynamo:
        batch, length = torch.export.Dim("batch"), torch.export.Dim("length", max=128)
        free = {"dynamic_shapes": {name: {0: batch, 1: length} for name in INPUTS}, "external_data": False, "dynamo": True}
    else:
        free = {"dynamic_axes": {**{name: {0: "batch", 1: "length"} for name in INPUTS}, "logits": {0: "batch"}}, "dynamo": False}
    torch.onnx.export(
        model, example, str(out / "model.onnx"), input_names=INPUTS, output_names=["logits"], opset_version=18 if dynamo else 17, **free,
    )  # fmt: skip
    if dynamo:
        forget_paths(out / "model.onnx")
    assets(model, out / "assets", spiece)


def forget_paths(path: Path) -> None:
    """Leaves out where in the sources each node was made: paths of the machine that exported, and most of the file."""
    model = onnx.load(path)
    for node in model.graph.node:
        kept = [(prop.key, prop.value) for prop in node.metadata_props if "stack_trace" not in prop.key]
        del node.metadata_props[:]
        for key, value in kept:
            node.metadata_props.add(key=key, value=value)
    onnx.save(model, path)


def assets(model: AlbertForSequenceClassification, out: Path, spiece: Path) -> None:
    """What Spark NLP looks for beside an exported model."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(spiece, out / "spiece.model")
    labels = [model.config.id2label[index] for index in range(model.config.num_labels)]
    (out / "labels.txt").write_text("\n".join(labels))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    out = parser.parse_args().out.resolve()
    directory = out / "huggingface"
    directory.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    spiece = vocabulary(directory / "spiece.model")
    model = make.random_model(SHAPE, SEED)
    model.save_pretrained(directory)
    AlbertTokenizerFast(vocab_file=str(spiece), model_max_length=128).save_pretrained(directory)
    export(model, out / "onnx", spiece, dynamo=False)
    export(model, out / "onnx_dynamo", spiece, dynamo=True)


if __name__ == "__main__":
    main()
