"""Makes the model that every engine runs: ALBERT-base's or BERT-mini's shape, random weights, in each engine's own form.

usage: make_model.py VOCABULARY OUT_DIR [--shape albert-base|bert-mini] [--onnx-only]

VOCABULARY is the SentencePiece model of an English ALBERT, or `vocab.txt` of an uncased BERT. OUT_DIR gets a Hugging Face directory (which Albertine and PyTorch
read), `model.onnx` (ONNX Runtime and OpenVINO) and `openvino_int8.xml` (OpenVINO, quantized by NNCF). Speed does not depend on the
values of the weights. `--onnx-only` leaves the quantized model out, for which NNCF and OpenVINO are needed.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np
import torch
from transformers import (
    AlbertConfig, AlbertForSequenceClassification, AlbertTokenizerFast, AutoModelForSequenceClassification, AutoTokenizer,
    BertConfig, BertForSequenceClassification, BertTokenizerFast,
)

LABELS = ["World", "Sports", "Business", "Sci/Tech"]
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
CALIBRATION = [
    f"{who} said on {day} that {what} would change {when}."
    for who in ("The company", "A minister", "Their coach", "Researchers in Boston")
    for day in ("Monday", "Thursday", "Sunday")
    for what in ("the price of oil", "a long season on the road", "software for phones", "talks at the border")
    for when in ("this year", "before the next quarter ends, after weeks of doubt in most of the markets")
]


def checkpoint(vocabulary: Path, shape: str, out: Path) -> None:
    """The Hugging Face directory; the seed is fixed."""
    torch.manual_seed(0)
    labels = {"id2label": dict(enumerate(LABELS)), "label2id": {label: index for index, label in enumerate(LABELS)}}
    if shape == "albert-base":
        config = AlbertConfig(hidden_size=768, num_attention_heads=12, intermediate_size=3072, **labels)
        AlbertForSequenceClassification(config).save_pretrained(out)
        AlbertTokenizerFast(vocab_file=str(vocabulary), do_lower_case=True, model_max_length=512).save_pretrained(out)
        shutil.copyfile(vocabulary, out / "spiece.model")
    else:
        config = BertConfig(
            vocab_size=len(vocabulary.read_text().splitlines()), hidden_size=256, num_hidden_layers=4, num_attention_heads=4,
            intermediate_size=1024, **labels,
        )
        BertForSequenceClassification(config).save_pretrained(out)
        BertTokenizerFast(vocab_file=str(vocabulary), do_lower_case=True, model_max_length=512).save_pretrained(out)


def export(out: Path) -> None:
    """`model.onnx` of the checkpoint, any batch and any length."""
    model = AutoModelForSequenceClassification.from_pretrained(out).eval()
    axes = {name: {0: "documents", 1: "pieces"} for name in INPUTS}
    example = (torch.ones(2, 8, dtype=torch.int64), torch.ones(2, 8, dtype=torch.int64), torch.zeros(2, 8, dtype=torch.int64))
    torch.onnx.export(
        model, example, str(out / "model.onnx"), input_names=INPUTS, output_names=["logits"],
        dynamic_axes={**axes, "logits": {0: "documents"}}, opset_version=17, dynamo=False,
    )


def quantize(out: Path) -> None:
    """`openvino_int8.xml` of `model.onnx`; a few sentences give the ranges."""
    import nncf
    import openvino

    tokenizer = AutoTokenizer.from_pretrained(out)

    def inputs(text: str) -> dict[str, np.ndarray]:
        return {name: np.array([values], np.int64) for name, values in tokenizer(text).items()}

    model = openvino.Core().read_model(out / "model.onnx")
    sentences = nncf.Dataset(CALIBRATION, inputs)
    quantized = nncf.quantize(model, sentences, model_type=nncf.ModelType.TRANSFORMER, subset_size=len(CALIBRATION))
    openvino.save_model(quantized, out / "openvino_int8.xml")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vocabulary", type=Path, metavar="VOCABULARY")
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    parser.add_argument("--shape", choices=["albert-base", "bert-mini"], default="albert-base")
    parser.add_argument("--onnx-only", action="store_true")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    checkpoint(arguments.vocabulary, arguments.shape, arguments.out)
    export(arguments.out)
    if not arguments.onnx_only:
        quantize(arguments.out)


if __name__ == "__main__":
    main()
