"""Makes the golden files of the piece tests. See README.md."""

import argparse
import csv
import io
import json
import pathlib
import re
import shutil
import tempfile

import sentencepiece
from transformers import AlbertTokenizerFast, AutoTokenizer
from transformers.utils import logging

from strings import strings

HERE = pathlib.Path(__file__).parent
SEED = 20_240_229
CUT_ROWS = 60
CUT_TO = 8
SETTINGS = {
    "uncased": {},
    "cased": {"do_lower_case": False},
    "accents": {"do_lower_case": False, "keep_accents": True},
}


def train(out):
    """A vocabulary of about a thousand pieces, laid out as the published ALBERT vocabularies are."""
    # Lines in and bytes out: a trained model keeps the names of the files it was made from.
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter((HERE / "corpus.txt").read_text(encoding="utf-8").splitlines()),
        model_writer=model,
        model_type="unigram",
        vocab_size=1000,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="nmt_nfkc",
        pad_id=0,
        unk_id=1,
        bos_id=-1,
        eos_id=-1,
        control_symbols=["[CLS]", "[SEP]", "[MASK]"],
        user_defined_symbols=["(", ")", '"', "-", ".", "–", "£", "€"],
        num_threads=1,
        minloglevel=1,
    )
    (out / "spiece.model").write_bytes(model.getvalue())
    tokenizer = AlbertTokenizerFast(str(out / "spiece.model"))
    text = json.loads(tokenizer.backend_tokenizer.to_str())
    (out / "tokenizer.json").write_text(json.dumps(text, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def tokenizers(spiece):
    """One fast tokenizer for each of the settings, opened as a user would."""
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        shutil.copy(spiece, folder / "spiece.model")
        (folder / "config.json").write_text('{"model_type": "albert"}')
        for name, settings in SETTINGS.items():
            (folder / "tokenizer_config.json").write_text(json.dumps(settings))
            made[name] = AutoTokenizer.from_pretrained(folder, use_fast=True)
    return made


def rows(tokenizers, texts):
    """One object a text. Ids that are the same as under the setting before are left out."""
    ids = {name: tokenizer(texts, verbose=False)["input_ids"] for name, tokenizer in tokenizers.items()}
    for at, text in enumerate(texts):
        row, before = {"text": text}, None
        for name in SETTINGS:
            if ids[name][at] != before:
                row[name] = before = ids[name][at]
        if at < CUT_ROWS:
            for side in ("left", "right"):
                tokenizer = tokenizers["uncased"]
                tokenizer.truncation_side = side
                row[f"cut_{side}"] = tokenizer(text, truncation=True, max_length=CUT_TO)["input_ids"]
        yield row


def token_rows(spiece, texts):
    """The pieces of each text's words, each word alone, by SentencePiece's own library; marks that stand alone left out."""
    model = sentencepiece.SentencePieceProcessor(model_file=str(spiece))
    mark = model.piece_to_id("▁")
    for text in texts:
        words = re.findall(r"[^ \t\n\v\f\r]+", text)
        yield {"words": words, "ids": [id for word in words for id in model.encode(word) if id != mark]}


def write(path, rows):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def column(path, name):
    with open(path, encoding="utf-8", newline="") as source:
        return [row[name] for row in csv.DictReader(source)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the folder (small) or file (with --spiece) to write")
    parser.add_argument("--spiece", type=pathlib.Path, help="use this vocabulary instead of training a tiny one")
    parser.add_argument("--csv", type=pathlib.Path, nargs="*", default=[], help="add the texts of these tables")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--count", type=int, default=1000, help="how many generated strings")
    args = parser.parse_args()
    logging.set_verbosity_error()
    texts = strings(args.count, SEED)
    for path in args.csv:
        texts += column(path, args.text_column)
    if args.spiece:
        write(args.out, rows(tokenizers(args.spiece), texts))
        write(args.out.with_name("words.jsonl"), token_rows(args.spiece, texts))
    else:
        args.out.mkdir(parents=True, exist_ok=True)
        train(args.out)
        write(args.out / "cases.jsonl", rows(tokenizers(args.out / "spiece.model"), texts))
        write(args.out / "words.jsonl", token_rows(args.out / "spiece.model", texts))


if __name__ == "__main__":
    main()
