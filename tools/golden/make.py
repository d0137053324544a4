"""Makes the golden checkpoints: tiny random ALBERTs and BERTs, and what transformers answers with them.

usage: make.py OUT_DIR [--only NAME ...] [--pairs-alone]

Each directory under OUT_DIR is a complete model directory with an `expected.json` of piece ids and logits for the texts of
`texts.json`; BERTs and some ALBERTs have a `pairs.json` besides, of some pairs of these texts. Seeds are fixed. README.md beside this script says what is in them and why.
"""

import argparse
import contextlib
import io
import json
import shutil
import tempfile
import unicodedata
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import sentencepiece
import torch
from tokenizers import BertWordPieceTokenizer
from transformers import (
    AlbertConfig, AlbertForSequenceClassification, AlbertTokenizerFast, AutoModelForSequenceClassification, AutoTokenizer,
    BertConfig, BertForSequenceClassification, BertTokenizerFast, PreTrainedModel, PreTrainedTokenizerFast,
)

HERE = Path(__file__).resolve().parent
PIECES = 480
# The most that f32 logits may differ from f64 ones: a fifth of what an engine may differ from them.
ROUNDING = 2e-5
LABELS = ["World", "Sports", "Business", "Sci/Tech"]


# Pairs of texts by their indexes: an empty text first, a blank one second (transformers takes an empty one for none), special pieces, and texts that are too long on one side or on both.
PAIRS = [
    (0, 3), (8, 11), (16, 19), (24, 27), (32, 35), (3, 1), (28, 29), (38, 4), (4, 38), (38, 39), (39, 38), (39, 39),
]

# Activations that few models have, and a model small enough for each of them.
RARE = ["gelu_fast", "laplace", "leaky_relu", "linear", "mish", "quick_gelu", "relu2", "sigmoid"]
SMALL = {"hidden_size": 24, "num_attention_heads": 2, "intermediate_size": 40}


@dataclass
class Golden:
    """One checkpoint: what differs from the usual tiny model, and how it is stored."""

    config: dict = field(default_factory=dict)
    family: str = "albert"  # albert, bert
    pairs: bool = False  # BERTs have them in any case
    labels: list = field(default_factory=lambda: LABELS)
    cased: bool = False
    all_rules: bool = False  # the whole of nmt_nfkc: a quarter of a megabyte, so only where it is the point
    store: str = "safetensors"  # safetensors, sharded, pickle, sharded_pickle, legacy_pickle
    dtype: torch.dtype = torch.float32
    chinese: bool = False  # an ALBERT with BERT's kind of vocabulary, as all Chinese ones, and texts for it
    tokenizer_json: bool = True
    vocabulary_alone: bool = False  # no file of the tokenizer but its vocabulary
    wide: float = 1.0  # scale of what the activation is given
    gain: float = 0.9  # scale of the random weights; deep models need less of it to stay well conditioned


