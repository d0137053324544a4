"""What a request of NLU's names: the grammar of references, and what columns are called after them."""

from __future__ import annotations

import difflib
import os
import re
from typing import Optional, Sequence

from albertine import _albertine
from albertine.errors import ModelNotFound, PipelineError

__all__ = ["Reference", "column_names", "resolved"]

#: The language of a request that names none.
_LANGUAGE = "en"

#: What NLU calls the column of a classifier.
_CLASSES = "classified_sequence"


class Reference:
    """A model that a reference names: the name that the hub takes, and its language."""

    def __init__(self, spell: str, name: str, lang: Optional[str]) -> None:
        self.spell = spell
        self.name = name
        self.lang = lang

    def describe(self) -> str:
        return self.name if self.lang is None else f"{self.name} ({self.lang})"


def _spells() -> dict[str, tuple[str, str, Optional[str]]]:
    """The models that are known here by their spells without the language: spell, name, language."""
    found: dict[str, tuple[str, str, Optional[str]]] = {}
    for name, lang, origin, _, _ in _albertine.known_models():
        published = re.fullmatch(r"albert_([a-z]+)_sequence_classifier_(\w+)", name)
        spells = [name.lower(), f"classify.{name.lower()}"]
        if origin == "built in":
            spells.insert(0, f"classify.albertine.{name}")
        elif published is not None:
            size, dataset = published.groups()
            spells.insert(0, f"classify.albert.{dataset}" if size == "base" else f"classify.albert.{dataset}.{size}")
        for spell in spells:
            # one spell may be there in many languages
            found.setdefault(f"{lang or ''}.{spell}", (spell, name, lang))
    return found


def resolved(reference: str) -> Reference:
    """What a reference names.

    Raises:
        albertine.ModelNotFound: nothing.
    """
    if reference.startswith("train."):
        raise PipelineError(
            f"`{reference}` is to be trained, which the command `albertine train` does; load(path=...) takes what it "
            "makes"
        )
    spells = _spells()
    spelled = reference.lower()
    lang, _, rest = spelled.partition(".")
    attempts = [(_LANGUAGE, spelled)]
    if re.fullmatch("[a-z]{2}", lang) and rest:
        attempts.insert(0, (lang, rest))
    for lang, spell in attempts:
        for known in (f"{lang}.{spell}", f".{spell}"):
            if known in spells:
                _, name, found = spells[known]
                return Reference(spell, name, found)
    if "/" in reference or os.sep in reference or os.path.exists(reference):
        return Reference(os.path.basename(reference.rstrip("/" + os.sep)), reference, None)
    wanted = f"{attempts[0][0]}.{attempts[0][1]}"
    offered = [f"{lang or _LANGUAGE}.{spell}" for spell, _, lang in spells.values()]
    nearest = difflib.get_close_matches(wanted, offered, n=3, cutoff=0.5) or ["en.classify.albertine.ag_news"]
    shown = ", ".join(f"`{spell}`" for spell in nearest)
    raise ModelNotFound(
        f"there is no model for `{reference}`; did you use an NLU spell? The nearest are {shown}. "
        f"albertine.pretrained.ResourceDownloader.showPublicModels() lists the published models"
    )


def column_names(spells: Sequence[str]) -> list[str]:
    """The columns of classifiers: of several, each is told from the others by so much of its spell as it takes."""
    if len(spells) == 1:
        return [_CLASSES]
    parts = [spell.split(".")[1:] if spell.startswith("classify.") else spell.split(".") for spell in spells]
    names = []
    for own in parts:
        others = [other for other in parts if other is not own]
        depth = next(
            (depth for depth in range(1, len(own)) if all(other[:depth] != own[:depth] for other in others)), len(own)
        )
        names.append("_".join([_CLASSES, *own[:depth]]))
    return [name if names.count(name) == 1 else f"{name}_{number}" for number, name in enumerate(names)]
