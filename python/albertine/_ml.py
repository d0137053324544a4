"""The interface of stages: that of ``pyspark.ml`` where it is installed, else the part of it that our stages use.

With PySpark a stage of ours *is* a ``pyspark.ml`` stage, so that Spark's own pipelines, parameter grids and files work
with it. Without PySpark the same code works on the classes below, which do what those of the same name do.
"""

from __future__ import annotations

import copy
import math
import uuid
from numbers import Integral
from typing import TYPE_CHECKING, Any, Callable, Generic, Sequence, TypeVar

__all__ = [
    "HAS_SPARK",
    "Estimator",
    "MLReadable",
    "MLWritable",
    "Model",
    "Param",
    "Params",
    "Pipeline",
    "PipelineModel",
    "Transformer",
    "TypeConverters",
    "flat",
    "stages_of",
]

T = TypeVar("T")


class TypeConverters:
    """What values a parameter takes: those of its type, and what can be one without a loss.

    PySpark has a class of this name, whose refusals end in errors of another kind where NumPy is newer than it.
    """

    @staticmethod
    def identity(value: Any) -> Any:
        """Any value, as it is."""
        return value

    @staticmethod
    def _refused(value: Any, kind: str) -> TypeError:
        return TypeError(f"{value!r} is not {kind}")

    @staticmethod
    def toString(value: Any) -> str:
        """A text."""
        if isinstance(value, str):
            return str(value)
        if isinstance(value, Integral) and not isinstance(value, bool):
            # as pandas may call a column
            raise TypeConverters._refused(value, f"a text: write {str(value)!r}")
        raise TypeConverters._refused(value, "a text")

    @staticmethod
    def toBoolean(value: Any) -> bool:
        """True or False."""
        if isinstance(value, bool):
            return value
        raise TypeConverters._refused(value, "True or False")

    @staticmethod
    def toInt(value: Any) -> int:
        """A whole number."""
        if not isinstance(value, bool) and hasattr(value, "__int__") and math.isfinite(value) and int(value) == value:
            return int(value)
        raise TypeConverters._refused(value, "a whole number")

    @staticmethod
    def toFloat(value: Any) -> float:
        """A number."""
        if not isinstance(value, bool) and hasattr(value, "__float__") and math.isfinite(value):
            return float(value)
        raise TypeConverters._refused(value, "a number")

    @staticmethod
    def toListInt(value: Any) -> list[int]:
        """A list of whole numbers."""
        if isinstance(value, (list, tuple, bytes, bytearray)):
            return [TypeConverters.toInt(item) for item in value]
        raise TypeConverters._refused(value, "a list of whole numbers")

    @staticmethod
    def toListString(value: Any) -> list[str]:
        """A list of texts."""
        if isinstance(value, (list, tuple)) and all(isinstance(item, (str, Integral)) for item in value):
            return [TypeConverters.toString(item) for item in value]
        raise TypeConverters._refused(value, "a list of texts")


try:
    from pyspark.ml.base import Estimator, Model, Transformer
    from pyspark.ml.param import Param, Params
    from pyspark.ml.pipeline import Pipeline, PipelineModel
    from pyspark.ml.util import MLReadable, MLWritable

    HAS_SPARK = True
