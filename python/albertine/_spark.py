"""Stages on Spark: a chain of them is one ``mapInArrow``.

The driver knows the columns and hands out the model; each Python worker process keeps one model for all its tasks; rows
go through in windows of their own size, whatever batches Spark makes, and come back in their order with every column.
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
from collections import Counter
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
from albertine._stamp import stamp
from albertine._workers import Shipped, python_of_tasks
from albertine.errors import AlbertineError, ColumnError, ModelNotFound

if TYPE_CHECKING:
    from albertine._stage import Spec

__all__ = ["SHIP", "Chain", "annotation_type", "output_schema", "transform", "transform_within"]

#: How models reach the executors: ``broadcast`` (by Spark, the default on a cluster) or ``path`` (they have them at the
#: same path, the default where the driver is the executor).
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
    return _output_schema(_as_spelled(stages, frame), frame)


def _output_schema(stages: Sequence[Spec], frame: Any) -> StructType:
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
    names = [field.name for field in fields]
    for name in names:
        same = [other for other in names if other != name and other.lower() == name.lower()]
        if same and name not in before and not _case_matters(frame):
            raise ColumnError(
                f"column `{name}` would differ from `{same[0]}` in case alone, which Spark takes for the same name"
            )
    return StructType(fields)


def _arrow_field(field: StructField) -> pa.Field:
    try:
        (found,) = to_arrow_schema(StructType([field]))
    except Exception:
        kind = field.dataType.simpleString()
        raise ColumnError(
            f"column `{field.name}` of type {kind} cannot go to Python: drop it, or cast it before"
        ) from None
    return found


def transform(stages: Sequence[Spec], frame: Any) -> Any:
    """A table with the columns that stages add: nothing is done before an action."""
    twice = [name for name, count in Counter(frame.columns).items() if count > 1]
    if twice:
        raise ColumnError(f"the table has several columns `{twice[0]}`: rename them, or drop all but one")
    began, before = frame.__dict__.get(_BEGAN, (frame, []))
    if getattr(frame, "is_cached", False):
        began, before = frame, []
    chain = [*before, *_as_spelled(stages, frame)]
    schema = _output_schema(chain, began)
    ship = _Shipment(began.sparkSession)
    odd = _has_odd_names(began.columns)
    worker = Chain(
        [(name, params, ship.of(model)) for name, params, model in chain],
        _kinds(began.schema),
        began.columns if odd else None,
    )
    # Spark hands columns over by name, and understands dots and the like as more than a name
    source = began.toDF(*(f"c{index}" for index in range(len(began.columns)))) if odd else began
    result = _mapped(source, worker, schema)
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
        columns: the types of what ``after`` gives, in that order. The columns of the result are called by their
            numbers.
    """
    ship = _Shipment(frame.sparkSession)
    chain = Chain([(name, params, ship.of(model)) for name, params, model in stages], {}, None)
    # Spark hands columns over by name, and understands dots and the like as more than a name
    source = frame.toDF(*(f"c{number}" for number in range(len(frame.columns))))
    schema = StructType([StructField(str(number), column, True) for number, column in enumerate(columns)])
    return _mapped(source, _Within(before, chain, after), schema)


def _mapped(source: Any, worker: Callable[[Any], Any], schema: StructType) -> Any:
    with python_of_tasks(source.sparkSession):
        return source.mapInArrow(Shipped(worker), schema)


def _has_odd_names(names: Sequence[str]) -> bool:
    return len({name.lower() for name in names}) < len(names) or any(
        not name or "." in name or "`" in name for name in names
    )


#: The parameters that name columns to read.
_READS = ("inputCol", "inputCols", "idCol", "metadataCol")


def _as_spelled(stages: Sequence[Spec], frame: Any) -> list[Spec]:
    """Stages that read columns under the names that these have, where Spark takes upper and lower case for the same."""
    values = [json.loads(params) for _, params, _ in stages]
    names = [*frame.columns, *(params["outputCol"] for params in values if "outputCol" in params)]
    read = {name for params in values for key in _READS if key in params for name in _list(params[key])}
    if read <= set(names) or _case_matters(frame):
        return list(stages)
    known = {name.lower(): name for name in reversed(names)}

    def spelled(name: str) -> str:
        return name if name in names else known.get(name.lower(), name)

    for params in values:
        for key in _READS:
            if key in params:
                params[key] = [spelled(name) for name in params[key]] if key == "inputCols" else spelled(params[key])
    return [(kind, json.dumps(params), model) for (kind, _, model), params in zip(stages, values)]


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _case_matters(frame: Any) -> bool:
    return bool(frame.sparkSession.conf.get("spark.sql.caseSensitive", "false") == "true")


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
        from albertine import _saving  # which needs more of PySpark than workers do

        if self._by_path() and os.path.exists(model.name) and not _saving.is_copy(model.name):
            return _Model(model.precision, os.path.abspath(model.name), stamp(model.name))
        if not hasattr(self._session, "_jsc"):
            return _Model(model.precision, self._artifact(model), file=True)
        context = self._session.sparkContext
        application, sent = _sent.get(model, (None, None))
        if sent is None or application != context.applicationId:
            name, archive = _archive(model)
            sent = _Model(model.precision, name, broadcast=context.broadcast(archive))
            _sent[model] = (context.applicationId, sent)
        return sent

    def _artifact(self, model: _albertine.Classifier) -> str:
        """A model sent over Spark Connect, once a session: Spark 3.5 takes no file twice, not even the same."""
        session = self._session.session_id
        known, name = _sent.get(model, (None, ""))
        if known == session:
            return str(name)
        name, archive = _archive(model)
        if (session, name) not in _artifacts:
            with tempfile.TemporaryDirectory(prefix="albertine-") as folder:
                path = os.path.join(folder, name)
                with open(path, "wb") as file:
                    file.write(archive)
                self._session.addArtifacts(path, file=True)
            _artifacts.add((session, name))
        _sent[model] = (session, name)
        return name

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


