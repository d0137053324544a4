"""Views of a news text: its title, its description, as typed in a browser, several texts joined."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from corpus import LABELS, Row, clean, split_title, without_agencies

# Where the border between title and description is unknown, this many words stand for the title.
_TITLE_WORDS = (4, 12)
# A joined text has about this many words, so that all positions of a model are trained.
_JOINED_WORDS = (90, 330)
_SPACES = re.compile(r"\s+")


def typographic(text: str) -> str:
    """The clean text without agency tags and with the quotation marks that browsers show."""
    text = without_agencies(clean(text))
    characters = [
        _curly(char, opening=index == 0 or text[index - 1] in " (") if char in "'\"" else char
        for index, char in enumerate(text)
    ]
    return "".join(characters)


def _curly(quote: str, *, opening: bool) -> str:
    if quote == "'":
        return "‘" if opening else "’"
    return "“" if opening else "”"


def halves(text: str, rng: random.Random) -> tuple[str, str]:
    """Title and description of a text; where their border is unknown, its first few words and the others."""
    text = clean(text)
    parts = split_title(text)
    if parts is not None:
        return parts
    words = text.split()
    border = rng.randint(*_TITLE_WORDS)
    return " ".join(words[:border]), " ".join(words[border:])


def unlabelled(rows: list[Row], others: list[str], seed: int) -> Iterator[str]:
    """Each row whole and as one of its halves, then the other texts: what a student learns from embeddings of."""
    rng = random.Random(seed)
    for row in rows:
        yield from filter(_is_text, (_line(row.text), _line(halves(row.text, rng)[rng.random() < 0.6])))
    yield from filter(_is_text, map(_line, others))


def labelled(rows: list[Row], joined: int, seed: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Texts to fine-tune on, each with the rows that it is from: whole texts in a random spelling, many titles, some
    descriptions, joined texts."""
    rng = random.Random(seed)
    for index, row in enumerate(rows):
        spelling = rng.choice((str, str, clean, typographic))
        yield spelling(row.text), (index,)
        for half, share in zip(halves(row.text, rng), (0.7, 0.3)):
            if rng.random() < share and _is_text(half):
                yield half, (index,)
    of_label = [[index for index, row in enumerate(rows) if row.label == label] for label in range(len(LABELS))]
    for _ in range(joined):
        length, parts, words = rng.randint(*_JOINED_WORDS), [], 0
        candidates = rng.choice(of_label)
        while words < length:
            parts.append(rng.choice(candidates))
            words += len(rows[parts[-1]].text.split())
        yield " ".join(rows[index].text for index in parts), tuple(parts)


def _line(text: str) -> str:
    return _SPACES.sub(" ", text).strip()


def _is_text(text: str) -> bool:
    return len(text) > 3
