"""The SentencePiece vocabulary, in the form that ALBERT's tokenizer expects."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import sentencepiece
from transformers import AlbertTokenizerFast

PAD, UNKNOWN, CLS, SEP, MASK = range(5)
FIRST_ORDINARY_PIECE = MASK + 1
MAX_LENGTH = 512

# Characters that get a piece of their own even where they are rare in the training texts.
_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~‘’“”–—€£"


def normalize(text: str) -> str:
    """What ALBERT's fast tokenizer does before it applies the SentencePiece model."""
    text = text.replace("``", '"').replace("''", '"')
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).lower()


def train_vocabulary(texts: Iterable[str], size: int, folder: Path) -> None:
    """Trains `spiece.model` and writes it with the tokenizer files beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    # Bytes out: a model that is written to a file keeps the file's name.
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=map(normalize, texts),
        model_writer=model,
        model_type="unigram",
        vocab_size=size,
        normalization_rule_name="nmt_nfkc",
        character_coverage=0.9999,
        required_chars=_PUNCTUATION,
        pad_id=PAD,
        unk_id=UNKNOWN,
        bos_id=-1,
        eos_id=-1,
        control_symbols=["[CLS]", "[SEP]", "[MASK]"],
        pad_piece="<pad>",
        unk_piece="<unk>",
        byte_fallback=False,
        num_threads=1,
        max_sentence_length=8192,
        minloglevel=1,
    )
    (folder / "spiece.model").write_bytes(model.getvalue())
    tokenizer = AlbertTokenizerFast(
        vocab_file=str(folder / "spiece.model"),
        do_lower_case=True,
        keep_accents=False,
        model_max_length=MAX_LENGTH,
    )
    tokenizer.save_pretrained(folder)
    # Nothing reads it: tokenizer_config.json repeats the special pieces.
    (folder / "special_tokens_map.json").unlink()
