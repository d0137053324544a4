"""Tables of every kind through a chain of stages, each given back as what it was."""

from __future__ import annotations

import copy
from importlib import import_module
from typing import TYPE_CHECKING, Any, Callable, Iterator, Sequence

from albertine import _albertine
from albertine.errors import AlbertineError, ColumnError, RowError

if TYPE_CHECKING:
    from albertine._stage import Spec

__all__ = ["Source", "broken_text", "check", "has_arrow", "library", "needed", "no_table", "pandas_name", "python_values", "require_frame", "require_table", "transform", "transform_with"]

#: A pass over an Arrow stream: the stream, and the annotator types of columns that do not say theirs.
Pass = Callable[[Any, "dict[str, str]"], _albertine.Batches]


def library(frame: object) -> str:
    """The library that a table is of: the first part of its module's name, or of that of the table it is derived from."""
    roots = [cls.__module__.partition(".")[0] for cls in type(frame).__mro__]
    return next((root for root in roots if root in ("pyspark", "pandas", "polars", "pyarrow")), roots[0])


def needed(name: str, by: str) -> Any:
    """A library.

    Raises:
        ImportError: it is missing; the message says how to get it.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"{by} needs {name}: pip install 'albertine[pandas]'") from error


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
    pipeline = _albertine.Pipeline(list(stages))
    kind = library(frame)
    if kind == "pandas":
        require_frame(frame, "pandas")
        _pandas(pipeline.transform, frame.head(0), _pandas_kinds(frame))
    elif kind == "polars":
        require_frame(frame, "polars")
        _polars(pipeline.transform, frame.head(0), _polars_kinds(frame))
    elif kind == "pyarrow":
        require_table(frame)
        pipeline.output_schema(frame.schema, {})
    elif hasattr(frame, "__arrow_c_schema__"):
        _of_capsule(pipeline.output_schema, frame)
    elif not (has_arrow(frame) and hasattr(frame, "__next__")):
        # an iterator can be read once only, by whoever works on it
        _of_capsule(pipeline.transform, frame)


def transform_with(run: Pass, frame: Any) -> Any:
    """A table that is not Spark's through ``run``. One of which only the PyCapsule interface is known comes back as a
    ``pyarrow.Table``, or without pyarrow as a table with that interface."""
    kind = library(frame)
    if kind == "pandas":
        require_frame(frame, "pandas")
        return _pandas(run, frame, _pandas_kinds(frame))
    if kind == "polars":
        require_frame(frame, "polars")
        return _polars(run, frame, _polars_kinds(frame))
    if kind == "pyarrow":
        require_table(frame)
        return _pyarrow(run, frame)
    batches = _of_capsule(run, frame)
    try:
        return _arrow_table(batches)
    except ModuleNotFoundError:
        return batches.read_all()


def _of_capsule(work: Pass, frame: Any) -> Any:
    """What some work gives of a table that only has the PyCapsule interface."""
    if not has_arrow(frame):
        raise no_table(frame)
    try:
        return work(frame, {})
    except ValueError as error:
        if isinstance(error, AlbertineError):
            raise
        raise TypeError(f"{type(frame).__qualname__} gives no table: {error}") from None


def has_arrow(frame: Any) -> bool:
    """Whether something hands itself on through Arrow's PyCapsule interface."""
    return hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "__arrow_c_array__")


def no_table(frame: Any) -> TypeError:
    return TypeError(
        f"expected a Spark, pandas or polars DataFrame, a pyarrow Table, RecordBatch or RecordBatchReader, or another table "
        f"with the Arrow PyCapsule interface, not {type(frame).__module__}.{type(frame).__qualname__}"
    )


def require_frame(frame: Any, kind: str) -> None:
    """Tells what to do with the part of a frame, or with one that is still to be."""
    if hasattr(frame, "to_frame"):
        raise TypeError(f"expected a {kind} DataFrame; make one of a {type(frame).__name__} with .to_frame('text')")
    if hasattr(frame, "collect"):
        raise TypeError("expected a DataFrame; a LazyFrame has to be collected first: .collect()")
    if not hasattr(frame, "columns"):
        raise no_table(frame)


def require_table(frame: Any) -> None:
    import pyarrow as pa

    if isinstance(frame, (pa.Array, pa.ChunkedArray)):
        raise TypeError("expected a table; make one of an array with pyarrow.table({'text': array})")
    if hasattr(frame, "to_reader") and not isinstance(frame, pa.Table):
        raise TypeError(f"expected a table or a reader; a {type(frame).__name__} gives one: .to_reader()")
    if not isinstance(frame, (pa.Table, pa.RecordBatch, pa.RecordBatchReader)):
        raise no_table(frame)


# pyarrow


