"""Functions over annotation columns of Spark DataFrames, as ``sparknlp.functions`` has them.

A function that is handed in gets the :class:`albertine.annotation.Annotation` objects of a row as a list.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Optional, Sequence

from albertine._workers import Shipped, python_of_tasks
from albertine.annotation import Annotation

try:
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as _sql
    from pyspark.sql.types import BooleanType
except ImportError as error:
    raise ImportError(
        "albertine.functions works on Spark DataFrames, and PySpark is not installed: pip install 'albertine[spark]'"
    ) from error

__all__ = [
    "explode_annotations_col",
    "filter_by_annotations_col",
    "map_annotations",
    "map_annotations_array",
    "map_annotations_col",
    "map_annotations_cols",
    "map_annotations_strict",
]

#: From the annotations of a row to others, or to a value.
Function = Callable[[list[Annotation]], Any]


def map_annotations(f: Function, output_type: Any) -> Any:
    """A function of Spark over an annotation column.

    Args:
        f: from the annotations of a row to what the new column holds: annotations, or a value of ``output_type``.
        output_type: its type, such as ``Annotation.arrayType()``.
    """

    def mapped(column: Any) -> Any:
        return _rows(f(_annotations(column)))

    return _udf(mapped, output_type)


def map_annotations_array(f: Function, output_type: Any) -> Any:
    """As :func:`map_annotations`, over an array of annotation columns, whose annotations come as one list."""

    def mapped(columns: Any) -> Any:
        return _rows(f([annotation for column in columns or () for annotation in _annotations(column)]))

    return _udf(mapped, output_type)


def map_annotations_strict(f: Function) -> Any:
    """As :func:`map_annotations`, to annotations."""
    return map_annotations(f, Annotation.arrayType())


def map_annotations_col(
    dataframe: Any,
    f: Function,
    column: str,
    output_column: str,
    annotatyon_type: str,
    output_type: Optional[Any] = None,
) -> Any:
    """A DataFrame with a column of what ``f`` makes of another.

    Args:
        dataframe: the Spark DataFrame.
        f: from the annotations of a row to others.
        column: the column to read.
        output_column: the column to write.
        annotatyon_type: the annotator type of that column, such as ``token``; spelled as Spark NLP does.
        output_type: its type, annotations unless said otherwise.
    """
    made = map_annotations(f, output_type or Annotation.arrayType())(column)
    return dataframe.withColumn(output_column, made.alias(output_column, metadata={"annotatorType": annotatyon_type}))


def map_annotations_cols(
    dataframe: Any,
    f: Function,
    columns: Sequence[str],
    output_column: str,
    annotatyon_type: str,
    output_type: Optional[Any] = None,
) -> Any:
    """As :func:`map_annotations_col`, of many columns whose annotations come as one list."""
    made = map_annotations_array(f, output_type or Annotation.arrayType())(_sql.array(*columns))
    return dataframe.withColumn(output_column, made.alias(output_column, metadata={"annotatorType": annotatyon_type}))


def filter_by_annotations_col(dataframe: Any, f: Callable[[list[Annotation]], bool], column: str) -> Any:
    """The rows of a DataFrame for whose annotations ``f`` is true."""

    def kept(found: Any) -> bool:
        return bool(f(_annotations(found)))

    return dataframe.filter(_udf(kept, BooleanType())(column))


def explode_annotations_col(dataframe: Any, column: str, output_column: str) -> Any:
    """A DataFrame with a row for each annotation of a column; rows without any are left out."""
    return dataframe.withColumn(output_column, _sql.explode(column))


def _udf(f: Callable[[Any], Any], output_type: Any) -> Any:
    # whatever the session says: with Arrow, Spark has other rules for what a function gives back
    made = _sql.udf(Shipped(f), output_type, useArrow=False)

    @functools.wraps(made)
    def of_columns(*columns: Any) -> Any:
        with python_of_tasks(SparkSession.getActiveSession()):
            return made(*columns)

    return of_columns


def _annotations(column: Any) -> list[Annotation]:
    return [Annotation.fromRow(row) for row in column or ()]


def _rows(made: Any) -> Any:
    """What Spark takes for annotations."""
    if isinstance(made, Annotation):
        return made.toRow()
    return [_rows(item) for item in made] if isinstance(made, (list, tuple)) else made
