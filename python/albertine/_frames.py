"""Tables of every kind through a chain of stages, each given back as what it was."""

from __future__ import annotations

import json
from importlib import import_module
from numbers import Integral
from typing import TYPE_CHECKING, Any, Callable, Iterator, NamedTuple, Sequence, Union

from albertine import _albertine
from albertine.errors import AlbertineError, ColumnError, ParamError, RowError

if TYPE_CHECKING:
    from albertine._stage import Spec

__all__ = [
    "KINDS",
    "ROW",
    "ColumnName",
    "Pass",
    "Source",
    "Used",
    "arrow_table",
    "begun",
    "broken_text",
    "check",
    "column_name",
    "column_names",
    "has_arrow",
    "is_broken",
    "is_table",
    "library",
    "needed",
    "no_table",
    "pandas_name",
    "require_frame",
    "require_table",
    "transform",
    "transform_with",
]

#: A pass over an Arrow stream: the stream, and the annotator types of columns that do not say theirs.
Pass = Callable[[Any, "dict[str, str]"], _albertine.Batches]


#: A column as users name it; pandas may call one by a number.
ColumnName = Union[str, int]


class Used(NamedTuple):
    """The columns that a pass has to do with: of all others it need not know what they hold."""

    #: Those that are read.
    read: frozenset[str]
    #: Those that are read as annotations, which a column of pandas may hold without showing it.
    annotations: frozenset[str] = frozenset()
    #: Those that annotations are written to.
    written: frozenset[str] = frozenset()


def _used_by(pipeline: _albertine.Pipeline) -> Used:
    values = [json.loads(params) for _, params, _ in pipeline.stages()]
    annotations = {name for params in values for name in params.get("inputCols") or ()}
    texts = {params[key] for params in values for key in ("inputCol", "idCol", "metadataCol") if params.get(key)}
    written = {params["outputCol"] for params in values if params.get("outputCol")}
    return Used(frozenset(annotations | texts), frozenset(annotations), frozenset(written))


def library(frame: object) -> str:
    """The library that a table is of: the first part of its module's name, or of that of the table it is derived
    from."""
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
    pipeline = _albertine.Pipeline(list(stages))
    return transform_with(pipeline.transform, frame, _used_by(pipeline))


def check(stages: Sequence[Spec], frame: Any) -> None:
    """Fails as :func:`transform` would for want of a column, without work."""
    if library(frame) == "pyspark":
        from albertine import _spark

        _spark.output_schema(stages, frame)
        return
    pipeline = _albertine.Pipeline(list(stages))
    kind = library(frame)
    if kind == "pandas":
        from albertine import _pandas

        require_frame(frame, "pandas")
        used = _used_by(pipeline)
        _pandas.transform(pipeline.transform, frame.head(0), used, _pandas.kinds(frame, used))
    elif kind == "polars":
        require_frame(frame, "polars")
        _polars(pipeline.transform, frame.head(0), _used_by(pipeline), _polars_kinds(frame))
    elif kind == "pyarrow":
        require_table(frame)
        pipeline.output_schema(frame.schema, {})
    elif hasattr(frame, "__arrow_c_schema__"):
        _of_capsule(pipeline.output_schema, frame)
    elif not (has_arrow(frame) and hasattr(frame, "__next__")):
        # an iterator can be read once only, by whoever works on it
        _of_capsule(pipeline.transform, frame)


