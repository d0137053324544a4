"""Whether a model that was loaded from a path is still the one that is there."""

from __future__ import annotations

import json
import os
from itertools import islice

__all__ = ["stamp"]

#: The most files that are looked at: whoever names a whole disk is told soon that it is no model.
_MOST = 1000


def stamp(path: str) -> str:
    """Which files are at a path: another stamp is another model, to be loaded again. Empty where nothing is."""
    if not os.path.exists(path):
        return ""
    within = (os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
    files = sorted(islice(within, _MOST)) or [path]
    return json.dumps([[file, os.stat(file).st_size, os.stat(file).st_mtime_ns] for file in files])
