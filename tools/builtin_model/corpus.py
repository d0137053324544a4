"""Reading, cleaning and splitting the AG News rows."""

from __future__ import annotations

import csv
import html
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LABELS = ("World", "Sports", "Business", "Sci/Tech")
LABEL_IDS = {name: index for index, name in enumerate(LABELS)}

# Rows whose commas were lost on the way are of no use as running text.
DAMAGED_SOURCES = ("yueyu1030/COSINE",)

# "(Reuters) Reuters - ", "(AP) AP - ", "(SPACE.com) SPACE.com - ": where a title ends.
_REPEATED_AGENCY = re.compile(r"\s*\(([\w. ]{2,30})\)\s+\1\s+-\s+")
# "LONDON (Reuters) - ", "FALLUJA, Iraq (Reuters) - ": how many descriptions begin.
_DATELINE = re.compile(
    r"\s(?:[A-Z][A-Z.]+(?: [A-Z][A-Z.]+)*(?:, [A-Z][\w. ]{1,20})?\s*)?\((?:Reuters|AP|AFP|CP)\)\s+-{1,2}\s+"
)
_AGENCY = re.compile(r"\b(?:AP|AFP|Reuters|CP)\s+-{1,2}\s+")
_NUMBERED_ENTITY = re.compile(r"\s*&?#(\d{2,5});")
_NAMED_ENTITY = re.compile(r"&?\b(amp|lt|gt|quot|nbsp);")
_TAG = re.compile(r"<[^<>]{1,300}>")
_SPACES = re.compile(r"\s+")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One news text and its label id."""

    text: str
    label: int


@dataclass(frozen=True, slots=True)
class Corpus:
    """The three disjoint parts; `test` is measured once, at the very end."""

    train: list[Row]
    dev: list[Row]
    test: list[Row]


def read_rows(path: Path) -> list[Row]:
    """Reads a `label,text[,source]` file, leaving damaged sources out."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Row(row["text"], LABEL_IDS[row["label"]])
            for row in csv.DictReader(file)
            if not row.get("source", "").startswith(DAMAGED_SOURCES)
        ]


def clean(text: str) -> str:
    """Undoes the debris of the published rows: entities, tags and backslashes."""
    text = _NUMBERED_ENTITY.sub(lambda match: chr(int(match[1])), text)
    text = _NAMED_ENTITY.sub(lambda match: html.unescape(f"&{match[1]};"), text)
    text = _TAG.sub(" ", text)
    return _SPACES.sub(" ", text.replace("\\", " ")).strip()


def without_agencies(text: str) -> str:
    """Drops agency tags and datelines, which a text typed by hand seldom has."""
    for pattern in (_REPEATED_AGENCY, _DATELINE, _AGENCY):
        text = pattern.sub(" ", text)
    return text.strip()


def split_title(text: str) -> tuple[str, str] | None:
    """Title and description of a clean text, where an agency tag or a dateline marks the border."""
    match = _REPEATED_AGENCY.search(text) or _DATELINE.search(text)
    if match is None or not text[: match.start()].strip() or match.end() == len(text):
        return None
    return text[: match.start()].strip(), text[match.end() :].strip()


def load_corpus(folder: Path, dev_rows: int, seed: int) -> Corpus:
    """Splits off a development set and removes near duplicates of it and of the test set."""
    titled = read_rows(folder / "train.csv")
    untitled = read_rows(folder / "train_untitled.csv")
    test = read_rows(folder / "test.csv")

    random.Random(seed).shuffle(titled)
    test_windows = _windows(row.text for row in test)
    dev = [row for row in titled[:dev_rows] if not _touches(row.text, test_windows)]
    held_out = test_windows | _windows(row.text for row in dev)
    train = [row for row in titled[dev_rows:] + untitled if not _touches(row.text, held_out)]
    return Corpus(train=train, dev=dev, test=test)


_WINDOW = 50


def _letters(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", clean(text).lower())


def _windows(texts: Iterable[str]) -> set[str]:
    """Every run of `_WINDOW` letters and digits that occurs in the texts."""
    return {
        letters[start : start + _WINDOW]
        for letters in map(_letters, texts)
        for start in range(max(1, len(letters) - _WINDOW + 1))
    }


def _touches(text: str, windows: set[str]) -> bool:
    """Whether the beginning, middle or end of the text occurs among the windows."""
    letters = _letters(text)
    last = max(0, len(letters) - _WINDOW)
    return any(letters[start : start + _WINDOW] in windows for start in (0, last // 2, last))