def _pyarrow(run: Pass, frame: Any) -> Any:
    import pyarrow as pa

    if isinstance(frame, pa.RecordBatchReader):
        source = Source(frame)
        batches = run(pa.RecordBatchReader.from_batches(frame.schema, source), {})
        return pa.RecordBatchReader.from_batches(pa.schema(batches.schema), source.watch(batches))
    batches = run(frame, {})
    result = _arrow_table(batches)
    if isinstance(frame, pa.Table):
        return result
    parts = result.combine_chunks().to_batches()
    if len(parts) > 1:
        raise AlbertineError("the result is more than one RecordBatch can hold; use a Table")
    return parts[0] if parts else pa.RecordBatch.from_pylist([], result.schema)


def _arrow_table(batches: _albertine.Batches) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches([pa.record_batch(batch) for batch in batches], pa.schema(batches.schema))


class Source:
    """The batches of a reader, or of another iterator. What it raises would be but a text behind a C stream: it is kept, and raised
    to whoever reads the result."""

    def __init__(self, batches: Iterator[Any]) -> None:
        self._batches = batches
        self._error: BaseException | None = None

    def __iter__(self) -> Source:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._batches)
        except StopIteration:
            raise
        except BaseException as error:
            self._error = error
            raise

    def watch(self, batches: _albertine.Batches) -> Iterator[Any]:
        """What came of the batches."""
        import pyarrow as pa

        try:
            for batch in batches:
                yield pa.record_batch(batch)
        except AlbertineError:
            error, self._error = self._error, None
            if error is None:
                raise
            raise error from None


# frames that keep what they have: only what stages read goes through, and what they write comes back


#: Where a frame that came of stages keeps the annotator types of its columns, of which columns without annotations tell nothing.
_KINDS = "_albertine_kinds"

#: The numbers of the rows, so that a stage that gives a sentence a row of its own does not part rows from their other columns.
_ROW = "__albertine_row__"


def _begun(run: Pass, table: Any, numbered: Any, kinds: dict[str, str], opaque: dict[str, str]) -> _albertine.Batches:
    """A table with numbered rows on its way. ``opaque`` tells of columns whose values stayed behind what they hold."""
    try:
        # its columns are checked as users know them, without the numbers
        run(table, kinds)
    except ColumnError as error:
        name = error.column_without_text
        if name is None or name not in opaque:
            raise
        raise ColumnError(f"column `{name}` holds {opaque[name]}, not text") from None
    return run(numbered, kinds)


# polars


def _polars_kinds(frame: Any) -> dict[str, str]:
    import polars as pl

    known: dict[str, str] = getattr(frame, _KINDS, {})
    kinds = {}
    for name, dtype in frame.schema.items():
        inner = getattr(dtype, "inner", None)
        if isinstance(inner, pl.Struct) and any(field.name == "annotatorType" for field in inner.fields):
            first = frame[name].list.first().struct.field("annotatorType").drop_nulls()
            # a column without annotations, of which nothing is known, can be one of any type
            kinds[name] = first[0] if len(first) else known.get(name, "any")
    return kinds


def _polars(run: Pass, frame: Any, kinds: dict[str, str]) -> Any:
    import polars as pl

    if tuple(map(int, pl.__version__.split(".")[:2])) < (1, 32):
        raise AlbertineError(f"polars {pl.__version__} cannot read Arrow's maps, the metadata of annotations: polars 1.32 or later is needed")
    sent, opaque = [], {}
    for name, dtype in frame.schema.items():
        if dtype == pl.Null:
            sent.append(pl.col(name).cast(pl.String))
        elif _goes_through(dtype, pl):
            sent.append(pl.col(name))
        else:
            sent.append(pl.lit(None, pl.Binary).alias(name))
            opaque[name] = str(dtype)
    table = frame.select(sent)
    batches = _begun(run, table.head(0), table.with_columns(pl.int_range(pl.len()).alias(_ROW)), kinds, opaque)
    result, origins = pl.DataFrame(batches.read_all()), batches.origins
    rows = result[_ROW]
    kept = frame if rows.equals(pl.int_range(frame.height, eager=True)) else frame[rows]
    parts = zip(result.iter_columns(), origins)
    whole = pl.DataFrame([part if origin is None else kept.to_series(origin) for part, origin in parts if part.name != _ROW])
    setattr(whole, _KINDS, batches.kinds)
    return whole


def _goes_through(dtype: Any, pl: Any) -> bool:
    """Whether a column goes through Arrow as it is: some types of polars are not Arrow's."""
    if isinstance(dtype, pl.List):
        return isinstance(dtype.inner, pl.Struct) or _goes_through(dtype.inner, pl)
    texts = (pl.String, pl.Categorical, pl.Enum, pl.Binary)
    numbers = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64)
    return dtype in (*texts, *numbers, pl.Boolean, pl.Date, pl.Datetime, pl.Duration, pl.Time)


# pandas


#: The fields by which a dict is known to be an annotation; embeddings may be missing.
_FIELDS = {"annotatorType", "begin", "end", "result", "metadata"}


def _pandas_kinds(frame: Any) -> dict[str, str]:
    attr = frame.attrs.get(_KINDS)
    known: dict[str, str] = attr if isinstance(attr, dict) else {}
    kinds = {}
    for name, column in frame.items():
        if column.dtype == object:
            own = pandas_name(name)
            kind = _kind_of_items(column, known.get(own))
            if kind is not None:
                kinds[own] = kind
    return kinds


