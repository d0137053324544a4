"""Makes the built-in AG News model: `python make.py --data ag_news --work build --out model`.

Every stage keeps its result in the work folder, and a later run goes on from there.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from transformers import AlbertConfig, AlbertForSequenceClassification, AutoTokenizer, PreTrainedTokenizerFast

from corpus import Corpus, Row, load_corpus
from embeddings import piece_embeddings
from encoding import TrainingTexts, typographic
from evaluate import logits_of, measure
from finetune import FinetuneSettings, finetune, mixed_targets
from model import configuration
from pretrain import PretrainSettings, pretrain
from teacher import out_of_fold_targets
from vocabulary import train_vocabulary

VOCABULARY_SIZE = 12_000
DEV_ROWS = 4_000
TEACHER_FOLDS = 4
SEED = 1


def vocabulary_stage(corpus: Corpus, folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer, trained on every text as published and as typed."""
    if not (folder / "tokenizer.json").exists():
        spellings = (spelling(row.text) for row in corpus.train for spelling in (str, typographic))
        train_vocabulary(spellings, VOCABULARY_SIZE, folder)
    return AutoTokenizer.from_pretrained(folder)


def teacher_stage(corpus: Corpus, path: Path) -> np.ndarray:
    """The teacher's opinion of every training row."""
    if not path.exists():
        np.save(path, out_of_fold_targets(corpus.train, TEACHER_FOLDS, SEED))
    return np.load(path)


def embeddings_stage(texts: TrainingTexts, config: AlbertConfig, path: Path) -> np.ndarray:
    """The piece embeddings that the pre-training starts from."""
    if not path.exists():
        pieces = texts.clean_pieces()
        np.save(path, piece_embeddings(pieces, config.vocab_size, config.embedding_size, SEED))
    return np.load(path)


def calibrate(
    model: AlbertForSequenceClassification, tokenizer: PreTrainedTokenizerFast, rows: list[Row]
) -> float:
    """Scales the logits, in the classifier's own weights, to fit the held-out rows best."""
    logits = logits_of(model, tokenizer, [row.text for row in rows])
    labels = np.array([row.label for row in rows])

    def loss(scale: float) -> float:
        return -log_softmax(scale * logits, axis=1)[np.arange(len(labels)), labels].mean()

    scale = float(minimize_scalar(loss, bounds=(0.2, 5.0), method="bounded").x)
    with torch.no_grad():
        model.classifier.weight.mul_(scale)
        model.classifier.bias.mul_(scale)
    return scale


def export(model: AlbertForSequenceClassification, tokenizer_folder: Path, folder: Path) -> None:
    """Writes the weights in half precision and copies the tokenizer files beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(folder, safe_serialization=True)
    for file in tokenizer_folder.iterdir():
        shutil.copyfile(file, folder / file.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the three AG News files")
    parser.add_argument("--work", type=Path, required=True, help="folder for intermediate results")
    parser.add_argument("--out", type=Path, required=True, help="folder for the exported model")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch (default: 1)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)

    corpus = load_corpus(arguments.data, DEV_ROWS, SEED)
    print(f"{len(corpus.train)} training, {len(corpus.dev)} development rows", flush=True)
    tokenizer = vocabulary_stage(corpus, work / "tokenizer")
    teacher = teacher_stage(corpus, work / "teacher.npy")
    texts = TrainingTexts(corpus.train, tokenizer)
    config = configuration(len(tokenizer))
    embeddings = embeddings_stage(texts, config, work / "embeddings.npy")
    pretrain(texts, embeddings, config, PretrainSettings(), work / "pretrained.pt")
    settings = FinetuneSettings()
    targets = mixed_targets(corpus.train, teacher, settings.teacher_weight)
    model = finetune(texts, targets, work / "pretrained.pt", config, settings)
    scale = calibrate(model, tokenizer, corpus.dev)
    print(f"logits scaled by {scale:.3f}; on the development rows:")
    print(json.dumps(measure(model, tokenizer, corpus.dev), indent=2), flush=True)
    export(model, work / "tokenizer", arguments.out)


if __name__ == "__main__":
    main()
