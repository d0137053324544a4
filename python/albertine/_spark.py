"""Stages on Spark: a chain of them is one ``mapInArrow``.

The driver knows the columns and hands out the model; each Python worker process keeps one model for all its tasks; rows go through
in windows of their own size, whatever batches Spark makes, and come back in their order with every column.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import tempfile
import weakref
import zipfile
from typing import TYPE_CHECKING, Any, Callable, Iterator, Optional, Sequence

import pyarrow as pa
from pyspark.sql.pandas.types import from_arrow_type, to_arrow_schema
from pyspark.sql.types import (
    ArrayType,
    FloatType,
    IntegerType,
    MapType,
    StringType,
    StructField,
    StructType,
)

from albertine import _albertine
from albertine.errors import AlbertineError

if TYPE_CHECKING:
    from albertine._stage import Spec

__all__ = ["SHIP", "Chain", "annotation_type", "output_schema", "transform", "transform_within"]

#: How models reach the executors: ``broadcast`` (by Spark, the default on a cluster) or ``path`` (they have them at the same path,
#: the default where the driver is the executor).
SHIP = "spark.albertine.models"

#: The table that a chain began with, and the chain, kept on the table that it gave.
_BEGAN = "_albertine_began"


def annotation_type() -> StructType:
    """The type of an annotation, as Spark NLP has it."""
    return StructType(
        [
            StructField("annotatorType", StringType(), True),
            StructField("begin", IntegerType(), False),
            StructField("end", IntegerType(), False),
            StructField("result", StringType(), True),
            StructField("metadata", MapType(StringType(), StringType(), True), True),
            StructField("embeddings", ArrayType(FloatType(), False), True),
        ]
    )


def _kinds(schema: StructType) -> dict[str, str]:
    """The annotator types of annotation columns, which Spark keeps as metadata of columns and Arrow batches lose."""
    found = {field.name: (field.metadata or {}).get("annotatorType") for field in schema.fields}
    return {name: kind for name, kind in found.items() if kind is not None}


def output_schema(stages: Sequence[Spec], frame: Any) -> StructType:
    """The columns that a table has after stages.

    Raises:
        albertine.ColumnError: a stage lacks a column.
    """
    schema = frame.schema
    arrow = pa.schema([_arrow_field(field) for field in schema.fields])
    added = pa.schema(_albertine.Pipeline(list(stages)).output_schema(arrow, _kinds(schema)))
    before = {field.name: field for field in schema.fields}
    fields = []
    for field in added:
        kind = (field.metadata or {}).get(b"annotatorType")
        if kind is not None:
            metadata = {"annotatorType": kind.decode()}
            fields.append(StructField(field.name, ArrayType(annotation_type(), True), True, metadata))
        elif field.name in before:
            fields.append(before[field.name])
        else:
            fields.append(StructField(field.name, from_arrow_type(field.type), field.nullable))
    return StructType(fields)


def _arrow_field(field: StructField) -> pa.Field:
    try:
        (found,) = to_arrow_schema(StructType([field]))
    except Exception as error:
        raise AlbertineError(f"column `{field.name}` of type {field.dataType.simpleString()} cannot go to Python: {error}") from None
    return found


def transform(stages: Sequence[Spec], frame: Any) -> Any:
    """A table with the columns that stages add: nothing is done before an action."""
    if len(set(frame.columns)) < len(frame.columns):
        raise AlbertineError("the table has columns of the same name, which Spark cannot hand to Python")
    began, before = frame.__dict__.get(_BEGAN, (frame, []))
    if getattr(frame, "is_cached", False):
        began, before = frame, []
    chain = [*before, *stages]
    schema = output_schema(chain, began)
    ship = _Shipment(began.sparkSession)
    worker = Chain([(name, params, ship.of(model)) for name, params, model in chain], _kinds(began.schema))
    result = began.mapInArrow(worker, schema)
    result.__dict__[_BEGAN] = (began, chain)
    return result


def transform_within(
    stages: Sequence[Spec],
    frame: Any,
    before: Callable[[pa.RecordBatch], pa.RecordBatch],
    after: Callable[[pa.RecordBatch], pa.RecordBatch],
    columns: Sequence[Any],
) -> Any:
    """A table that tasks make: each batch through ``before``, the stages and ``after``.

    Args:
        before: gets the columns of ``frame`` in their order, under names of no meaning.
        columns: the types of what ``after`` gives, in that order. The columns of the result are called by their numbers.
    """
    ship = _Shipment(frame.sparkSession)
    chain = Chain([(name, params, ship.of(model)) for name, params, model in stages], {})
    # Spark hands columns over by name, and understands dots and the like as more than a name
    source = frame.toDF(*(f"c{number}" for number in range(len(frame.columns))))
    schema = StructType([StructField(str(number), column, True) for number, column in enumerate(columns)])
    return source.mapInArrow(_Within(before, chain, after), schema)


# the model's way to the executors


class _Shipment:
    """Hands models to whatever runs the tasks of a session."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def of(self, model: _albertine.Classifier | None) -> Optional[_Model]:
        """A model as tasks will find it."""
        if model is None:
            return None
        if model.path is None:
            return _Model(model.precision, model.name)
        if self._by_path() and os.path.exists(model.name):
            return _Model(model.precision, os.path.abspath(model.name))
        archive = _archive(model)
        digest = hashlib.sha256(archive).hexdigest()
        name = f"albertine-{digest[:16]}.zip"
        if not hasattr(self._session, "_jsc"):
            _add_artifact(self._session, name, archive)
            return _Model(model.precision, name, file=True)
        key = (self._session.sparkContext.applicationId, digest)
        if key not in _broadcasts:
            _broadcasts[key] = self._session.sparkContext.broadcast(archive)
        return _Model(model.precision, name, broadcast=_broadcasts[key])

    def _by_path(self) -> bool:
        said = self._session.conf.get(SHIP, None)
        if said not in (None, "path", "broadcast"):
            raise AlbertineError(f"{SHIP} is {said!r}, expected 'path' or 'broadcast'")
        if said is not None:
            return bool(said == "path")
        if not hasattr(self._session, "_jsc"):
            return False
        master = self._session.sparkContext.master
        return bool(master == "local" or master.startswith("local["))


