"""Texts of every kind into a pipeline, and flat rows out of it as a frame of the kind that fits."""

from __future__ import annotations

import functools
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from albertine import _albertine, _frames
from albertine._classify import as_list
from albertine._pandas import python_values
from albertine._rows import Layout, beginnings
from albertine.errors import ColumnError

if TYPE_CHECKING:
    from albertine._stage import Spec

__all__ = ["TEXT", "annotated", "flat", "is_spark", "on_spark"]

#: The column of texts, inside the stages: other columns go by their numbers there, so that no stage minds their names.
TEXT = "text"

#: The column that tells where a row comes from, in frames without an index.
_ORIGIN = "origin_index"


def is_spark(data: object) -> bool:
    """Whether something is a Spark DataFrame."""
    return _frames.library(data) == "pyspark"


def flat(run: _frames.Pass, layout: Layout, data: Any, keep: bool) -> Any:
    """Rows of a layout for texts or a frame that is not Spark's."""
    kind = _frames.library(data)
    if kind == "polars":
        return _polars(run, layout, data, keep)
    if kind == "pyarrow":
        return _pyarrow(run, layout, data, keep)
    if kind == "pandas":
        return _pandas(run, layout, data, keep)
    if _frames.has_arrow(data):
        return _pyarrow(run, layout, pa.table(data), keep)
    pd = _frames.needed("pandas", "predict()")
    texts = _texts(data)
    return _finished(pd, run, layout, texts, pd.RangeIndex(len(texts)), None)


# the column of texts


def _texts(data: Any) -> Any:
    """Texts in hand as an Arrow array."""
    if isinstance(data, str):
        found: Any = [data]
    elif _frames.library(data) == "numpy":
        if data.ndim != 1:
            raise TypeError(f"expected an array of texts with 1 dimension, not {data.ndim}")
        found = as_list(data.tolist())
    elif isinstance(data, (list, tuple)) or _frames.library(data) == "pandas":
        found = as_list(data)
    else:
        raise TypeError(
            "expected a text, a list, tuple, numpy array or Series of texts, or a pandas, polars, pyarrow or Spark "
            "frame, "
            f"not {type(data).__name__}"
        )
    try:
        return pa.array(found, pa.large_string())
    except UnicodeEncodeError:
        raise _frames.broken_text(found) from None


def _text_column(names: Sequence[Any]) -> Any:
    """The column of texts: ``text``, else the first one."""
    if not len(names):
        raise ColumnError("the frame has no columns")
    return TEXT if TEXT in list(names) else names[0]


def _no_texts(name: Any, kind: object) -> ColumnError:
    return ColumnError(
        f"column `{name}` holds {kind}, not texts: the column of texts has to be called `{TEXT}`, or to be the first "
        "one"
    )


def _arrow_texts(name: Any, array: Any) -> Any:
    """An Arrow column, if it is one of texts."""
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if pa.types.is_null(kind):
        return array.cast(pa.string())
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view()):
        raise _no_texts(name, array.type)
    return array


# frames


def _named(columns: Iterable[str], taken: Iterable[Any]) -> dict[str, str]:
    """What columns are called where some names are taken by those of the frame."""
    names = {str(name) for name in taken}
    found = {}
    for column in columns:
        name = column
        while name in names:
            name = f"predicted_{name}"
        names.add(name)
        found[column] = name
    return found


def _collected(run: _frames.Pass, layout: Layout, texts: Any) -> tuple[Any, dict[str, Any]]:
    """Rows for a column of texts: the number of the text that each comes from, and the columns."""
    batches = run(pa.table([texts, pa.array(np.arange(len(texts)))], names=[TEXT, "0"]), {})
    origins: list[Any] = []
    chunks: dict[str, list[Any]] = {name: [array] for name, array in layout.rows(_empty(batches.schema))[1].items()}
    for batch in map(pa.record_batch, batches):
        row, columns = layout.rows(batch)
        origins.append(batch.column("0").to_numpy()[row])
        for name, array in columns.items():
            chunks[name].append(array)
    origin = np.concatenate([np.zeros(0, np.int64), *origins])
    return origin, {name: pa.chunked_array(arrays) for name, arrays in chunks.items()}


def _empty(schema: Any) -> Any:
    schema = pa.schema(schema)
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)


