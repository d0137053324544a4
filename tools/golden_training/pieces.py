"""Makes what the tests of a trained vocabulary compare with: the pieces that Hugging Face's `tokenizers` finds by it.

usage: pieces.py testdata/vocabulary/tokenizer.json tools/golden_pieces/corpus.txt testdata/vocabulary/cases.jsonl
"""

import json
import sys

from tokenizers import Tokenizer

ODD = ["", " ", "  two  spaces ", "ÉTÉ ``quoted'' ﬁne", "a\u200bb\tc\u00a0d", "株式市場 한국어", "e\u0301 ½ ²", "\u0001x\ufeffy ▁z", "[MASK] it", "1,000.50€"]


def main() -> None:
    vocabulary, corpus, out = sys.argv[1:]
    tokenizer = Tokenizer.from_file(vocabulary)
    texts = open(corpus, encoding="utf-8").read().splitlines() + ODD
    with open(out, "w", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps({"text": text, "ids": tokenizer.encode(text).ids}, ensure_ascii=False) + "\n")


main()