#: Models that were broadcast, by application and content.
_broadcasts: dict[tuple[str, str], Any] = {}
_archives: weakref.WeakKeyDictionary[_albertine.Classifier, bytes] = weakref.WeakKeyDictionary()
_artifacts: set[tuple[str, str]] = set()


def _archive(model: _albertine.Classifier) -> bytes:
    """A model directory as one archive, whose bytes depend on the model alone."""
    found = _archives.get(model)
    if found is not None:
        return found
    with tempfile.TemporaryDirectory(prefix="albertine-") as folder:
        target = os.path.join(folder, "model")
        model.save(target)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(os.listdir(target)):
                with open(os.path.join(target, name), "rb") as file:
                    archive.writestr(zipfile.ZipInfo(name), file.read())
    _archives[model] = buffer.getvalue()
    return _archives[model]


def _add_artifact(session: Any, name: str, archive: bytes) -> None:
    """Sends a model over Spark Connect, once a session."""
    key = (session.session_id if hasattr(session, "session_id") else str(id(session)), name)
    if key in _artifacts:
        return
    with tempfile.TemporaryDirectory(prefix="albertine-") as folder:
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(archive)
        session.addArtifacts(path, file=True)
    _artifacts.add(key)


class _Model:
    """A model on its way to a task."""

    def __init__(self, precision: str, name: str, broadcast: Any = None, file: bool = False) -> None:
        self.precision = precision
        self.name = name
        self._broadcast = broadcast
        self._file = file

    def load(self) -> _albertine.Classifier:
        """The model, on the machine of the task."""
        return _albertine.Classifier.load(self._found(), precision=self.precision)

    def _found(self) -> str:
        if not self._file and self._broadcast is None:
            return self.name
        from pyspark import SparkFiles

        # a folder that goes with the application
        root = SparkFiles.getRootDirectory()
        path = os.path.join(root, self.name)
        if self._broadcast is not None and not os.path.exists(path):
            # whole before it has its name: the workers of a machine share it
            handle, partial = tempfile.mkstemp(prefix=".albertine-", dir=root)
            with os.fdopen(handle, "wb") as file:
                file.write(self._broadcast.value)
            os.replace(partial, path)
        return path


# in a Python worker


class Chain:
    """What each task does with the batches of its partition."""

    def __init__(self, stages: list[tuple[str, str, Optional[_Model]]], kinds: dict[str, str]) -> None:
        self._stages = stages
        self._kinds = kinds

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches of a partition, with what the stages add."""
        first = next(batches, None)
        if first is None:
            return
        stream = pa.RecordBatchReader.from_batches(first.schema, itertools.chain([first], batches))
        try:
            for batch in self._pipeline().transform(stream, self._kinds):
                yield pa.record_batch(batch)
        except AlbertineError as error:
            partition = _partition()
            raise type(error)(f"partition {partition}, {error}" if partition is not None else str(error)) from None

    def _pipeline(self) -> _albertine.Pipeline:
        """The pipeline, which the tasks of this process share."""
        threads = _task_cpus()
        key = json.dumps([threads, [(name, params, model and (model.name, model.precision)) for name, params, model in self._stages]])
        if key not in _pipelines:
            stages = [(name, params, _model(model) if model else None) for name, params, model in self._stages]
            _pipelines[key] = _albertine.Pipeline(stages, threads=threads)
        return _pipelines[key]


class _Within:
    """A chain with what is done to batches before it and after."""

    def __init__(self, before: Callable[[pa.RecordBatch], Any], chain: Chain, after: Callable[[pa.RecordBatch], Any]) -> None:
        self._before = before
        self._chain = chain
        self._after = after

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches of a partition."""
        for batch in self._chain(map(self._before, batches)):
            made = self._after(batch)
            yield made.rename_columns([str(number) for number in range(made.num_columns)])


#: Of this process: pipelines by what they are made of, and their models by name and precision.
_pipelines: dict[str, _albertine.Pipeline] = {}
_models: dict[tuple[str, str], _albertine.Classifier] = {}


def _model(model: _Model) -> _albertine.Classifier:
    key = (model.name, model.precision)
    if key not in _models:
        _models[key] = model.load()
    return _models[key]


def _task_cpus() -> int:
    """The threads of a task: those that Spark has set apart for it."""
    from pyspark import TaskContext

    task = TaskContext.get()
    return max(1, task.cpus()) if task is not None else 1


def _partition() -> int | None:
    from pyspark import TaskContext

    task = TaskContext.get()
    return task.partitionId() if task is not None else None