def _pandas(run: _frames.Pass, layout: Layout, data: Any, keep: bool) -> Any:
    pd = _frames.needed("pandas", "predict()")
    if isinstance(data, pd.Series):
        return _finished(pd, run, layout, _texts(data), data.index, None)
    if not isinstance(data, pd.DataFrame):
        return _finished(pd, run, layout, _texts(data), pd.RangeIndex(len(data)), None)
    if not data.columns.is_unique:
        raise ColumnError("the frame has columns of the same name")
    name = _text_column(data.columns)
    try:
        texts = _texts(data[name])
    except TypeError:
        raise _no_texts(name, data[name].dtype) from None
    return _finished(pd, run, layout, texts, data.index, data if keep else None)


def _finished(pd: Any, run: _frames.Pass, layout: Layout, texts: Any, index: Any, kept: Any) -> Any:
    """The pandas DataFrame for texts, with the columns of ``kept`` beside them."""
    origin, columns = _collected(run, layout, texts)
    names = _named(columns, () if kept is None else kept.columns)
    index = index.take(origin)
    frame = pd.DataFrame(index=index) if kept is None else kept.take(origin)
    found = {names[name]: pd.Series(python_values(column), index=index) for name, column in columns.items()}
    return _sorted(frame.assign(**found))


def _sorted(frame: Any) -> Any:
    names = list(frame.columns)
    # by their places: True and False are names that pandas takes for a choice of rows
    return frame.iloc[:, sorted(range(len(names)), key=lambda place: str(names[place]))]


def _polars(run: _frames.Pass, layout: Layout, data: Any, keep: bool) -> Any:
    pl = import_module("polars")
    if isinstance(data, pl.LazyFrame):
        raise TypeError("expected a DataFrame; a LazyFrame has to be collected first: .collect()")
    if isinstance(data, pl.Series):
        data, keep = data.to_frame(TEXT), False
    name = _text_column(data.columns)
    origin, columns = _collected(run, layout, _arrow_texts(name, data[name].to_arrow()))
    frame = data[origin] if keep else pl.DataFrame()
    columns = {_ORIGIN: pa.chunked_array([origin]), **columns}
    names = _named(columns, frame.columns)
    found = [pl.Series(names[name], column) for name, column in columns.items()]
    frame = frame.with_columns(found) if keep else pl.DataFrame(found)
    return frame.select(sorted(frame.columns))


class _Rows:
    """From the batches of a table to flat rows, with the table's columns beside them."""

    def __init__(self, layout: Layout, names: Sequence[str], text: str, keep: bool) -> None:
        self._layout = layout
        self._inside = [TEXT if name == text else str(number) for number, name in enumerate(names)]
        self._kept = dict(zip(names, self._inside)) if keep else {}

    def inside(self, batch: Any) -> Any:
        """A batch as stages get it."""
        renamed = batch.rename_columns(self._inside)
        return renamed if self._kept else renamed.select([TEXT])

    def of(self, batch: Any, origin: str, told: Callable[[Any], Any]) -> Any:
        """The rows for a batch that comes out of the stages.

        Args:
            origin: a column that tells where rows come from.
            told: what it says of rows, of each of which the number in ``batch`` is known.
        """
        row, columns = self._layout.rows(batch)
        places = pa.array(row)
        kept = {name: _taken(batch.column(inside), row, places) for name, inside in self._kept.items()}
        columns = {origin: pa.array(told(row)), **columns}
        called = _named(columns, kept)
        return pa.RecordBatch.from_pydict({**kept, **{called[name]: array for name, array in columns.items()}})


def _taken(column: Any, row: Any, places: Any) -> Any:
    """Rows of a column of any type."""
    if len(row) == len(column) and (row == np.arange(len(row))).all():
        return column
    try:
        return column.take(places)
    except pa.ArrowNotImplementedError:
        # views, unions and the like, which pyarrow cannot choose rows of
        return pa.array(_albertine.take(column, places))


