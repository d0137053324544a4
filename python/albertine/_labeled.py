"""Labeled tables of every kind as Arrow streams."""

from __future__ import annotations

from typing import Any, Optional, Sequence

from albertine import _frames
from albertine.errors import ColumnError

__all__ = ["names_of_classes", "stream_of"]

#: The key of a schema's metadata under which Hugging Face's datasets keep the names of classes.
_DATASETS = b"huggingface"


def stream_of(frame: Any, texts: Optional[Sequence[str]], label: Optional[str]) -> Any:
    """A table as something with the Arrow PyCapsule interface. Of columns that are neither texts nor the label only the
    names are there; without texts all columns are.

    Raises:
        albertine.ColumnError: one of these columns of pandas holds what Arrow has no type for.
    """
    kind = _frames.library(frame)
    if kind == "pyspark":
        raise TypeError("a Spark DataFrame has to be collected first: df.toPandas()")
    wanted = None if texts is None else {*texts, *([] if label is None else [label])}
    if kind == "pandas":
        _frames.require_frame(frame, "pandas")
        return _pandas(frame, wanted, label)
    if kind == "polars":
        _frames.require_frame(frame, "polars")
        return _polars(frame, wanted)
    if kind == "pyarrow":
        _frames.require_table(frame)
        return _pyarrow(frame, wanted)
    if not _frames.has_arrow(frame):
        raise _frames.no_table(frame)
    return frame


def names_of_classes(labels: Sequence[Any]) -> list[str]:
    """The names of classes, which may be numbers."""
    if isinstance(labels, str):
        raise TypeError(f"labels is the text {labels!r}, not a list of names")
    for place, label in enumerate(labels):
        if label is None:
            raise TypeError(f"labels[{place}] is None, not a name")
    return [str(label) for label in labels]


def _pandas(frame: Any, wanted: Optional[set[str]], label: Optional[str]) -> Any:
    from albertine._pandas import arrow_column

    pa = _frames.needed("pyarrow", "a pandas DataFrame")
    names = [_frames.pandas_name(name) for name in frame.columns]
    columns = []
    for name, (_, column) in zip(names, frame.items()):
        if wanted is not None and name not in wanted:
            columns.append(pa.nulls(len(column)))
            continue
        array, odd = arrow_column(column, pa)
        if odd is not None:
            expected = "text, numbers or booleans" if name == label else "text"
            raise ColumnError(f"column `{name}` holds {odd}, not {expected}")
        columns.append(array)
    return pa.table(columns, names=names)


def _polars(frame: Any, wanted: Optional[set[str]]) -> Any:
    import polars as pl

    def column(name: str) -> Any:
        if wanted is not None and name not in wanted:
            # of a type of its own: polars hands columns of type Null on in a form that Arrow forbids
            return pl.lit(None, dtype=pl.Boolean).alias(name)
        return pl.col(name).cast(pl.String) if frame.schema[name] == pl.Null else pl.col(name)

    return frame.select([column(name) for name in frame.columns])


def _pyarrow(frame: Any, wanted: Optional[set[str]]) -> Any:
    import pyarrow as pa

    if wanted is None:
        return frame

    def of(part: Any) -> Any:
        columns = [part.column(place) if name in wanted else pa.nulls(len(part)) for place, name in enumerate(names)]
        return type(part).from_arrays(columns, schema=schema)

    names = frame.schema.names
    fields = [field if field.name in wanted else pa.field(field.name, pa.null()) for field in frame.schema]
    metadata = frame.schema.metadata or {}
    schema = pa.schema(fields, {_DATASETS: metadata[_DATASETS]} if _DATASETS in metadata else None)
    if not isinstance(frame, pa.RecordBatchReader):
        return of(frame)
    return pa.RecordBatchReader.from_batches(schema, map(of, frame))