#: What was sent of a model, and to which application or session of Spark Connect: it goes with the model.
_sent: weakref.WeakKeyDictionary[_albertine.Classifier, tuple[str, Any]] = weakref.WeakKeyDictionary()


#: Sessions of Spark Connect and the names of the files that they have.
_artifacts: set[tuple[str, str]] = set()


def _archive(model: _albertine.Classifier) -> tuple[str, bytes]:
    """A model directory as one archive, whose name and bytes depend on the model alone."""
    with tempfile.TemporaryDirectory(prefix="albertine-") as folder:
        target = os.path.join(folder, "model")
        model.save(target)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(os.listdir(target)):
                with open(os.path.join(target, name), "rb") as file:
                    archive.writestr(zipfile.ZipInfo(name), file.read())
    content = buffer.getvalue()
    return f"albertine-{hashlib.sha256(content).hexdigest()[:16]}.zip", content


class _Model:
    """A model on its way to a task."""

    def __init__(self, precision: str, name: str, stamp: str = "", broadcast: Any = None, file: bool = False) -> None:
        self.precision = precision
        self.name = name
        self._stamp = stamp
        self._broadcast = broadcast
        self._file = file

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from other models."""
        return self.name, self.precision, self._stamp

    def load(self) -> _albertine.Classifier:
        """The model, on the machine of the task."""
        try:
            return _albertine.Classifier.load(self._found(), precision=self.precision)
        except ModelNotFound as error:
            if not self._stamp:
                raise
            raise ModelNotFound(f"{error}; with {SHIP} as 'path' every machine needs the model there") from None

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
            # the file is enough, and workers live long
            vars(self._broadcast).pop("_value", None)
        return path


# in a Python worker


class Chain:
    """What each task does with the batches of its partition."""

    def __init__(
        self, stages: list[tuple[str, str, Optional[_Model]]], kinds: dict[str, str], names: Optional[list[str]]
    ) -> None:
        self._stages = stages
        self._kinds = kinds
        self._names = names
        self._version = _albertine.VERSION

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches of a partition, with what the stages add."""
        first = next(batches, None)
        if first is None:
            return
        rest: Iterator[pa.RecordBatch] = itertools.chain([first], batches)
        schema = first.schema
        if self._names is not None:
            schema = pa.schema([field.with_name(name) for field, name in zip(schema, self._names)])
            rest = (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in rest)
        try:
            for batch in self._pipeline().transform(pa.RecordBatchReader.from_batches(schema, rest), self._kinds):
                yield pa.record_batch(batch)
        except AlbertineError as error:
            raise _of_partition(error) from None

    def _pipeline(self) -> _albertine.Pipeline:
        """The pipeline, which the tasks of this process share."""
        if self._version != _albertine.VERSION:
            raise AlbertineError(f"albertine is {_albertine.VERSION} on an executor and {self._version} on the driver")
        threads = _task_cpus()
        key = json.dumps([threads, [(name, params, model and model.key) for name, params, model in self._stages]])
        found = _pipelines.pop(key, None)
        if found is None:
            models = [model for _, _, model in self._stages if model]
            _make_room(models)
            stages = [(name, params, _model(model) if model else None) for name, params, model in self._stages]
            found = (_albertine.Pipeline(stages, threads=threads), models)
        _pipelines[key] = found
        return found[0]


class _Within:
    """A chain with what is done to batches before it and after."""

    def __init__(
        self, before: Callable[[pa.RecordBatch], Any], chain: Chain, after: Callable[[pa.RecordBatch], Any]
    ) -> None:
        self._before = before
        self._chain = chain
        self._after = after

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches of a partition."""
        for batch in self._chain(map(self._before, batches)):
            made = self._after(batch)
            yield made.rename_columns([str(number) for number in range(made.num_columns)])


#: The most pipelines that a process keeps.
_KEPT = 4

#: Of this process: pipelines by what they are made of, each with its models, the last used at the end; and those
#: models.
_pipelines: dict[str, tuple[_albertine.Pipeline, list[_Model]]] = {}
_models: dict[tuple[str, str, str], _albertine.Classifier] = {}


def _make_room(models: list[_Model]) -> None:
    """Forgets pipelines that were not used for long, or whose model is another by now, and the models of no
    pipeline."""
    new = {model.key for model in models}
    paths = {key[:2] for key in new}
    replaced = [
        key
        for key, (_, old) in _pipelines.items()
        if any(model.key[:2] in paths and model.key not in new for model in old)
    ]
    for key in replaced:
        del _pipelines[key]
    for key in list(_pipelines)[: max(0, len(_pipelines) - _KEPT + 1)]:
        del _pipelines[key]
    kept = new.union(model.key for _, used in _pipelines.values() for model in used)
    for gone in [key for key in _models if key not in kept]:
        del _models[gone]


def _model(model: _Model) -> _albertine.Classifier:
    if model.key not in _models:
        _models[model.key] = model.load()
    return _models[model.key]


def _of_partition(error: AlbertineError) -> AlbertineError:
    """The same error with the number of the task's partition in front: rows are counted within it."""
    from pyspark import TaskContext

    task = TaskContext.get()
    return error if task is None else type(error)(f"partition {task.partitionId()}, {error}")


def _task_cpus() -> int:
    """The threads of a task: those that Spark has set apart for it."""
    from pyspark import TaskContext

    task = TaskContext.get()
    return max(1, task.cpus()) if task is not None else 1
