"""Stages on disk, as Spark ML lays them out.

A saved stage is a folder with ``metadata/part-00000`` (one line of JSON) and, for a stage with a model, ``model/`` with a model
directory. Spark's pipelines save and load it as one of theirs, and ``albertine`` reads it without Spark.

A pickled stage names its model, by name or path.

Paths without a file system in front of them are on this machine while no Spark session is active, else on Spark's default one.
"""

from __future__ import annotations

import copyreg
import json
import os
import shutil
import sys
import tempfile
import time
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from albertine import _albertine
from albertine.errors import AlbertineError, PipelineError

__all__ = ["StageReader", "StageWriter", "fetched", "load_stage", "stored"]


def _spark() -> Any:
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
    return path if _spark() is None or os.path.exists(path) else None


def _hadoop(path: str) -> tuple[Any, Any, Any]:
    """The file system of a path, the path in it, and the JVM."""
    spark = _spark()
    jvm = getattr(spark, "_jvm", None)
    if jvm is None:
        advice = "save to a local path without Spark instead" if spark is not None else "start a Spark session first"
        raise AlbertineError(f"{path} is on a file system that only Spark's JVM reaches, and there is none here: {advice}")
    where = jvm.org.apache.hadoop.fs.Path(path)
    return where.getFileSystem(spark._jsc.hadoopConfiguration()), where, jvm


class fetched:
    """What is at a path, as a path on this machine: itself, or a copy for as long as it is looked at."""

    def __init__(self, path: str) -> None:
        self._path = os.fspath(path)
        self._copy: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> str:
        local = _local(self._path)
        if local is not None:
            return local
        system, where, jvm = _hadoop(self._path)
        self._copy = tempfile.TemporaryDirectory(prefix="albertine-")
        target = os.path.join(self._copy.name, where.getName())
        if not system.exists(where):
            raise PipelineError(f"there is nothing at {self._path}")
        system.copyToLocalFile(False, where, jvm.org.apache.hadoop.fs.Path(target), True)
        return target

    def __exit__(self, *_: object) -> None:
        if self._copy is not None:
            self._copy.cleanup()


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
                raise AlbertineError(f"{self._target} is there already; write().overwrite().save(path) replaces it")
            parent = os.path.dirname(self._target)
            os.makedirs(parent, exist_ok=True)
            self._folder = tempfile.mkdtemp(prefix=f".{os.path.basename(self._target)}-", dir=parent)
        else:
            self._system, self._where, self._jvm = _hadoop(self._path)
            if self._system.exists(self._where) and not self._overwrite:
                raise AlbertineError(f"{self._path} is there already; write().overwrite().save(path) replaces it")
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
            elif os.path.exists(self._target):
                old = tempfile.mkdtemp(prefix=".old-", dir=os.path.dirname(self._target))
                os.rename(self._target, os.path.join(old, "saved"))
                os.rename(self._folder, self._target)
                shutil.rmtree(old, ignore_errors=True)
            else:
                os.rename(self._folder, self._target)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


def _write_metadata(stage: Any, folder: str) -> None:
    spark = sys.modules.get("pyspark")
    values = {param.name: value for param, value in stage._paramMap.items() if _is_plain(value)}
    defaults = {param.name: value for param, value in stage._defaultParamMap.items() if _is_plain(value)}
    metadata = {
        "class": f"{type(stage).__module__}.{type(stage).__name__}",
        "timestamp": round(time.time() * 1000),
        "sparkVersion": getattr(spark, "__version__", "3.5.0"),
        "uid": stage.uid,
        "paramMap": values,
        "defaultParamMap": defaults,
    }
    os.makedirs(os.path.join(folder, "metadata"))
    with open(os.path.join(folder, "metadata", "part-00000"), "w", encoding="utf-8") as file:
        file.write(json.dumps(metadata, separators=(",", ":")) + "\n")
    with open(os.path.join(folder, "metadata", "_SUCCESS"), "w", encoding="utf-8"):
        pass


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, bool, int, float, list))


def _metadata(folder: str) -> dict[str, Any] | None:
    """What a saved stage says of itself; none where no stage was saved."""
    parts = os.path.join(folder, "metadata")
    names = sorted(os.listdir(parts)) if os.path.isdir(parts) else []
    for name in names:
        if name.startswith("part-"):
            with open(os.path.join(parts, name), encoding="utf-8") as file:
                line = file.readline()
            if line:
                found = json.loads(line)
                return found if isinstance(found, dict) else None
    return None


def load_stage(path: str, cls: type[Any]) -> Any:
    """The stage at a path, if one of ours was saved there as ``cls``; ``None`` for anything else.

    Raises:
        albertine.PipelineError: a stage of another class is there.
    """
    if not os.path.isdir(path):
        return None
    metadata = _metadata(path)
    name = metadata.get("class", "") if metadata else ""
    if metadata is None or not name.startswith("albertine."):
        return None
    module, _, class_name = name.rpartition(".")
    found = getattr(import_module(module), class_name) if module in ("albertine.base", "albertine.annotator") else None
    if found is None or not issubclass(found, cls):
        raise PipelineError(f"{path} holds a {name}, not a {cls.__name__}")
    stage = found()
    stage._resetUid(metadata["uid"])
    stage._read_tree(path)
    stage._set(**{name: value for name, value in metadata["paramMap"].items() if value is not None})
    return stage


@lru_cache(maxsize=1)
def _loaded_again(name: str, precision: str) -> _albertine.Classifier:
    """A model that a pickle names; the last one is kept, since a worker process gets it with each of its tasks."""
    archive = next((str(parent) for parent in Path(name).parents if parent.is_file()), None)
    if archive is None:
        return _albertine.Classifier.load(name, precision=precision)
    try:
        models = [model for _, _, model in _albertine.Pipeline.load(archive).stages() if model is not None and model.name == name]
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
            self.instance._write_tree(folder)
            _write_metadata(self.instance, folder)


class StageReader(MLReader):  # type: ignore[type-arg]
    """Reads what :class:`StageWriter` wrote."""

    def __init__(self, cls: type[Any]) -> None:
        super().__init__()
        self.cls = cls

    def load(self, path: str) -> Any:
        """The stage that was saved at a path.

        Raises:
            albertine.PipelineError: none of this class was.
        """
        with fetched(path) as folder:
            stage = self.cls._load_folder(folder) if hasattr(self.cls, "_load_folder") else load_stage(folder, self.cls)
        if stage is None:
            raise PipelineError(f"{path} holds no {self.cls.__name__}")
        return stage