def _kind_of_items(column: Any, known: str | None) -> str | None:
    """The annotator type of a column of lists of annotations: that of the first, or what is known if there is none. ``None`` for
    anything else: what a frame says of its columns outlives what is done to them."""
    kind = None
    for row, missing in zip(column, column.isna()):
        if missing:
            continue
        if isinstance(row, (str, bytes, dict)) or not hasattr(row, "__getitem__"):
            return None
        for item in row:
            if not (isinstance(item, dict) and _FIELDS <= item.keys()):
                return None
            kind = kind or item["annotatorType"]
    return kind or known


def pandas_name(name: Any) -> str:
    """The name of a column for stages: with columns of many levels the first of those that are not empty."""
    return str(name[0] if isinstance(name, tuple) and not any(name[1:]) else name)


def _pandas(run: Pass, frame: Any, kinds: dict[str, str]) -> Any:
    import pandas as pd

    pa = needed("pyarrow", "a pandas DataFrame")
    names = [pandas_name(name) for name in frame.columns]
    columns, opaque = [], {}
    for name, (_, column) in zip(names, frame.items()):
        array, what = _pandas_column(column, kinds.get(name), pa)
        columns.append(array)
        if what is not None:
            opaque[name] = what
    numbers = pd.RangeIndex(len(frame)).to_numpy()
    table = pa.table([*columns, pa.array(numbers, pa.int64())], names=[*names, _ROW])
    known = {name: kind for name, kind in kinds.items() if name in names}
    batches = _begun(run, table.slice(0, 0).remove_column(len(names)), table, known, opaque)
    result, origins = _arrow_table(batches), batches.origins
    rows = result.column(_ROW).to_numpy()
    written = {result.schema.names[place]: place for place, origin in enumerate(origins) if origin is None}
    stay = [place for place, name in enumerate(names) if place in origins or name in written]
    whole = frame if len(stay) == len(names) else frame.iloc[:, stay]
    if len(rows) != len(frame) or (rows != numbers).any():
        whole = whole.iloc[rows]
    # a frame of its own: copied at once where pandas does not copy on write
    whole = whole.assign()
    labels = dict(zip(names, frame.columns))
    deep = ("",) * (frame.columns.nlevels - 1)
    for name, place in written.items():
        whole[labels.get(name, (name, *deep) if deep else name)] = pd.Series(python_values(result.column(place)), index=whole.index)
    whole.attrs = {**copy.deepcopy(frame.attrs), _KINDS: batches.kinds}
    return whole


def python_values(column: Any) -> Any:
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


def _pandas_column(column: Any, kind: str | None, pa: Any) -> tuple[Any, str | None]:
    """A column for Arrow: as it is if a stage may read it, else empty, of its type. If Arrow has none, what it holds is told."""
    if kind is not None:
        rows = [
            None if missing else [{**item, "metadata": list(dict(item["metadata"] or {}).items())} for item in row]
            for row, missing in zip(column, column.isna())
        ]
        return pa.array(rows, _annotations(pa)), None
    try:
        name = str(column.dtype)
        if name in ("object", "category") or "str" in name.lower():
            first = next((value for value in column if value is not None), None) if name == "object" else None
            if isinstance(first, dict):
                pairs = [list(row.items()) if isinstance(row, dict) else row for row in column]
                return pa.array(pairs, pa.map_(pa.string(), pa.string()), from_pandas=True), None
            return pa.array(column, from_pandas=True), None
        if name.startswith(("int", "Int", "uint", "UInt")):
            return pa.array(column, from_pandas=True), None
        if name.startswith(("float", "Float")) and column.isna().all():
            # what is left of the type of a column when all values are missing
            return pa.nulls(len(column)), None
        return pa.nulls(len(column), pa.array(column.iloc[:0], from_pandas=True).type), None
    except (pa.ArrowException, TypeError, ValueError):
        return pa.nulls(len(column), pa.binary()), _odd_one(column)


def _odd_one(column: Any) -> str:
    """What keeps a column from being one of texts."""
    if column.dtype != object:
        return str(column.dtype)
    for row, (value, missing) in enumerate(zip(column, column.isna())):
        if not missing and not isinstance(value, str):
            return f"values of several types ({type(value).__name__} in row {row})"
        if not missing and _is_broken(value):
            return f"half a character (in row {row})"
    return str(column.dtype)


def _is_broken(text: str | None) -> bool:
    """Whether a text has half a character in it, which Python lets by and Unicode does not."""
    return text is not None and any("\ud800" <= letter <= "\udfff" for letter in text)


def broken_text(texts: Sequence[str | None]) -> RowError:
    """The error that one of several texts has half a character in it."""
    row = next(row for row, text in enumerate(texts) if _is_broken(text))
    return RowError(f"row {row}: the text holds half a character, which no encoding has")


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