def _pyarrow(run: _frames.Pass, layout: Layout, data: Any, keep: bool) -> Any:
    """As pyarrow came in: a reader is read as its result is."""
    if isinstance(data, (pa.Array, pa.ChunkedArray)):
        data, keep = pa.table({TEXT: _arrow_texts(TEXT, data)}), False
    if isinstance(data, pa.RecordBatchReader):
        batches: Any = data
    elif isinstance(data, (pa.Table, pa.RecordBatch)):
        batches = data.to_batches() if isinstance(data, pa.Table) else [data]
    else:
        raise TypeError(f"expected a pyarrow Table, RecordBatch, RecordBatchReader or Array, not {type(data).__name__}")
    names = data.schema.names
    if len(set(names)) < len(names):
        raise ColumnError("the table has columns of the same name")
    text = _text_column(names)
    _arrow_texts(text, pa.nulls(0, data.schema.field(text).type))
    rows = _Rows(layout, names, text, keep)
    schema = rows.inside(_empty(data.schema)).schema
    source = _frames.Source(map(rows.inside, batches))
    found = run(pa.RecordBatchReader.from_batches(schema, source), {})

    def flat_batches(batches: Iterable[Any]) -> Iterator[Any]:
        before = 0
        for batch in batches:
            flat = rows.of(batch, _ORIGIN, lambda row: row + before)
            yield flat.select(sorted(flat.schema.names))
            before += batch.num_rows

    schema = next(flat_batches([_empty(found.schema)])).schema
    if isinstance(data, pa.RecordBatchReader):
        return pa.RecordBatchReader.from_batches(schema, flat_batches(source.watch(found)))
    table = pa.Table.from_batches(flat_batches(source.watch(found)), schema)
    if isinstance(data, pa.Table):
        return table
    parts = table.combine_chunks().to_batches()
    return parts[0] if parts else _empty(schema)


# Spark

#: The column that is true where a row is the first that comes from its row of the input.
_BEGINS = "begins"


def _spark_text(frame: Any) -> str:
    """The column of texts of a Spark DataFrame."""
    from pyspark.sql.types import StringType

    name: str = _text_column(frame.columns)
    kind = frame.schema.fields[frame.columns.index(name)].dataType
    if not isinstance(kind, StringType):
        raise _no_texts(name, kind.simpleString())
    return name


def on_spark(specs: list[Spec], layout: Layout, frame: Any, keep: bool) -> Any:
    """Rows of a layout for a Spark DataFrame, as a pandas DataFrame: Spark's tasks make the rows, which are then
    collected."""
    from pyspark.sql.pandas.types import from_arrow_type

    from albertine import _spark

    pd = _frames.needed("pandas", "predict()")
    text = _spark_text(frame)
    if len(set(frame.columns)) < len(frame.columns):
        raise ColumnError("the table has columns of the same name")
    rows = _Rows(layout, frame.columns, text, keep)
    annotated = _albertine.Pipeline(specs).output_schema(pa.schema({TEXT: pa.string()}), {})
    own = _Rows(layout, [text], text, False).of(_empty(annotated), _BEGINS, beginnings).schema
    kept = frame.schema.fields if keep else []
    types = [*(field.dataType for field in kept), *(from_arrow_type(field.type) for field in own)]
    flat = functools.partial(rows.of, origin=_BEGINS, told=beginnings)
    found = _spark.transform_within(specs, frame, rows.inside, flat, types).toPandas()
    called = _named(own.names, frame.columns if keep else ())
    found.columns = [*(field.name for field in kept), *called.values()]
    begins = called[_BEGINS]
    found.index = pd.Index(found[begins].to_numpy(bool).cumsum() - 1)
    return _sorted(found.drop(columns=begins))


def annotated(specs: list[Spec], data: Any, keep: bool) -> Any:
    """The Spark DataFrame with the columns of the stages, for data of any kind."""
    from albertine import _spark

    frame = data if is_spark(data) else _to_spark(data)
    text = _spark_text(frame)
    if not keep:
        frame = frame.select("`" + text.replace("`", "``") + "`")
    # the first stage is the DocumentAssembler
    name, params, model = specs[0]
    first = (name, json.dumps({**json.loads(params), "inputCol": text}), model)
    return _spark.transform([first, *specs[1:]], frame)


def _to_spark(data: Any) -> Any:
    """Data on this machine as a Spark DataFrame, of the active session or a new one."""
    from albertine.session import start
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession() or start()
    if hasattr(data, "to_pandas"):
        data = data.to_pandas()
    if not hasattr(data, "columns"):
        return session.createDataFrame([(text,) for text in _texts(data).to_pylist()], f"{TEXT} string")
    # what pandas has for a missing text is not what Spark takes for one
    text = _text_column(data.columns)
    texts = _frames.needed("pandas", "predict()").Series(as_list(data[text]), index=data.index, dtype=object)
    return session.createDataFrame(data.assign(**{text: texts}))
