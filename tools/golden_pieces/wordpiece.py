"""Makes the golden files of the WordPiece tests, with transformers' BertTokenizerFast. See README.md."""

import argparse
import json
import pathlib
import random
import re
import tempfile

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer
from transformers.utils import logging

from make import CUT_ROWS, CUT_TO, HERE, SEED, column, write
from strings import strings

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SETTINGS = {
    "uncased": {},
    "cased": {"do_lower_case": False},
    "accents": {"strip_accents": False},
    "stripped": {"do_lower_case": False, "strip_accents": True},
    "together": {"tokenize_chinese_chars": False},
}
# What the strings for all vocabularies have little of.
PARTS = [
    "[UNK]", "[PAD]", "[SEP]", " [MASK] ", "x[CLS]y", "[mask]", "[[MASK]]", "İstanbul", "ıI", "ΌΔΟΣ", "ὈΔΥΣΣΕΎΣ", "ß", "ﬀ",
    "각", "각각", "한국어", "가\u11a8", "ㄱ", "e\u0301", "é", "a\u0323\u0301", "e\u302e\u0301", "क्षि", "นี้", "\u200d", "a\u200db", "\0", "a\0b",
    "\ufffd", "x\ufffdy", "\u00ad", "co\u00adop", "\ufeff", "\u0085", "\u2028", "\v", "\f", "\x1f", "\u180e", "新聞", "a新b", "\u3400", "\u4dbf\u4dc0",
    "\U00020000", "\U0002a6df\U0002a6e0", "\U0002b820", "\U0002b920", "\U0002ceb0", "\U00030000", "\uf900", "\ufaff", "\U0002f81a", "カタカナ", "ﾊﾟ", "々",
    "$", "^", "`", "~", "+", "<", ">", "|", "=", "…", "—", "«", "»", "¿", "·", "٪", "。", "、", "㈱", "€", "№", "™", "\u0378", "\u1c80", "\U0001e922",
    "😀", "👨\u200d👩\u200d👧", "🇫🇷", "a" * 99, "a" * 100, "a" * 101, "é" * 100, "é" * 101, "e\u0301" * 100, "e\u0301" * 101, "b" * 1500, "신" * 101, "##ing", "#", "##",
]  # fmt: skip


def awkward(count, seed):
    """The strings for all vocabularies, half of them with more of what BERT looks at."""
    rng = random.Random(seed + 1)
    out = []
    for text in strings(count, seed):
        if rng.random() < 0.5:
            glue = rng.choice(["", "", " "])
            more = [rng.choice(PARTS) for _ in range(rng.randint(1, 3))]
            text = glue.join([*more, text] if rng.random() < 0.5 else [text, *more])
        out.append(text)
    return out


