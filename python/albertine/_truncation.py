"""Texts that were too long to be read whole are told of."""

from __future__ import annotations

import sys
import warnings

from albertine.errors import TruncationWarning

__all__ = ["warn"]


def warn(count: int, limit: int, remedy: str) -> None:
    """Warns of ``count`` texts that were truncated, in the name of whoever called the package; the native half calls this."""
    texts = "1 text was" if count == 1 else f"{count:,} texts were"
    message = f"{texts} longer than {limit} pieces and truncated; {remedy}"
    warnings.warn(message, TruncationWarning, stacklevel=_level())


def _level() -> int:
    """How far up the first frame is, seen from the caller, that is neither this package's nor in between, as Spark's stages are."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("albertine", "pyspark"):
        level, frame = level + 1, frame.f_back
    return level
