"""Tables of every kind through a chain of stages, each given back as what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Sequence

from albertine import _albertine
from albertine.errors import ColumnError

if TYPE_CHECKING:
    from albertine._stage import Spec

__all__ = ["check", "library", "transform", "transform_with"]

#: A pass over an Arrow stream: the stream, and the annotator types of columns that do not say theirs.
Pass = Callable[[Any, "dict[str, str]"], _albertine.Batches]


def library(frame: object) -> str:
    """The library that a table is of: the first part of its module's name."""
    return type(frame).__module__.partition(".")[0]


def transform(stages: Sequence[Spec], frame: Any) -> Any:
    """A table through stages."""
    if library(frame) == "pyspark":
        from albertine import _spark

        return _spark.transform(stages, frame)
    return transform_with(_albertine.Pipeline(list(stages)).transform, frame)


def check(stages: Sequence[Spec], frame: Any) -> None:
    """Fails as :func:`transform` would for want of a column, without work."""
    if library(frame) == "pyspark":
        from albertine import _spark

        _spark.output_schema(stages, frame)
        return
    run = _albertine.Pipeline(list(stages)).transform
    kind = library(frame)
    if kind == "pandas" or kind == "polars":
        transform_with(run, frame.head(0))
    elif kind == "pyarrow":
        transform_with(run, frame.schema.empty_table())


def transform_with(run: Pass, frame: Any) -> Any:
    """A table that is not Spark's through ``run``."""
    kind = library(frame)
    if kind == "pandas":
        return _pandas(run, frame)
    if kind == "polars":
        return _polars(run, frame)
    if kind == "pyarrow":
        return _pyarrow(run, frame)
    if hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "__arrow_c_array__"):
        return run(frame, {}).read_all()
    raise TypeError(
        f"expected a Spark, pandas or polars DataFrame, a pyarrow Table, RecordBatch or RecordBatchReader, or another table "
        f"with the Arrow PyCapsule interface, not {type(frame).__module__}.{type(frame).__qualname__}"
    )


def _pyarrow(run: Pass, frame: Any) -> Any:
    import pyarrow as pa

    batches = run(frame, {})
    schema = pa.schema(batches.schema)
    if isinstance(frame, pa.Table):
        return pa.Table.from_batches([pa.record_batch(batch) for batch in batches], schema)
    if isinstance(frame, pa.RecordBatch):
        parts = pa.Table.from_batches([pa.record_batch(batch) for batch in batches], schema).combine_chunks().to_batches()
        return parts[0] if parts else pa.RecordBatch.from_pylist([], schema)
    return pa.RecordBatchReader.from_batches(schema, (pa.record_batch(batch) for batch in batches))


def _polars(run: Pass, frame: Any) -> Any:
    import polars as pl

    if isinstance(frame, pl.Series):
        raise TypeError("expected a DataFrame; make one of a Series with .to_frame('text')")
    if isinstance(frame, pl.LazyFrame):
        raise TypeError("expected a DataFrame; a LazyFrame has to be collected first: .collect()")
    kinds = {}
    for name, dtype in frame.schema.items():
        inner = getattr(dtype, "inner", None)
        if isinstance(inner, pl.Struct) and any(field.name == "annotatorType" for field in inner.fields):
            found = frame[name].explode().struct.field("annotatorType").drop_nulls()
            kinds[name] = found[0] if len(found) else _kind_by_name(name)
    return pl.DataFrame(run(frame, kinds).read_all())


def _kind_by_name(column: str) -> str:
    """The annotator type of a column without annotations, which has no other sign of it than its name."""
    return {"token": "token", "class": "category"}.get(column, "document")


#: The numbers of the rows, so that a stage that gives a sentence a row of its own does not part rows from their other columns.
_ROW = "__albertine_row__"


def _pandas(run: Pass, frame: Any) -> Any:
    import pandas as pd

    if isinstance(frame, pd.Series):
        raise TypeError("expected a DataFrame; make one of a Series with .to_frame('text')")
    try:
        import pyarrow as pa
    except ImportError as error:
        raise ImportError("pandas frames need pyarrow: pip install 'albertine[pandas]'") from error
    if not frame.columns.is_unique:
        raise ColumnError("the frame has columns of the same name")
    kinds: dict[str, str] = dict(frame.attrs.get("albertine", {}))
    columns, names = [], []
    for name in frame.columns:
        names.append(str(name))
        columns.append(_pandas_column(frame[name], kinds.get(str(name)), pa))
    rows = pa.array(pd.RangeIndex(len(frame)).to_numpy(), pa.int64())
    table = pa.table([*columns, rows], names=[*names, _ROW])
    batches = run(table, {name: kind for name, kind in kinds.items() if name in names})
    result = pa.Table.from_batches([pa.record_batch(batch) for batch in batches], pa.schema(batches.schema))
    places = result.column(_ROW).to_numpy()
    same = len(places) == len(frame)
    kept = frame.copy(deep=False) if same else frame.iloc[places].copy(deep=False)
    known = {str(name): name for name in frame.columns}
    found = {}
    for field in result.schema:
        metadata = field.metadata or {}
        if field.name != _ROW and (field.name not in known or b"annotatorType" in metadata and field.name not in kinds):
            found[field.name] = pd.Series(_python(result.column(field.name)), index=kept.index)
            if b"annotatorType" in metadata:
                kinds[field.name] = metadata[b"annotatorType"].decode()
    gone = [known[name] for name in known if name not in result.schema.names]
    result_frame = kept.drop(columns=gone).assign(**found)
    result_frame.attrs["albertine"] = {name: kind for name, kind in kinds.items() if name in result.schema.names}
    return result_frame


def _python(column: Any) -> Any:
    """An Arrow column as pandas users have it: numbers and texts as they are, annotations as lists of dicts."""
    import pyarrow as pa

    if pa.types.is_nested(column.type):
        return _dicts(column.to_pylist())
    # without an index, which the frame has
    return column.to_pandas().array


def _dicts(rows: list[Any]) -> list[Any]:
    """Metadata comes as pairs, and is a dict in Python."""
    for row in rows:
        for item in row if isinstance(row, list) else ():
            if isinstance(item, dict) and isinstance(item.get("metadata"), list):
                item["metadata"] = dict(item["metadata"])
    return rows


def _pandas_column(column: Any, kind: str | None, pa: Any) -> Any:
    """A column of a frame for Arrow: as it is if it holds texts, lists or annotations, else only its name, since no stage reads it."""
    if kind is not None:
        rows = [None if row is None else [{**item, "metadata": list(item["metadata"].items())} for item in row] for row in column]
        return pa.array(rows, _annotations(pa))
    if str(column.dtype) in ("object", "category") or "str" in str(column.dtype).lower():
        try:
            return pa.array(column, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            # of many types, which no stage can read; if it is the text column, the error says what it holds
            return pa.array([None if value is None else 0 for value in column], pa.int8())
    if str(column.dtype).startswith(("int", "Int", "uint", "UInt")):
        return pa.array(column, from_pandas=True)
    # neither is it read: its name and a type that is none of a text's are enough
    return pa.array([False] * len(column), pa.bool_())


def _annotations(pa: Any) -> Any:
    fields = [
        pa.field("annotatorType", pa.string()),
        pa.field("begin", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
        pa.field("result", pa.string()),
        pa.field("metadata", pa.map_(pa.string(), pa.string())),
        pa.field("embeddings", pa.list_(pa.field("element", pa.float32(), nullable=False))),
    ]
    return pa.list_(pa.field("element", pa.struct(fields)))
