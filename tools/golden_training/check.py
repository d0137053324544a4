"""Compares a trained model directory with transformers: the pieces and logits of the lines of a file.

usage: check.py ALBERTINE MODEL TEXTS
"""

import json
import subprocess
import sys

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoTokenizer


def main() -> None:
    albertine, folder, texts = sys.argv[1:]
    lines = [line for line in open(texts, encoding="utf-8").read().split("\n") if line.strip()]
    is_masked = "ForMaskedLM" in json.load(open(f"{folder}/config.json"))["architectures"][0]
    tokenizer, plain = AutoTokenizer.from_pretrained(folder), Tokenizer.from_file(f"{folder}/tokenizer.json")
    for line in lines:
        ids = tokenizer(line)["input_ids"]
        assert ids == plain.encode(line).ids, line
        if is_masked:
            # The command reads classifiers.
            continue
        told = subprocess.run([albertine, "inspect", "pieces", line, "--model", folder], capture_output=True, text=True, check=True)
        found = [json.loads(row)["id"] for row in told.stdout.splitlines()]
        assert found == ids, (line, found, ids)
    print(f"{len(lines)} lines have the same pieces")
    if is_masked:
        model, loading = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True)
        assert not any(loading[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys")), loading
        print("transformers reads every tensor")
        return
    model, loading = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    assert not loading["missing_keys"] and not loading["unexpected_keys"], loading
    model.eval()
    command = [albertine, "classify", "--model", folder, "--logits", "--input-format", "txt", "--quiet"]
    told = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True)
    worst = 0.0
    for line, row in zip(lines, told.stdout.splitlines(), strict=True):
        ids = tokenizer(line, truncation=True, max_length=model.config.max_position_embeddings, return_tensors="pt")
        with torch.no_grad():
            logits = model(**ids).logits[0].tolist()
        worst = max(worst, *(abs(one - two) for one, two in zip(logits, json.loads(row)["logits"], strict=True)))
    print(f"logits differ by at most {worst:.2e}")
    assert worst < 1e-4


main()
