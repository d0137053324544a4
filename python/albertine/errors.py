"""The exceptions of the package; their messages say what is wrong."""

from __future__ import annotations

__all__ = [
    "AlbertineError",
    "CheckpointWarning",
    "ColumnError",
    "HubError",
    "LabelError",
    "LabelWarning",
    "ModelError",
    "ModelNotFound",
    "ParamError",
    "PipelineError",
    "RowError",
    "TrainingError",
    "TruncationWarning",
]


class AlbertineError(Exception):
    """Base class of all exceptions of the package."""


class ModelNotFound(AlbertineError, LookupError):
    """No model has this name, or it is not on this machine and network access is disabled."""


class ModelError(AlbertineError):
    """The files of a model are damaged or in an unsupported format."""


class HubError(AlbertineError):
    """A model could not be downloaded or cached."""


class PipelineError(AlbertineError, ValueError):
    """A path that is not a saved pipeline, or stages that do not form a valid pipeline."""


class ColumnError(AlbertineError, ValueError):
    """A column that a stage needs is missing or has the wrong type, or the name of one that it writes is taken."""

    #: The column whose values are not text where a stage reads text, if that is what is wrong.
    column_without_text: str | None = None


class ParamError(AlbertineError, ValueError):
    """A parameter has an invalid type or value."""


class RowError(AlbertineError, ValueError):
    """A row that cannot be processed; the message includes its number, counted from 0."""


class LabelError(AlbertineError, ValueError):
    """Labels of a table that a model does not have, or that no classifier can be trained on."""


class TrainingError(AlbertineError):
    """A training that diverged, or a model that cannot be written to its folder."""


class LabelWarning(UserWarning):
    """The labels of a table may not be understood as they are meant."""


class CheckpointWarning(UserWarning):
    """A checkpoint of a training could not be written; the one before it is kept."""


class TruncationWarning(UserWarning):
    """Texts were longer than the limit and were truncated."""
