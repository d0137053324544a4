"""Frames of pandas: what stages read goes through Arrow, and what they write comes back.

Other columns may hold anything: they stay where they are, and only that they are there is told.
"""

from __future__ import annotations

import copy
from typing import Any

from albertine._frames import KINDS, ROW, Pass, Used, arrow_table, begun, is_broken, needed, pandas_name
from albertine.errors import ColumnError

__all__ = ["arrow_column", "kinds", "python_values", "transform"]

#: The fields by which a dict is known to be an annotation; embeddings may be missing.
_FIELDS = {"annotatorType", "begin", "end", "result", "metadata"}


def kinds(frame: Any, used: Used) -> dict[str, str]:
    """The annotator types of the columns that hold annotations."""
    # an attribute of the object: what pandas keeps as attrs belongs to users
    known: dict[str, str] = vars(frame).get(KINDS, {})
    found = {}
    for name, column in frame.items():
        if column.dtype == object:
            own = pandas_name(name)
            try:
                kind = _kind_of_items(column, known.get(own), own in used.annotations, own in used.written)
            except Exception:
                # a user's object that cannot be looked at is no list of annotations
                kind = None
            if kind is not None:
                found[own] = kind
    return found


def _kind_of_items(column: Any, known: str | None, is_read: bool, is_written: bool) -> str | None:
    """The annotator type of a column of lists of annotations: that of the first. If there is none, what is known, or,
    of a column that has to hold annotations, any. ``None`` for anything else: what a frame says of its columns outlives
    what is done to them."""
    kind, has_lists = None, False
    for row, missing in zip(column, column.isna()):
        if missing:
            continue
        if isinstance(row, (str, bytes, dict)) or not hasattr(row, "__getitem__"):
            return None
        has_lists = True
        for item in row:
            if not (isinstance(item, dict) and _FIELDS <= item.keys()):
                return None
            kind = kind or item["annotatorType"]
    return kind or known or ("any" if is_read or (is_written and has_lists) else None)


def transform(run: Pass, frame: Any, used: Used, kinds: dict[str, str]) -> Any:
    """A frame through ``run``, with every column as it was and those that are written."""
    import pandas as pd

    pa = needed("pyarrow", "a pandas DataFrame")
    names = [pandas_name(name) for name in frame.columns]
    columns, opaque = [], {}
    for name, (_, column) in zip(names, frame.items()):
        what = None
        if name in kinds:
            array = _annotations(name, column, pa) if name in used.read else pa.nulls(len(frame), _annotation_type(pa))
        elif name in used.read:
            array, what = _column(column, pa)
        else:
            array = pa.nulls(len(frame))
        columns.append(array)
        if what is not None:
            opaque[name] = what
    numbers = pd.RangeIndex(len(frame)).to_numpy()
    table = pa.table([*columns, pa.array(numbers, pa.int64())], names=[*names, ROW])
    known = {name: kind for name, kind in kinds.items() if name in names}
    batches = begun(run, table.slice(0, 0).remove_column(len(names)), table, known, opaque)
    result, origins = arrow_table(batches), batches.origins
    rows = result.column(ROW).to_numpy()
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
        whole[labels.get(name, (name, *deep) if deep else name)] = pd.Series(
            python_values(result.column(place)), index=whole.index
        )
    whole.attrs = copy.deepcopy(frame.attrs)
    object.__setattr__(whole, KINDS, batches.kinds)
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


def _annotations(name: str, column: Any, pa: Any) -> Any:
    """A column of annotations for Arrow."""
    try:
        rows = [
            None if missing else [{**item, "metadata": list(dict(item["metadata"] or {}).items())} for item in row]
            for row, missing in zip(column, column.isna())
        ]
        return pa.array(rows, _annotation_type(pa))
    except Exception as error:
        raise ColumnError(f"column `{name}` holds annotations that cannot be read: {error}") from None


def _column(column: Any, pa: Any) -> tuple[Any, str | None]:
    """A column for Arrow: as it is if it may hold texts, numbers or maps of texts, else empty, of its type. If Arrow
    has none, what it holds is told."""
    first = next((value for value in column if value is not None), None) if column.dtype == object else None
    if isinstance(first, dict):
        pairs = [list(row.items()) if isinstance(row, dict) else row for row in column]
        return _array(column, pa, lambda: pa.array(pairs, pa.map_(pa.string(), pa.string()), from_pandas=True))
    name = str(column.dtype)
    if name in ("object", "category") or "str" in name.lower() or name.startswith(("int", "Int", "uint", "UInt")):
        return arrow_column(column, pa)
    if name.startswith(("float", "Float")) and column.isna().all():
        # what is left of the type of a column when all values are missing
        return pa.nulls(len(column)), None
    return _array(column, pa, lambda: pa.nulls(len(column), pa.array(column.iloc[:0], from_pandas=True).type))


def arrow_column(column: Any, pa: Any) -> tuple[Any, str | None]:
    """A column in Arrow; or an empty one, and what it holds that Arrow has no type for."""
    return _array(column, pa, lambda: pa.array(column, from_pandas=True))


def _array(column: Any, pa: Any, make: Any) -> tuple[Any, str | None]:
    try:
        return make(), None
    except Exception:
        # numbers of any size, and whatever users' objects raise when they are looked at
        return pa.nulls(len(column), pa.binary()), _odd_one(column)


def _odd_one(column: Any) -> str:
    """What keeps a column from being one of texts."""
    if column.dtype != object:
        return str(column.dtype)
    for row, (value, missing) in enumerate(zip(column, column.isna())):
        if missing:
            continue
        if isinstance(value, int) and not -1 << 63 <= value < 1 << 64:
            return f"numbers of more than 64 bits (in row {row})"
        if not isinstance(value, str):
            return f"values of several types ({type(value).__name__} in row {row})"
        if is_broken(value):
            return f"half a character (in row {row})"
    return str(column.dtype)


def _annotation_type(pa: Any) -> Any:
    fields = [
        pa.field("annotatorType", pa.string()),
        pa.field("begin", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
        pa.field("result", pa.string()),
        pa.field("metadata", pa.map_(pa.string(), pa.string())),
        pa.field("embeddings", pa.list_(pa.field("element", pa.float32(), nullable=False))),
    ]
    return pa.list_(pa.field("element", pa.struct(fields)))