GOLDENS = {
    "gelu": Golden({"hidden_act": "gelu"}, pairs=True),
    "gelu_new": Golden({"hidden_act": "gelu_new"}),
    "gelu_pytorch_tanh": Golden({"hidden_act": "gelu_pytorch_tanh"}),
    "relu": Golden({"hidden_act": "relu"}),
    "silu": Golden({"hidden_act": "silu"}),
    "tanh": Golden({"hidden_act": "tanh"}),
    # The first two with numbers large enough that their ends are met.
    "gelu_10": Golden({"hidden_act": "gelu_10", **SMALL}, wide=6.0),
    "relu6": Golden({"hidden_act": "relu6", **SMALL}, wide=4.0),
    **{name: Golden({"hidden_act": name, **SMALL}) for name in RARE},
    "groups": Golden({"num_hidden_layers": 6, "num_hidden_groups": 3, "inner_group_num": 2, "hidden_size": 24}, gain=0.8),
    "groups_uneven": Golden({"num_hidden_layers": 5, "num_hidden_groups": 2, "inner_group_num": 2, "hidden_size": 32}, gain=0.8),
    "odd_sizes": Golden({
        "embedding_size": 13, "hidden_size": 30, "num_attention_heads": 5, "intermediate_size": 37,
        "num_hidden_layers": 3, "type_vocab_size": 3, "layer_norm_eps": 1e-5,
    }, pairs=True),
    "one_head": Golden({"num_attention_heads": 1, "hidden_size": 24, "embedding_size": 32}),
    "regression": Golden({"problem_type": "regression"}, labels=["stars"]),
    "multi_label": Golden({"problem_type": "multi_label_classification"}, labels=["oil", "rain", "music", "law", "bees"]),
    "cased": Golden(cased=True, pairs=True, all_rules=True),
    "positions_64": Golden({"max_position_embeddings": 64}, pairs=True),
    "spiece_only": Golden(tokenizer_json=False, pairs=True, all_rules=True),
    "albert_wordpiece": Golden(SMALL, pairs=True, chinese=True),
    "albert_vocab_txt": Golden(SMALL, chinese=True, vocabulary_alone=True),
    "pickle_only": Golden(store="pickle", config={"hidden_size": 36, "num_attention_heads": 3}),
    "pickle_sharded": Golden(store="sharded_pickle"),
    "pickle_legacy": Golden(store="legacy_pickle"),
    "sharded": Golden(store="sharded"),
    "f16": Golden(dtype=torch.float16),
    "bf16": Golden(dtype=torch.bfloat16),
    "bert_uncased": Golden(family="bert"),
    "bert_cased": Golden({"num_hidden_layers": 3, "hidden_size": 36, "num_attention_heads": 3}, family="bert", cased=True),
    "bert_multi_label": Golden(
        {"problem_type": "multi_label_classification"}, family="bert", labels=["oil", "rain", "music", "law", "bees"],
    ),
    "bert_regression": Golden({"problem_type": "regression"}, family="bert", labels=["stars"]),
    "bert_relu": Golden({"hidden_act": "relu", "layer_norm_eps": 1e-5, "max_position_embeddings": 64}, family="bert"),
    "bert_vocab_txt": Golden({"num_attention_heads": 1}, family="bert", vocabulary_alone=True),
}


def train_vocabulary(corpus: list, out: Path, rules: dict) -> Path:
    """A SentencePiece vocabulary with ALBERT's special pieces and ids, from the text beside this script."""
    # The corpus as an iterator: a path would be written into the model.
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus), model_writer=model, model_type="unigram", vocab_size=PIECES,
        character_coverage=0.995, pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, pad_piece="<pad>", unk_piece="<unk>",
        control_symbols=["[CLS]", "[SEP]"], user_defined_symbols=["[MASK]"], num_threads=1, minloglevel=2, **rules,
    )
    out.mkdir()
    (out / "spiece.model").write_bytes(model.getvalue())
    return out / "spiece.model"


def train_wordpiece(texts: list, out: Path, cased: bool) -> Path:
    """A WordPiece vocabulary, from the same text."""
    tokenizer = BertWordPieceTokenizer(lowercase=not cased, strip_accents=None)
    tokenizer.train_from_iterator(texts, vocab_size=PIECES, min_frequency=1, show_progress=False)
    pieces = tokenizer.get_vocab()
    out.mkdir()
    (out / "vocab.txt").write_text("".join(f"{piece}\n" for piece in sorted(pieces, key=pieces.get)))
    return out / "vocab.txt"


def write_han(texts: list, wordpiece: Path, out: Path) -> Path:
    """A vocabulary as the Chinese ALBERTs have it: single characters, and pieces of words for what is not Chinese. Some
    characters of the texts are not in it."""
    pieces = wordpiece.read_text().splitlines()
    han = sorted({character for text in texts for character in text if "\u4e00" <= character <= "\u9fff"} - set(pieces))
    out.mkdir()
    (out / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces + han[::7] + han[1::7] + han[2::7] + han[3::7]))
    return out / "vocab.txt"


def write_rules(texts: list, path: Path) -> None:
    """The rules of nmt_nfkc for the characters of the texts and of their decompositions, as SentencePiece's table."""
    normalizer = sentencepiece.SentencePieceNormalizer(
        rule_name="nmt_nfkc", add_dummy_prefix=False, escape_whitespaces=False, remove_extra_whitespaces=False,
    )
    text = "".join(texts)
    rules = []
    for character in sorted(set(text + unicodedata.normalize("NFKD", text)) - {"\0"}):
        normal = normalizer.normalize(character)
        if normal != character:
            rules.append(f"{ord(character):X}\t" + " ".join(f"{ord(part):X}" for part in normal))
    path.write_text("\n".join(rules) + "\n")


