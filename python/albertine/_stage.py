"""What all annotators have in common."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable, ClassVar, Generic, Optional, TypeVar, Union, cast, overload

from albertine import _albertine, _frames, _saving
from albertine._ml import MLReadable, MLWritable, Param, Params, Transformer, TypeConverters

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "Annotator",
    "AnnotatorTransformer",
    "Frame",
    "HasInputCols",
    "HasOutputCol",
    "IsAnnotator",
    "Spec",
    "accessors",
    "annotator_class",
    "optional_accessors",
    "param",
    "registered",
]

#: A stage as the native half takes it: the name of its class, its parameters as JSON, its model.
Spec = tuple[str, str, Optional[_albertine.Classifier]]

Frame = TypeVar("Frame")


def param(name: str, doc: str, converter: Any = TypeConverters.toString) -> Param[Any]:
    """A parameter of an annotator, as a class attribute."""
    return Param(Params._dummy(), name, doc, typeConverter=converter)


# accessors: a parameter is said once, with its words and its type

Value = TypeVar("Value")
Stage = TypeVar("Stage", bound="Annotator")


class _Setter(Generic[Value]):
    """The method that sets a parameter and gives the stage, as a type checker sees it."""

    @overload
    def __get__(self, stage: None, owner: Any = None) -> Callable[[Any, Value], Any]: ...
    @overload
    def __get__(self, stage: Stage, owner: Any = None) -> _BoundSetter[Value, Stage]: ...
    def __get__(self, stage: Any, owner: Any = None) -> Any:
        raise NotImplementedError


class _BoundSetter(Generic[Value, Stage]):
    def __call__(self, value: Value) -> Stage:
        raise NotImplementedError


class _Getter(Generic[Value]):
    """The method that gives the value of a parameter, as a type checker sees it."""

    @overload
    def __get__(self, stage: None, owner: Any = None) -> Callable[[Any], Value]: ...
    @overload
    def __get__(self, stage: Annotator, owner: Any = None) -> Callable[[], Value]: ...
    def __get__(self, stage: Any, owner: Any = None) -> Any:
        raise NotImplementedError


_CONVERTERS: dict[Any, Any] = {
    str: TypeConverters.toString,
    bool: TypeConverters.toBoolean,
    int: TypeConverters.toInt,
    float: TypeConverters.toFloat,
    list[str]: TypeConverters.toListString,
    list[int]: TypeConverters.toListInt,
}


def accessors(name: str, doc: str, kind: type[Value]) -> tuple[Param[Any], _Setter[Value], _Getter[Value]]:
    """A parameter of a type with its setter and its getter, as class attributes; ``doc`` is what it is, in words that
    go on from "sets"."""

    def set_value(self: Any, value: Any) -> Any:
        return self._with(**{name: value})

    def get_value(self: Any) -> Any:
        return self._get(name)

    title = f"{name[:1].upper()}{name[1:]}"
    for function, verb, words in (
        (set_value, "set", f"Sets {doc}."),
        (get_value, "get", f"{doc[:1].upper()}{doc[1:]}."),
    ):
        function.__name__ = function.__qualname__ = f"{verb}{title}"
        function.__doc__ = words
    return param(name, doc, _CONVERTERS[kind]), cast("_Setter[Value]", set_value), cast("_Getter[Value]", get_value)


def optional_accessors(
    name: str, doc: str, kind: type[Value]
) -> tuple[Param[Any], _Setter[Value], _Getter[Optional[Value]]]:
    """As :func:`accessors`, for a parameter that may have no value."""
    return cast("tuple[Param[Any], _Setter[Value], _Getter[Optional[Value]]]", accessors(name, doc, kind))


# the registry of annotators

#: Annotators by the names of their classes, which are Spark NLP's.
_registry: dict[str, type[Annotator]] = {}

Class = TypeVar("Class", bound="type[Annotator]")


def registered(cls: Class) -> Class:
    """Registers an annotator: by its name it is found when it was saved, or when it comes out of the native half."""
    _registry[cls.__name__] = cls
    return cls


def annotator_class(name: str) -> type[Annotator] | None:
    """The annotator of a name, which may have its module in front; ``None`` where there is none."""
    from albertine import annotator, base  # noqa: F401  # they register theirs

    module, _, own = name.rpartition(".")
    found = _registry.get(own)
    return found if found is not None and module in ("", found.__module__) else None


class Annotator(Params, MLWritable, MLReadable[Any]):
    """A stage with Spark NLP's parameters; what it does is done natively."""

    #: The name of the class in the native half, which is Spark NLP's.
    _native: ClassVar[str]

    def __init__(self, **params: Any) -> None:
        super().__init__()
        self._set_defaults()
        for name in params:
            if not self.hasParam(name):
                raise TypeError(f"{type(self).__name__} has no parameter {name!r}{self._near(name)}")
        for name, value in params.items():
            self.setParamValue(name, value)

    def _set_defaults(self) -> None:
        self._setDefault(**json.loads(_albertine.default_params(self._native)))

    def _values(self) -> dict[str, Any]:
        """What was set, by name."""
        return {param.name: value for param, value in self._paramMap.items()}

    def _with(self, **values: Any) -> Self:
        """The stage, with values set."""
        self._set(**values)
        return self

    def _spec(self) -> Spec:
        return self._native, json.dumps(self._values()), None

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}{self._near(name)}")

    def _near(self, name: str) -> str:
        """What else may have been meant."""
        if name.startswith("_"):
            return ""
        import difflib

        near = difflib.get_close_matches(name, dir(type(self)), n=1, cutoff=0.7)
        return f"; did you mean {near[0]!r}?" if near else ""

    def _get(self, name: str) -> Any:
        return self.getOrDefault(self.getParam(name)) if self.isDefined(self.getParam(name)) else None

    def setParamValue(self, paramName: str, value: Any) -> Self:
        """Sets a parameter by its name, as its setter does."""
        setter = getattr(type(self), f"set{paramName[:1].upper()}{paramName[1:]}", None)
        if setter is None:
            return self._set(**{paramName: value})  # type: ignore[no-any-return]
        return setter(self, value)  # type: ignore[no-any-return]

    def getParamValue(self, paramName: str) -> Any:
        """The value of a parameter by its name; ``None`` for one that has none."""
        return self._get(paramName)

    # saving

    def _write_tree(self, folder: str) -> None:
        """Writes what is kept beside the parameters into a folder."""

    def _read_tree(self, folder: str) -> None:
        """Reads it again."""

    def write(self) -> Any:
        """A writer: ``.write().overwrite().save(path)``, as Spark's stages have it."""
        return _saving.StageWriter(self)

    @classmethod
    def read(cls) -> Any:
        """A reader: ``.read().load(path)``."""
        return _saving.StageReader(cls)


