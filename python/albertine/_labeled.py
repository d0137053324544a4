"""Labeled tables of every kind as Arrow streams."""

from __future__ import annotations

from typing import AbstractSet, Any

from albertine import _frames

__all__ = ["stream_of"]


def stream_of(frame: Any, wanted: AbstractSet[str]) -> Any:
    """A table as something with the Arrow PyCapsule interface. Of columns that are not wanted only the names are there."""
    kind = _frames.library(frame)
    if kind == "pyspark":
        raise TypeError("a Spark DataFrame has to be collected first: df.toPandas()")
    if kind == "pandas":
        _frames.require_frame(frame, "pandas")
        return _pandas(frame, wanted)
    if kind == "polars":
        _frames.require_frame(frame, "polars")
        return _polars(frame, wanted)
    if kind == "pyarrow":
        _frames.require_table(frame)
    elif not _frames.has_arrow(frame):
        raise _frames.no_table(frame)
    return frame


def _pandas(frame: Any, wanted: AbstractSet[str]) -> Any:
    pa = _frames.needed("pyarrow", "a pandas DataFrame")
    names = [_frames.pandas_name(name) for name in frame.columns]
    columns = []
    for name, (_, column) in zip(names, frame.items()):
        try:
            columns.append(pa.array(column, from_pandas=True) if name in wanted else pa.nulls(len(column)))
        except (pa.ArrowException, TypeError, ValueError):
            # the error of a column of bytes, which names it
            columns.append(pa.nulls(len(column), pa.binary()))
    return pa.table(columns, names=names)


def _polars(frame: Any, wanted: AbstractSet[str]) -> Any:
    import polars as pl

    def column(name: str) -> Any:
        if name not in wanted:
            # of a type of its own: polars hands columns of type Null on in a form that Arrow forbids
            return pl.lit(None, dtype=pl.Boolean).alias(name)
        return pl.col(name).cast(pl.String) if frame.schema[name] == pl.Null else pl.col(name)

    return frame.select([column(name) for name in frame.columns])
