"""What can go wrong, as exceptions with the reason as their message."""

from __future__ import annotations

__all__ = [
    "AlbertineError",
    "ColumnError",
    "HubError",
    "ModelError",
    "ModelNotFound",
    "ParamError",
    "PipelineError",
    "RowError",
    "TruncationWarning",
]


class AlbertineError(Exception):
    """Anything that the library refuses or cannot do; the others are kinds of it."""


class ModelNotFound(AlbertineError, LookupError):
    """No model has the name, or it is elsewhere and the network is not to be used."""


class ModelError(AlbertineError):
    """The files of a model are damaged, or of a kind that is not read."""


class HubError(AlbertineError):
    """A model could not be fetched or kept."""


class PipelineError(AlbertineError, ValueError):
    """A saved pipeline that is none, or stages that make no pipeline."""


class ColumnError(AlbertineError, ValueError):
    """A column that a stage needs is missing or of another kind, or one that it writes is taken."""

    #: The column whose values are not text where a stage reads text, if that is what is wrong.
    column_without_text: str | None = None


class ParamError(AlbertineError, ValueError):
    """A parameter of a type or a value that it cannot have."""


class RowError(AlbertineError, ValueError):
    """A row that cannot be worked on; the message has its number, from 0."""


class TruncationWarning(UserWarning):
    """Texts were longer than the limit, and their end was not read."""