def train(lines, size, lowercase, alphabet):
    """A vocabulary, as the lines of a vocab.txt."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(strip_accents=lowercase, lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=SPECIAL_TOKENS, limit_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    return [piece for piece, _ in vocabulary]


def folder_of(vocabulary, settings):
    """A model directory, as far as tokenizers look at one."""
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "vocab.txt").write_text("".join(piece + "\n" for piece in vocabulary), encoding="utf-8")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def rows(vocabulary, texts, settings, looks):
    """One object a text. Ids that are the same as the first ones are left out; the first `looks` rows have more."""
    made = {name: AutoTokenizer.from_pretrained(folder_of(vocabulary, SETTINGS[name])) for name in settings}
    first, *others = made
    ids = {name: tokenizer(texts, verbose=False)["input_ids"] for name, tokenizer in made.items()}
    for at, text in enumerate(texts):
        row = {"text": text, first: ids[first][at]}
        row |= {name: ids[name][at] for name in others if ids[name][at] != ids[first][at]}
        if at < looks:
            row["offsets"] = made[first](text, return_offsets_mapping=True, verbose=False)["offset_mapping"]
        if at < min(CUT_ROWS, looks):
            for side in ("left", "right"):
                made[first].truncation_side = side
                row[f"cut_{side}"] = made[first](text, truncation=True, max_length=CUT_TO)["input_ids"]
        yield row


def token_rows(vocabulary, texts):
    """The pieces of each text's words, each word alone and special tokens nothing special, with case and without."""
    words = [re.findall(r"[^ \t\n\v\f\r]+", text) for text in texts]
    row = [{"words": words} for words in words]
    for name, lowercase in (("cased", False), ("uncased", True)):
        tokenizer = Tokenizer(models.WordPiece({piece: at for at, piece in enumerate(vocabulary)}, unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        for words_of_text, into in zip(words, row):
            into[name] = [id for encoding in tokenizer.encode_batch(words_of_text) for id in encoding.ids]
    return row


def ranges(holds):
    """The code points that something holds for, as first and last ones."""
    found = []
    for code in [*range(0xD800), *range(0xE000, 0x110000)]:
        if holds(chr(code)):
            if found and found[-1][1] == code - 1:
                found[-1][1] = code
            else:
                found.append([code, code])
    return found


def characters():
    """What BERT's normalisation and its pre-tokenizer do to each character."""
    off = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    clean = normalizers.BertNormalizer(**off | {"clean_text": True}).normalize_str
    chinese = normalizers.BertNormalizer(**off | {"handle_chinese_chars": True}).normalize_str
    strip = normalizers.BertNormalizer(**off | {"strip_accents": True}).normalize_str
    lower = normalizers.BertNormalizer(**off | {"lowercase": True}).normalize_str
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    return {
        "removed": ranges(lambda c: clean(f"a{c}b") == "ab"),
        "space": ranges(lambda c: clean(f"a{c}b") == "a b"),
        "chinese": ranges(lambda c: chinese(c) == f" {c} "),
        "mark": ranges(lambda c: strip(f"a{c}") == "a"),
        "cased": ranges(lambda c: lower(c) != c),
        "punctuation": ranges(lambda c: [word for word, _ in split(f"a{c}b")] == ["a", c, "b"]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the folder to write")
    parser.add_argument("--csv", type=pathlib.Path, nargs="*", default=[], help="train a large vocabulary on the texts of these tables")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--count", type=int, default=1000, help="how many generated strings")
    args = parser.parse_args()
    logging.set_verbosity_error()
    args.out.mkdir(parents=True, exist_ok=True)
    texts = awkward(args.count, SEED)
    if args.csv:
        table = [text for path in args.csv for text in column(path, args.text_column)]
        vocabulary = train(table, 30_522, True, 1000)
        write(args.out / "cases.jsonl", rows(vocabulary, texts + table, ["uncased", "cased"], 1000))
    else:
        corpus = (HERE / "corpus.txt").read_text(encoding="utf-8").splitlines()
        # Words that are too long to be cut are none to learn from.
        lines = [line for line in corpus for _ in range(3)]
        lines += [" ".join(word for word in text.split() if len(word) < 90) for text in awkward(400, SEED + 1)]
        lines += [normalizers.BertNormalizer().normalize_str(line) for line in lines]
        vocabulary = train(lines, 1500, False, 700)
        write(args.out / "cases.jsonl", rows(vocabulary, texts, list(SETTINGS), 300))
        write(args.out / "words.jsonl", token_rows(vocabulary, texts[:300]))
        saved = AutoTokenizer.from_pretrained(folder_of(vocabulary, {}))
        text = json.loads(saved.backend_tokenizer.to_str())
        (args.out / "tokenizer.json").write_text(json.dumps(text, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
        write(args.out / "characters.jsonl", [{"is": name, "ranges": found} for name, found in characters().items()])
    (args.out / "vocab.txt").write_text("".join(piece + "\n" for piece in vocabulary), encoding="utf-8")


if __name__ == "__main__":
    main()