def transform_with(run: Pass, frame: Any, used: Used) -> Any:
    """A table that is not Spark's through ``run``, which has to do with some of its columns. One of which only the
    PyCapsule interface is known comes back as a ``pyarrow.Table``, or without pyarrow as a table with that
    interface."""
    kind = library(frame)
    if kind == "pandas":
        from albertine import _pandas

        require_frame(frame, "pandas")
        return _pandas.transform(run, frame, used, _pandas.kinds(frame, used))
    if kind == "polars":
        require_frame(frame, "polars")
        return _polars(run, frame, used, _polars_kinds(frame))
    if kind == "pyarrow":
        require_table(frame)
        return _pyarrow(run, frame)
    batches = _of_capsule(run, frame)
    try:
        return arrow_table(batches)
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
    if library(frame) == "datasets" and hasattr(frame, "with_format"):
        return TypeError(
            "expected a table; a Dataset gives one, with the names of its classes: .with_format('arrow')[:]"
        )
    return TypeError(
        "expected a Spark, pandas or polars DataFrame, a pyarrow Table, RecordBatch or RecordBatchReader, or another "
        "table "
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


# the names of columns


def pandas_name(name: Any) -> str:
    """The name of a column for stages: with columns of many levels the first of those that are not empty."""
    return str(name[0] if isinstance(name, tuple) and not any(name[1:]) else name)


def column_name(frame: Any, name: Any, argument: str) -> str:
    """The name of a column for stages: what pandas calls by a number, or by anything else, has a text for a name there.

    Raises:
        TypeError: it is no name; the message has that of the argument.
    """
    if isinstance(name, str):
        return name
    if _is_name(frame, name):
        return pandas_name(name)
    raise TypeError(f"{argument} is {name!r}, not the name of a column")


def column_names(frame: Any, names: Any, argument: str) -> list[str]:
    """The names of one column or of several, for stages.

    Raises:
        TypeError: it is no name, and no list of names.
        albertine.ParamError: the list is empty.
    """
    if isinstance(names, str) or _is_name(frame, names) or not hasattr(names, "__iter__"):
        return [column_name(frame, names, argument)]
    found = [column_name(frame, name, f"{argument}[{place}]") for place, name in enumerate(names)]
    if not found:
        raise ParamError(f"{argument} is {names!r}, and names no column")
    return found


def _is_name(frame: Any, name: Any) -> bool:
    if isinstance(name, Integral) and not isinstance(name, bool):
        return True
    try:
        return library(frame) == "pandas" and name in frame.columns
    except TypeError:
        # a list
        return False


# pyarrow


def _pyarrow(run: Pass, frame: Any) -> Any:
    import pyarrow as pa

    if isinstance(frame, pa.RecordBatchReader):
        source = Source(frame)
        batches = run(pa.RecordBatchReader.from_batches(frame.schema, source), {})
        return pa.RecordBatchReader.from_batches(pa.schema(batches.schema), source.watch(batches))
    batches = run(frame, {})
    result = arrow_table(batches)
    if isinstance(frame, pa.Table):
        return result
    parts = result.combine_chunks().to_batches()
    if len(parts) > 1:
        raise AlbertineError("the result is more than one RecordBatch can hold; use a Table")
    return parts[0] if parts else pa.RecordBatch.from_pylist([], result.schema)


def arrow_table(batches: _albertine.Batches) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches([pa.record_batch(batch) for batch in batches], pa.schema(batches.schema))


class Source:
    """The batches of a reader, or of another iterator. What it raises would be but a text behind a C stream: it is
    kept, and raised to whoever reads the result."""

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


#: The attribute under which a frame that came of stages keeps the annotator types of its columns, of which columns
#: without annotations tell nothing.
KINDS = "_albertine_kinds"

#: The numbers of the rows, so that a stage that gives a sentence a row of its own does not part rows from their other
#: columns.
ROW = "__albertine_row__"


def begun(run: Pass, table: Any, numbered: Any, kinds: dict[str, str], opaque: dict[str, str]) -> _albertine.Batches:
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

    known: dict[str, str] = getattr(frame, KINDS, {})
    kinds = {}
    for name, dtype in frame.schema.items():
        inner = getattr(dtype, "inner", None)
        if isinstance(inner, pl.Struct) and any(field.name == "annotatorType" for field in inner.fields):
            first = frame[name].list.first().struct.field("annotatorType").drop_nulls()
            # a column without annotations, of which nothing is known, can be one of any type
            kinds[name] = first[0] if len(first) else known.get(name, "any")
    return kinds


def _polars(run: Pass, frame: Any, used: Used, kinds: dict[str, str]) -> Any:
    import polars as pl

    if tuple(map(int, pl.__version__.split(".")[:2])) < (1, 32):
        raise AlbertineError(
            f"polars {pl.__version__} cannot read Arrow's maps, the metadata of annotations: polars 1.32 or later is "
            "needed"
        )
    sent, opaque = [], {}
    for name, dtype in frame.schema.items():
        if name not in used.read and name not in kinds:
            # of a type of its own: polars hands columns of type Null on in a form that Arrow forbids
            sent.append(pl.lit(None, pl.Boolean).alias(name))
        elif dtype == pl.Null:
            sent.append(pl.col(name).cast(pl.String))
        elif _goes_through(dtype, pl):
            sent.append(pl.col(name))
        else:
            sent.append(pl.lit(None, pl.Binary).alias(name))
            opaque[name] = str(dtype)
    table = frame.select(*sent, pl.int_range(pl.len(), dtype=pl.Int64).alias(ROW))
    batches = begun(run, table.head(0).drop(ROW), table, kinds, opaque)
    result, origins = pl.DataFrame(batches.read_all()), batches.origins
    rows = result[ROW]
    kept = frame if rows.equals(table[ROW]) else frame[rows]
    parts = zip(result.iter_columns(), origins)
    whole = pl.DataFrame(
        [part if origin is None else kept.to_series(origin) for part, origin in parts if part.name != ROW]
    )
    setattr(whole, KINDS, batches.kinds)
    return whole


def _goes_through(dtype: Any, pl: Any) -> bool:
    """Whether a column goes through Arrow as it is: some types of polars are not Arrow's."""
    if isinstance(dtype, pl.List):
        return isinstance(dtype.inner, pl.Struct) or _goes_through(dtype.inner, pl)
    texts = (pl.String, pl.Categorical, pl.Enum, pl.Binary)
    numbers = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64)
    return dtype in (*texts, *numbers, pl.Boolean, pl.Date, pl.Datetime, pl.Duration, pl.Time)


# texts


def is_broken(text: str | None) -> bool:
    """Whether a text has half a character in it, which Python lets by and Unicode does not."""
    return text is not None and any("\ud800" <= letter <= "\udfff" for letter in text)


def is_table(value: Any) -> bool:
    """Whether something is a table, and not a column of one."""
    if type(value).__name__ == "LazyFrame" or hasattr(value, "columns") or hasattr(value, "schema"):
        return True
    known = library(value) in ("pandas", "polars", "pyarrow")
    return not known and has_arrow(value)


def broken_text(texts: Sequence[str | None]) -> RowError:
    """The error that one of several texts has half a character in it."""
    row = next(row for row, text in enumerate(texts) if is_broken(text))
    return RowError(f"row {row}: the text holds half a character, which no encoding has")