except ImportError:
    HAS_SPARK = False

    if not TYPE_CHECKING:

        class Param(Generic[T]):
            """A named parameter of a stage."""

            def __init__(self, parent: Any, name: str, doc: str, typeConverter: Callable[[Any], T] | None = None):
                self.parent = getattr(parent, "uid", parent)
                self.name = name
                self.doc = doc
                self.typeConverter = typeConverter or TypeConverters.identity

            def __repr__(self) -> str:
                return f"Param(parent={self.parent!r}, name={self.name!r}, doc={self.doc!r})"

            def __hash__(self) -> int:
                return hash((self.parent, self.name))

            def __eq__(self, other: object) -> bool:
                return isinstance(other, Param) and (self.parent, self.name) == (other.parent, other.name)

        class Params:
            """Something with parameters: those that were set, and the values of those that were not."""

            def __init__(self) -> None:
                self.uid = f"{type(self).__name__}_{uuid.uuid4().hex[-12:]}"
                self._paramMap: dict[Param[Any], Any] = {}
                self._defaultParamMap: dict[Param[Any], Any] = {}
                for name in dir(type(self)):
                    param = getattr(type(self), name)
                    if isinstance(param, Param):
                        setattr(self, name, Param(self, param.name, param.doc, param.typeConverter))

            @staticmethod
            def _dummy() -> Any:
                return "undefined"

            def __repr__(self) -> str:
                return self.uid

            @property
            def params(self) -> list[Param[Any]]:
                """The parameters, sorted by name."""
                own = (value for value in vars(self).values() if isinstance(value, Param))
                return sorted(own, key=lambda param: param.name)

            def hasParam(self, paramName: str) -> bool:
                """Whether there is a parameter of that name."""
                return isinstance(getattr(self, paramName, None), Param)

            def getParam(self, paramName: str) -> Param[Any]:
                """The parameter of a name."""
                if not self.hasParam(paramName):
                    raise ValueError(f"Cannot find param with name {paramName}.")
                param: Param[Any] = getattr(self, paramName)
                return param

            def _resolveParam(self, param: Any) -> Param[Any]:
                return self.getParam(param if isinstance(param, str) else param.name)

            def isSet(self, param: Any) -> bool:
                """Whether a parameter was set."""
                return self._resolveParam(param) in self._paramMap

            def hasDefault(self, param: Any) -> bool:
                """Whether a parameter has a value without being set."""
                return self._resolveParam(param) in self._defaultParamMap

            def isDefined(self, param: Any) -> bool:
                """Whether a parameter has a value."""
                return self.isSet(param) or self.hasDefault(param)

            def getOrDefault(self, param: Any) -> Any:
                """The value of a parameter."""
                param = self._resolveParam(param)
                return self._paramMap[param] if param in self._paramMap else self._defaultParamMap[param]

            def extractParamMap(self, extra: dict[Param[Any], Any] | None = None) -> dict[Param[Any], Any]:
                """All values by parameter."""
                return {**self._defaultParamMap, **self._paramMap, **(extra or {})}

            def explainParam(self, param: Any) -> str:
                """A line on a parameter: its name, what it does, its values."""
                param = self._resolveParam(param)
                values = []
                if self.isDefined(param):
                    if param in self._defaultParamMap:
                        values.append(f"default: {self._defaultParamMap[param]}")
                    if param in self._paramMap:
                        values.append(f"current: {self._paramMap[param]}")
                else:
                    values.append("undefined")
                return f"{param.name}: {param.doc} ({', '.join(values)})"

            def explainParams(self) -> str:
                """A line on each parameter."""
                return "\n".join(self.explainParam(param) for param in self.params)

            def set(self, param: Param[Any], value: Any) -> None:
                """Sets a parameter."""
                self._set(**{self._resolveParam(param).name: value})

            def clear(self, param: Param[Any]) -> None:
                """Takes back what was set."""
                self._paramMap.pop(self._resolveParam(param), None)

            def _set(self, **values: Any) -> Any:
                for name, value in values.items():
                    param = getattr(self, name)
                    if value is not None:
                        try:
                            value = param.typeConverter(value)
                        except TypeError as error:
                            raise TypeError(f'Invalid param value given for param "{name}". {error}') from None
                        self._paramMap[param] = value
                return self

            def _setDefault(self, **values: Any) -> Any:
                for name, value in values.items():
                    param = self.getParam(name)
                    self._defaultParamMap[param] = None if value is None else param.typeConverter(value)
                return self

            def _resetUid(self, newUid: Any) -> Any:
                self.uid = str(newUid)
                for param in self.params:
                    setattr(self, param.name, Param(self, param.name, param.doc, param.typeConverter))
                for values in (self._paramMap, self._defaultParamMap):
                    renewed = {self.getParam(param.name): value for param, value in values.items()}
                    values.clear()
                    values.update(renewed)
                return self

            def copy(self, extra: dict[Param[Any], Any] | None = None) -> Any:
                """The same stage, with further values set."""
                that = copy.copy(self)
                that._paramMap = dict(self._paramMap)
                that._defaultParamMap = dict(self._defaultParamMap)
                for param, value in (extra or {}).items():
                    if param.parent == self.uid:
                        that._set(**{param.name: value})
                return that

        class Transformer(Params):
            """A stage that adds columns."""

            def transform(self, dataset: Any, params: Any = None) -> Any:
                return (self.copy(params) if params else self)._transform(dataset)

        class Model(Transformer):
            """A stage that another one was fitted to."""

        class Estimator(Params, Generic[T]):
            """A stage that a table makes a :class:`Transformer` of."""

            def fit(self, dataset: Any, params: Any = None) -> Any:
                if isinstance(params, (list, tuple)):
                    return [self.fit(dataset, each) for each in params]
                return (self.copy(params) if params else self)._fit(dataset)

        class MLWritable:
            """A stage that can be saved."""

            def save(self, path: str) -> None:
                """Saves the stage where nothing is yet; ``write().overwrite().save(path)`` replaces."""
                self.write().save(path)  # type: ignore[attr-defined]

        class MLReadable(Generic[T]):
            """A stage that can be loaded."""

            @classmethod
            def load(cls, path: str) -> Any:
                """Loads what was saved."""
                return cls.read().load(path)  # type: ignore[attr-defined]

        class Pipeline(Estimator[Any], MLReadable[Any], MLWritable):
            """Stages that are to be fitted; what they do is told by the class of this name that users know."""

            stages = Param(Params._dummy(), "stages", "a list of pipeline stages")

        class PipelineModel(Model, MLReadable[Any], MLWritable):
            """Stages that are fitted; as above."""

            def __init__(self, stages: list[Any]) -> None:
                super().__init__()
                self.stages = stages


def stages_of(stage: Any) -> list[Any] | None:
    """The stages of a pipeline, fitted or not, ours or Spark's; ``None`` for any other stage."""
    if isinstance(stage, Pipeline):
        return list(stage.getStages())
    return list(stage.stages) if isinstance(stage, PipelineModel) else None


def flat(stages: Sequence[Any]) -> list[Any]:
    """Stages, with those of a pipeline in its place."""
    found = []
    for stage in stages:
        inside = stages_of(stage)
        found.extend([stage] if inside is None else flat(inside))
    return found