class AnnotatorTransformer(Annotator, Transformer):
    """An annotator that adds its column without being fitted."""

    def transform(self, dataset: Frame, params: Any = None) -> Frame:
        """Adds the column to a table.

        Args:
            dataset: a Spark DataFrame, a pandas or polars DataFrame, a pyarrow Table, RecordBatch or RecordBatchReader,
                or anything else with the Arrow PyCapsule interface.
            params: values that count for this call alone, by parameter.

        Returns:
            A table of the same kind with every row, in order, and every column. A reader is read as its result is; on
            Spark nothing happens before an action.

        Raises:
            albertine.ColumnError: a column that is needed is missing or of another kind.
            albertine.ParamError: a parameter has a value that it cannot have.
        """
        frame: Any = dataset
        result: Any = super().transform(frame, params)
        return result  # type: ignore[no-any-return]

    def _transform(self, dataset: Any) -> Any:
        return _frames.transform([self._spec()], dataset)


class HasOutputCol(Annotator):
    """An annotator that writes an annotation column."""

    outputCol, setOutputCol, getOutputCol = accessors("outputCol", "the annotation column to write", str)


class HasInputCols(Annotator):
    """An annotator that reads annotation columns."""

    inputCols = param("inputCols", "the annotation columns to read", TypeConverters.toListString)

    def setInputCols(self, *value: Union[str, list[str]]) -> Self:
        """Sets the annotation columns to read: a list, or one by one."""
        columns = value[0] if len(value) == 1 and not isinstance(value[0], str) else list(value)
        return self._with(inputCols=columns)

    def getInputCols(self) -> list[str]:
        """The annotation columns to read."""
        return self._get("inputCols")  # type: ignore[no-any-return]


class IsAnnotator(HasInputCols, HasOutputCol):
    """An annotator from annotation columns to one."""

    lazyAnnotator = param(
        "lazyAnnotator",
        "whether pipelines were to leave the stage to others, which none here does: kept without effect",
        TypeConverters.toBoolean,
    )

    def setLazyAnnotator(self, value: bool) -> Self:
        """Sets whether pipelines were to leave the stage to others. None here does: it is kept without effect."""
        return self._with(lazyAnnotator=value)

    def getLazyAnnotator(self) -> bool:
        """Whether pipelines were to leave the stage to others, which has no effect."""
        return bool(self._get("lazyAnnotator"))
