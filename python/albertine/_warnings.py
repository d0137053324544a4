"""What users would otherwise miss, in the name of whoever called the package; the native half calls these functions."""

from __future__ import annotations

import sys
import warnings

from albertine.errors import CheckpointWarning, LabelWarning, TruncationWarning

__all__ = ["checkpoint", "labels", "truncated"]


def truncated(count: int, limit: int, remedy: str) -> None:
    """Warns of ``count`` texts that were longer than the limit."""
    texts = "1 text was" if count == 1 else f"{count:,} texts were"
    message = f"{texts} longer than {limit} pieces and truncated; {remedy}"
    warnings.warn(message, TruncationWarning, stacklevel=_level())


def labels(message: str) -> None:
    """Warns of how the labels of a table were understood."""
    warnings.warn(message, LabelWarning, stacklevel=_level())


def checkpoint(message: str) -> None:
    """Warns of a checkpoint that could not be written."""
    warnings.warn(message, CheckpointWarning, stacklevel=_level())


def _level() -> int:
    """How far up the first frame is, seen from the caller, that is neither this package's nor in between, as Spark's
    stages are."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in (
        "albertine",
        "pyspark",
    ):
        level, frame = level + 1, frame.f_back
    return level
