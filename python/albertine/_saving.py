"""Stages on disk, as Spark ML lays them out.

A saved stage is a folder with ``metadata/part-00000`` (one line of JSON) and, for a stage with a model, ``model/`` with
a model directory. Spark's pipelines save and load it as one of theirs, and ``albertine`` reads it without Spark.

A pickled stage names its model, by name or path.

Paths without a file system in front of them are on this machine while no Spark session is active, else on Spark's
default one.
"""

from __future__ import annotations

import copyreg
import json
import os
import shutil
import sys
import tempfile
import time
import weakref
from functools import lru_cache
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlparse
from urllib.request import url2pathname

from albertine import _albertine
from albertine._ml import Params, Pipeline, flat, stages_of
from albertine._stamp import stamp
from albertine.errors import AlbertineError, ModelNotFound, PipelineError

__all__ = [
    "Fetched",
    "OpenFiles",
    "StageReader",
    "StageWriter",
    "is_copy",
    "load_stage",
    "load_stages",
    "metadata",
    "session",
    "stored",
    "write_stage",
]


def session() -> Any:
    """The active Spark session, if there is one: nothing starts one here."""
    sql = sys.modules.get("pyspark.sql")
    return sql.SparkSession.getActiveSession() if sql is not None else None


def _local(path: str) -> str | None:
    """The path on this machine, if that is where it leads."""
    url = urlparse(path)
    if url.scheme == "file":
        return url2pathname(url.path)
    if len(url.scheme) > 1:
        return None
    spark = session()
    if spark is None or os.path.exists(path):
        return path
    # where Spark's own file system is this machine's, its paths are ours
    configuration = spark._jsc.hadoopConfiguration() if hasattr(spark, "_jsc") else None
    return path if configuration is not None and configuration.get("fs.defaultFS", "").startswith("file:") else None


def _hadoop(path: str) -> tuple[Any, Any, Any]:
    """The file system of a path, the path in it, and the JVM."""
    spark = session()
    if not hasattr(spark, "_jsc"):
        advice = (
            "put file:// in front of a path on this machine" if spark is not None else "start a Spark session first"
        )
        raise AlbertineError(
            f"{path} is on a file system that only Spark's JVM reaches, and there is none here: {advice}"
        )
    where = spark._jvm.org.apache.hadoop.fs.Path(path)
    return where.getFileSystem(spark._jsc.hadoopConfiguration()), where, spark._jvm


#: Folders on this machine that hold copies of what is elsewhere; each goes with the last thing that was read from it.
_copies: set[str] = set()


def is_copy(path: str) -> bool:
    """Whether a path leads into a copy, which no other machine has and which will go."""
    return any(path.startswith(copy) for copy in _copies)


class Fetched:
    """What is at a path, as a path on this machine: ``folder``, which is the path itself or a copy that goes with this
    object."""

    def __init__(self, path: Any) -> None:
        path = os.fspath(path)
        local = _local(path)
        if local is not None:
            if not os.path.exists(local):
                raise ModelNotFound(f"there is nothing at {path}")
            self.folder = local
            return
        system, where, jvm = _hadoop(path)
        if not system.exists(where):
            raise ModelNotFound(f"there is nothing at {path}")
        copy = tempfile.mkdtemp(prefix="albertine-")
        weakref.finalize(self, _remove_copy, copy)
        _copies.add(copy)
        self.folder = os.path.join(copy, where.getName())
        system.copyToLocalFile(False, where, jvm.org.apache.hadoop.fs.Path(self.folder), True)

    def __deepcopy__(self, _: Any) -> Fetched:
        return self

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return type(None), ()


def _remove_copy(copy: str) -> None:
    _copies.discard(copy)
    shutil.rmtree(copy, ignore_errors=True)


class OpenFiles:
    """The files of a folder, which can be read for as long as this object is there, even if the folder goes.

    Spark's ``overwrite`` empties the place before it asks the stages to write themselves, and they may have come from
    there.
    """

    def __init__(self, folder: str) -> None:
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
        with os.scandir(folder) as entries:
            self._files = {entry.name: os.open(entry.path, flags) for entry in entries if entry.is_file()}
        weakref.finalize(self, _close, list(self._files.values()))

    def __deepcopy__(self, _: Any) -> OpenFiles:
        return self

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        # open files are this process's alone: whoever reads the pickle reads the folder
        return type(None), ()

    def write(self, folder: str) -> None:
        """Writes the files into a new folder."""
        os.makedirs(folder)
        for name, handle in self._files.items():
            with open(handle, "rb", closefd=False) as source, open(os.path.join(folder, name), "wb") as target:
                source.seek(0)
                shutil.copyfileobj(source, target, 1 << 20)