def random_model(golden: Golden, vocab_size: int, seed: int) -> PreTrainedModel:
    """A model whose random weights are large enough that texts get clearly different logits."""
    sizes = {"embedding_size": 16} if golden.family == "albert" else {}
    config = (AlbertConfig if golden.family == "albert" else BertConfig)(**{
        "vocab_size": vocab_size, "hidden_size": 40, "num_hidden_layers": 2,
        "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 128,
        "id2label": dict(enumerate(golden.labels)), "label2id": {label: id for id, label in enumerate(golden.labels)},
        "hidden_act": "gelu_new" if golden.family == "albert" else "gelu", "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
        "attn_implementation": "eager",
    } | sizes | golden.config)
    classes = {"albert": AlbertForSequenceClassification, "bert": BertForSequenceClassification}
    model = classes[golden.family](config).eval()
    generator = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=generator)
        if "norm" in name.lower():
            weight.data = 0.2 * noise + (1.0 if name.endswith("weight") else 0.0)
        elif name.endswith("bias"):
            weight.data = 0.1 * noise
        elif "embeddings" in name:
            weight.data = noise
        else:
            # Attention far from uniform, so that [CLS] sees some pieces and not the mean of all.
            gain = 2.5 if "query" in name or "key" in name or "classifier" in name else 1.5
            gain *= golden.wide if name.endswith("ffn.weight") else 1 / golden.wide if "ffn_output" in name else 1
            weight.data = noise * gain * golden.gain / weight.shape[1] ** 0.5
    # Numbers that the narrow type has, so that storing the model in it loses nothing.
    model.to(golden.dtype).to(torch.float32)
    return model


def save(model: PreTrainedModel, golden: Golden, out: Path) -> None:
    """Writes config and weights in the layout that the checkpoint stands for."""
    state = {name: tensor.to(golden.dtype) for name, tensor in model.state_dict().items()}
    model.config.dtype = golden.dtype
    sharded = "sharded" in golden.store
    model.save_pretrained(
        out, state_dict=state, safe_serialization="pickle" not in golden.store,
        max_shard_size=20_000 if sharded else "1GB",
    )
    if golden.store == "legacy_pickle":
        torch.save(OrderedDict(state), out / "pytorch_model.bin", _use_new_zipfile_serialization=False)


def make(name: str, golden: Golden, vocabulary: Path, texts: list, out: Path) -> str:
    """Makes one directory, and says in a line what came out."""
    directory = out / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    wordpiece = vocabulary.name == "vocab.txt"
    vocab_size = len(vocabulary.read_text().splitlines()) if wordpiece else PIECES
    model = random_model(golden, vocab_size, zlib.crc32(name.encode()))
    save(model, golden, directory)
    limit = model.config.max_position_embeddings
    tokenizer = make_tokenizer(golden, vocabulary, limit)
    tokenizer.save_pretrained(directory)
    if not golden.tokenizer_json:
        (directory / "tokenizer.json").unlink()
        tokenizer = AlbertTokenizerFast.from_pretrained(directory)
    if golden.vocabulary_alone:
        for file in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]:
            (directory / file).unlink()
        if golden.chinese:
            # ALBERTs are taken for models of SentencePiece unless this says otherwise.
            settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
            (directory / "tokenizer_config.json").write_text(json.dumps(settings) + "\n")
        tokenizer = AutoTokenizer.from_pretrained(directory)
    encoded = [tokenizer(text, truncation=True, max_length=limit)["input_ids"] for text in texts]
    logits = answer(model, encoded)
    # What was written is what was asked, and its weights do not blow rounding up to where no engine could agree.
    exact = AutoModelForSequenceClassification.from_pretrained(directory, dtype=torch.float64, attn_implementation="eager")
    rounding = (answer(exact.eval(), encoded) - logits).abs().max().item()
    if rounding > ROUNDING:
        raise SystemExit(f"{name}: rounding alone changes logits by {rounding:.1e}; make its gain smaller")
    rows = [{"ids": ids, "logits": row} for ids, row in zip(encoded, logits.tolist())]
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (directory / "expected.json").write_text(f"[\n{lines}\n]\n")
    if golden.chinese:
        (directory / "texts.json").write_text(json.dumps(texts, ensure_ascii=False, indent=1) + "\n")
    if golden.pairs or golden.family == "bert":
        write_pairs(model, tokenizer, texts, limit, directory)
    size = sum(path.stat().st_size for path in directory.iterdir())
    spread = logits.std(0).mean()
    return f"{name:18} {size / 1024:5.0f} kB, logits spread {spread:.2f}, to {logits.abs().max():.1f}, rounding {rounding:.0e}"


