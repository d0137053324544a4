"""Makes tiny random models with other heads than a sequence classifier's: what `train` may begin with.

usage: heads.py OUT_DIR

The files of their tokenizers are those of the golden checkpoints.
"""

import shutil
import sys
from pathlib import Path

import torch
from transformers import (
    AlbertConfig, AlbertForMaskedLM, AlbertForPreTraining, BertConfig, BertForMaskedLM, BertForTokenClassification,
)

GOLDEN = Path(__file__).resolve().parents[2] / "testdata" / "golden"
TOKENIZER = ["tokenizer.json", "spiece.model", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json"]
SIZES = {"hidden_size": 40, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 48, "max_position_embeddings": 64}
HEADS = {
    "albert_mlm": AlbertForMaskedLM,
    "albert_pretraining": AlbertForPreTraining,
    "bert_mlm": BertForMaskedLM,
    "bert_tokens": BertForTokenClassification,
}


def main() -> None:
    for name, head in HEADS.items():
        torch.manual_seed(1)
        out = Path(sys.argv[1]) / name
        shutil.rmtree(out, ignore_errors=True)
        albert = name.startswith("albert")
        golden = GOLDEN / ("gelu" if albert else "bert_uncased")
        if albert:
            config = AlbertConfig(vocab_size=480, embedding_size=16, **SIZES)
        else:
            config = BertConfig(vocab_size=len((golden / "vocab.txt").read_text().splitlines()), **SIZES)
        head(config).save_pretrained(out)
        for file in TOKENIZER:
            if (golden / file).exists():
                shutil.copyfile(golden / file, out / file)


if __name__ == "__main__":
    main()