def _close(handles: list[int]) -> None:
    for handle in handles:
        os.close(handle)


class stored:
    """A new folder on this machine whose content stands at a path once it is complete."""

    def __init__(self, path: str, overwrite: bool) -> None:
        self._path = os.fspath(path)
        self._overwrite = overwrite

    def __enter__(self) -> str:
        self._target = _local(self._path)
        if self._target is not None:
            self._target = os.path.abspath(self._target)
            if os.path.exists(self._target) and not self._overwrite:
                raise AlbertineError(f"{self._target} already exists; write().overwrite().save(path) replaces it")
            parent = os.path.dirname(self._target)
            os.makedirs(parent, exist_ok=True)
            self._folder = tempfile.mkdtemp(prefix=f".{os.path.basename(self._target)}-", dir=parent)
        else:
            self._system, self._where, self._jvm = _hadoop(self._path)
            if self._system.exists(self._where) and not self._overwrite:
                raise AlbertineError(f"{self._path} already exists; write().overwrite().save(path) replaces it")
            self._folder = tempfile.mkdtemp(prefix="albertine-")
        os.chmod(self._folder, 0o755)
        return self._folder

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is not None:
                return
            if self._target is None:
                self._system.delete(self._where, True)
                source = self._jvm.org.apache.hadoop.fs.Path(self._folder)
                self._system.copyFromLocalFile(False, True, source, self._where)
            else:
                _albertine.replace_folder(self._folder, self._target)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


def write_stage(stage: Any, folder: str) -> None:
    """Writes a stage, or a pipeline with its stages, into a folder as Spark ML lays it out."""
    os.makedirs(folder, exist_ok=True)
    stages = stages_of(stage)
    if stages is None:
        stage._write_tree(folder)
        name, params = f"{type(stage).__module__}.{type(stage).__name__}", _plain(stage._paramMap)
    else:
        digits = len(str(len(stages)))
        for index, each in enumerate(stages):
            write_stage(each, os.path.join(folder, "stages", f"{index:0{digits}}_{each.uid}"))
        # it is a pipeline of Spark's, with our stages: the JVM's reader takes its own class alone, and Python's takes
        # that class too where the language is its own
        name = f"org.apache.spark.ml.{'Pipeline' if isinstance(stage, Pipeline) else 'PipelineModel'}"
        params = {"stageUids": [each.uid for each in stages], "language": "Python"}
    said = {
        "class": name,
        "timestamp": round(time.time() * 1000),
        "sparkVersion": getattr(sys.modules.get("pyspark"), "__version__", "3.5.0"),
        "uid": stage.uid,
        "paramMap": params,
        "defaultParamMap": _plain(stage._defaultParamMap),
    }
    os.makedirs(os.path.join(folder, "metadata"))
    with open(os.path.join(folder, "metadata", "part-00000"), "w", encoding="utf-8") as file:
        file.write(json.dumps(said, separators=(",", ":")) + "\n")
    with open(os.path.join(folder, "metadata", "_SUCCESS"), "w", encoding="utf-8"):
        pass


def _plain(values: dict[Any, Any]) -> dict[str, Any]:
    """Values by the names of their parameters, but for those that JSON does not know."""
    return {param.name: value for param, value in values.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, bool, int, float, list))


def metadata(folder: str) -> dict[str, Any] | None:
    """What a saved stage says of itself; none where no stage was saved."""
    parts = os.path.join(folder, "metadata")
    names = sorted(os.listdir(parts)) if os.path.isdir(parts) else []
    for name in names:
        if name.startswith("part-"):
            with open(os.path.join(parts, name), encoding="utf-8") as file:
                line = file.readline()
            if line:
                try:
                    found = json.loads(line)
                except ValueError as error:
                    raise PipelineError(
                        f"{os.path.join(parts, name)} is not the JSON of a saved stage: {error}"
                    ) from None
                return found if isinstance(found, dict) else None
    return None


def load_stage(path: str, cls: type[Any]) -> Any:
    """The stage at a path, if one of ours was saved there as ``cls``; ``None`` for anything else.

    Raises:
        albertine.PipelineError: a stage of another class is there.
    """
    if not os.path.isdir(path):
        return None
    saved = metadata(path)
    name = saved.get("class", "") if saved else ""
    if saved is None or not name.startswith("albertine."):
        return None
    from albertine._stage import annotator_class

    found: Any = annotator_class(name)
    if found is None or not issubclass(found, cls):
        raise PipelineError(f"{path} holds {name}, not a {cls.__name__}")
    stage = found()
    stage._resetUid(saved.get("uid", stage.uid))
    stage._read_tree(path)
    values = saved.get("paramMap") or {}
    strange = [name for name in values if not stage.hasParam(name)]
    if strange:
        raise PipelineError(f"{path} has the parameter {strange[0]!r}, which no {found.__name__} of this version has")
    stage._set(**{name: value for name, value in values.items() if value is not None})
    return stage