def make_tokenizer(golden: Golden, vocabulary: Path, limit: int) -> PreTrainedTokenizerFast:
    """The fast tokenizer of a checkpoint."""
    if vocabulary.name == "vocab.txt":
        return BertTokenizerFast(vocab_file=str(vocabulary), do_lower_case=not golden.cased, model_max_length=limit)
    return AlbertTokenizerFast(
        vocab_file=str(vocabulary), do_lower_case=not golden.cased, keep_accents=golden.cased, model_max_length=limit,
    )


def write_pairs(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: list, limit: int, directory: Path,
) -> None:
    """What the model says of pairs of texts, whose second one has another token type."""
    rows = []
    for first, second in PAIRS:
        encoded = tokenizer(texts[first], texts[second], truncation=True, max_length=limit)
        ids, types = encoded["input_ids"], encoded["token_type_ids"]
        with torch.no_grad():
            logits = model(torch.tensor([ids]), token_type_ids=torch.tensor([types])).logits[0]
        rows.append({"texts": [first, second], "ids": ids, "token_types": types, "logits": logits.tolist()})
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (directory / "pairs.json").write_text(f"[\n{lines}\n]\n")


def answer(model: PreTrainedModel, encoded: list) -> torch.Tensor:
    """Logits of each row of piece ids, one row at a time."""
    with torch.no_grad():
        return torch.stack([model(torch.tensor([ids])).logits[0] for ids in encoded])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    parser.add_argument("--only", nargs="+", choices=GOLDENS, metavar="NAME", help="make these and leave the others")
    parser.add_argument("--pairs-alone", action="store_true", help="make pairs.json anew for the checkpoints that are there")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    texts = json.loads((HERE / "texts.json").read_text())
    corpus = (HERE / "corpus.txt").read_text().splitlines()
    out = arguments.out.resolve()
    chinese = json.loads((HERE / "chinese.json").read_text())
    if arguments.pairs_alone:
        for name in arguments.only or GOLDENS:
            golden, directory = GOLDENS[name], out / name
            if golden.pairs or golden.family == "bert":
                model = AutoModelForSequenceClassification.from_pretrained(directory, attn_implementation="eager").eval()
                limit = model.config.max_position_embeddings
                tokenizer = AutoTokenizer.from_pretrained(directory)
                write_pairs(model, tokenizer, chinese if golden.chinese else texts, limit, directory)
        return
    # Relative paths from here on, because the one of the rules is written into the vocabulary.
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        write_rules(texts + corpus, Path("rules.tsv"))
        whole = train_vocabulary(corpus, Path("whole"), {"normalization_rule_name": "nmt_nfkc"})
        small = train_vocabulary(corpus, Path("small"), {"normalization_rule_tsv": "rules.tsv"})
        wordpiece = {cased: train_wordpiece(corpus, Path(f"wordpiece-{cased}"), cased) for cased in [False, True]}
        han = write_han(chinese, wordpiece[False], Path("han"))
        for name in arguments.only or GOLDENS:
            golden = GOLDENS[name]
            vocabulary = whole if golden.all_rules else small
            if golden.family == "bert":
                vocabulary = wordpiece[golden.cased]
            if golden.chinese:
                vocabulary = han
            print(make(name, golden, vocabulary, chinese if golden.chinese else texts, out))


if __name__ == "__main__":
    main()
