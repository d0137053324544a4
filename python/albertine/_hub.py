"""What Python adds to the hub of the native half: advice."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, Optional

from albertine import _albertine
from albertine.errors import HubError, ModelNotFound

__all__ = ["advised"]


@contextmanager
def advised(name: str, lang: Optional[str] = None) -> Iterator[None]:
    """Adds to an error that a published model could not be had, how it can be."""
    try:
        yield
    except (HubError, ModelNotFound) as error:
        archives = [model[5] for model in _albertine.published_models(lang) if model[0] == name]
        if not archives:
            raise
        raise type(error)(
            f"{error}. To get the model without Spark NLP's server, put its archive {archives[0]} into a folder, or on a server of "
            f"yours, and set ALBERTINE_HUB to that folder or address; or name the path of the archive or of a model directory "
            f"instead. The model `ag_news` is inside the package"
        ) from None