def _of_spark_nlp(path: str, cls: type[Any]) -> Any:
    """The stage at a path, if Spark NLP saved one there that is ``cls`` here; ``None`` for anything else."""
    try:
        native = _albertine.Pipeline.load(path)
    except PipelineError:
        return None
    from albertine._pipeline import PipelineModel

    stages = PipelineModel._of(native).stages
    return stages[0] if len(stages) == 1 and isinstance(stages[0], cls) else None


#: Pipelines as Spark names them, in Python and on the JVM.
_PIPELINES = ("pyspark.ml.pipeline.Pipeline", "org.apache.spark.ml.Pipeline")


def load_stages(path: str) -> list[Any] | None:
    """The stages of the pipeline at a path, if Spark ML laid it out and all of them are ours; ``None`` for anything
    else."""
    saved = metadata(path) if os.path.isdir(path) else None
    if saved is None or not saved.get("class", "").startswith(_PIPELINES):
        return None
    parts = os.path.join(path, "stages")
    names = [name for name in os.listdir(parts) if name[:1].isdigit()] if os.path.isdir(parts) else []
    stages = []
    for name in sorted(names, key=lambda name: (name.partition("_")[0].zfill(9), name)):
        folder = os.path.join(parts, name)
        found = load_stages(folder) or load_stage(folder, Params)
        if found is None:
            return None
        stages.extend(found if isinstance(found, list) else [found])
    return stages


def _loaded_again(name: str, precision: str) -> _albertine.Classifier:
    """A model that a pickle names."""
    archive = next((str(parent) for parent in Path(name).parents if parent.is_file()), None)
    return _kept(name, precision, archive, stamp(archive or name))


@lru_cache(maxsize=1)
def _kept(name: str, precision: str, archive: Optional[str], _stamp: str) -> _albertine.Classifier:
    """The last model of a pickle, since a worker process gets it with each of its tasks."""
    if archive is None:
        return _albertine.Classifier.load(name, precision=precision)
    try:
        models = [
            model
            for _, _, model in _albertine.Pipeline.load(archive).stages()
            if model is not None and model.name == name
        ]
    except PipelineError:
        models = [_albertine.Classifier.load(archive, precision=precision)]
    return models[0] if models[0].precision == precision else models[0].in_precision(precision)


def _pickled(model: _albertine.Classifier) -> tuple[Any, tuple[str, str]]:
    """A model in a pickle is where it is, and not its weights: whoever reads it needs the same files."""
    return _loaded_again, (model.name if model.path is None else os.path.abspath(model.path), model.precision)


copyreg.pickle(_albertine.Classifier, _pickled)


try:
    from pyspark.ml.util import MLReader, MLWriter
except ImportError:

    class MLWriter:  # type: ignore[no-redef]
        """A writer outside Spark."""

        def __init__(self) -> None:
            self.shouldOverwrite = False

        def overwrite(self) -> Any:
            """Replaces what is there."""
            self.shouldOverwrite = True
            return self

    class MLReader:  # type: ignore[no-redef]
        """A reader outside Spark."""


class StageWriter(MLWriter):
    """Writes a stage; ``overwrite()`` first replaces what is there."""

    def __init__(self, instance: Any) -> None:
        super().__init__()
        self.instance = instance

    def save(self, path: str) -> None:
        """Writes the stage into a new folder, which appears when it is complete."""
        with stored(path, self.shouldOverwrite) as folder:
            write_stage(self.instance, folder)


class StageReader(MLReader):  # type: ignore[type-arg]
    """Reads what :class:`StageWriter` wrote."""

    def __init__(self, cls: type[Any]) -> None:
        super().__init__()
        self.cls = cls

    def load(self, path: str) -> Any:
        """The stage that was saved at a path.

        Raises:
            albertine.ModelNotFound: nothing is there.
            albertine.PipelineError: none of this class was.
        """
        found = Fetched(path)
        if hasattr(self.cls, "_load_folder"):
            stage = self.cls._load_folder(found.folder)
        else:
            stage = load_stage(found.folder, self.cls) or _of_spark_nlp(found.folder, self.cls)
        if stage is None:
            raise PipelineError(f"{path} holds no {self.cls.__name__}")
        for each in flat([stage]):
            each._fetched = found
        return stage
