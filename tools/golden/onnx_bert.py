"""Exports a golden BERT to ONNX with both exporters of PyTorch, into testdata/onnx.

    pip install -r tools/golden/requirements.txt onnxscript
    python tools/golden/onnx_bert.py
"""

import pathlib
import tempfile

import onnx
import torch
from transformers import AutoModelForSequenceClassification

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "testdata" / "golden" / "bert_uncased"
TARGET = ROOT / "testdata" / "onnx"
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]


class Logits(torch.nn.Module):
    """The model with a tensor as its result."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).logits


def export(path, dynamo):
    """Writes the model."""
    model = Logits(AutoModelForSequenceClassification.from_pretrained(SOURCE, attn_implementation="eager").eval())
    ids = torch.tensor([[2, 5, 6, 3]])
    arguments = (ids, torch.ones_like(ids), torch.zeros_like(ids))
    names = {"input_names": INPUTS, "output_names": ["logits"]}
    if dynamo:
        axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
        torch.onnx.export(model, arguments, path, external_data=False, dynamic_shapes=dict.fromkeys(INPUTS, axes), **names)
    else:
        axes = {0: "batch", 1: "tokens"}
        torch.onnx.export(
            model, arguments, path, dynamo=False, opset_version=17, dynamic_axes=dict.fromkeys(INPUTS, axes), **names,
        )


def without_traces(model):
    """The model without the paths of the machine that it was exported on."""
    graph = model.graph
    for part in [model, graph, *model.functions, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer]:
        for field in ["doc_string", "metadata_props"]:
            if field in part.DESCRIPTOR.fields_by_name:
                part.ClearField(field)
    return model


def main():
    for name, dynamo in [("bert", False), ("bert_dynamo", True)]:
        directory = TARGET / name
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, "model.onnx")
            export(path, dynamo)
            onnx.save(without_traces(onnx.load(path)), directory / "model.onnx")


if __name__ == "__main__":
    main()
