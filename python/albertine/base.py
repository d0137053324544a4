"""Where a pipeline begins and ends: documents, plain columns, pipelines."""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Optional, Sequence, Union, overload

from albertine import _albertine, _frames, _saving
from albertine._ml import Estimator, MLReadable, MLWritable, Model, Params, Transformer, TypeConverters
from albertine._stage import Annotator, AnnotatorTransformer, Frame, HasInputCols, HasOutputCol, Spec, param
from albertine.annotation import Annotation
from albertine.errors import PipelineError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "DocumentAssembler",
    "Finisher",
    "LightPipeline",
    "Pipeline",
    "PipelineModel",
    "PretrainedPipeline",
    "RecursivePipeline",
]


class DocumentAssembler(HasOutputCol, AnnotatorTransformer):
    """Texts to documents: the first stage of a pipeline.

    Reads a column of texts, or of lists of texts, and writes one of type ``document``: one annotation for a text (also for an empty
    or missing one, with ``begin`` 0 and ``end`` -1), or one for each text of a list. Texts can be cleaned up on the way
    (``cleanupMode``), which all offsets then refer to.

    >>> document = DocumentAssembler().setInputCol("text").setOutputCol("document").setCleanupMode("shrink")
    >>> LightPipeline(PipelineModel([document])).annotate("  Oil   is up. ")["document"]
    ['Oil is up.']
    """

    _native = "DocumentAssembler"

    inputCol = param("inputCol", "the column of texts, or of lists of texts, to read")
    idCol = param("idCol", "a column whose value comes into the metadata as id")
    metadataCol = param("metadataCol", "a column of maps whose pairs come into the metadata")
    cleanupMode = param("cleanupMode", "how texts are cleaned up: disabled, inplace, inplace_full, shrink, shrink_full, each, each_full or delete_full")

    def setInputCol(self, value: str) -> Self:
        """Sets the column of texts, or of lists of texts, to read."""
        return self._with(inputCol=value)

    def getInputCol(self) -> str:
        """The column of texts, or of lists of texts, to read."""
        return self._get("inputCol")  # type: ignore[no-any-return]

    def setIdCol(self, value: str) -> Self:
        """Sets a column whose value comes into the metadata as ``id``."""
        return self._with(idCol=value)

    def getIdCol(self) -> Optional[str]:
        """A column whose value comes into the metadata as ``id``."""
        return self._get("idCol")  # type: ignore[no-any-return]

    def setMetadataCol(self, value: str) -> Self:
        """Sets a column of maps whose pairs come into the metadata."""
        return self._with(metadataCol=value)

    def getMetadataCol(self) -> Optional[str]:
        """A column of maps whose pairs come into the metadata."""
        return self._get("metadataCol")  # type: ignore[no-any-return]

    def setCleanupMode(self, value: str) -> Self:
        """Sets how texts are cleaned up: ``disabled``, ``inplace``, ``inplace_full``, ``shrink``, ``shrink_full``, ``each``, ``each_full`` or ``delete_full``."""
        return self._with(cleanupMode=value)

    def getCleanupMode(self) -> str:
        """How texts are cleaned up: ``disabled``, ``inplace``, ``inplace_full``, ``shrink``, ``shrink_full``, ``each``, ``each_full`` or ``delete_full``."""
        return self._get("cleanupMode")  # type: ignore[no-any-return]


class Finisher(HasInputCols, AnnotatorTransformer):
    """Annotations to plain columns: the last stage of a pipeline.

    Reads annotation columns and writes for each a list of results, or one text (``outputAsArray`` false), and drops all annotation
    columns unless told not to (``cleanAnnotations``).
    """

    _native = "Finisher"

    outputCols = param("outputCols", "the columns to write, as many as are read; finished_ and the name of the annotation column unless said otherwise", TypeConverters.toListString)
    outputAsArray = param("outputAsArray", "whether results are a list of texts, or one text", TypeConverters.toBoolean)
    includeMetadata = param("includeMetadata", "whether metadata comes along", TypeConverters.toBoolean)
    cleanAnnotations = param("cleanAnnotations", "whether annotation columns are dropped", TypeConverters.toBoolean)
    valueSplitSymbol = param("valueSplitSymbol", "what parts the pairs of one annotation in a text")
    annotationSplitSymbol = param("annotationSplitSymbol", "what parts the annotations of a row in a text")

    def setOutputCols(self, value: list[str]) -> Self:
        """Sets the columns to write, as many as are read; ``finished_`` and the name of the annotation column unless said otherwise."""
        return self._with(outputCols=value)

    def getOutputCols(self) -> list[str]:
        """The columns to write, as many as are read; ``finished_`` and the name of the annotation column unless said otherwise."""
        return self._get("outputCols") or [f"finished_{column}" for column in self.getInputCols()]

    def setOutputAsArray(self, value: bool) -> Self:
        """Sets whether results are a list of texts, or one text."""
        return self._with(outputAsArray=value)

    def getOutputAsArray(self) -> bool:
        """Whether results are a list of texts, or one text."""
        return self._get("outputAsArray")  # type: ignore[no-any-return]

    def setIncludeMetadata(self, value: bool) -> Self:
        """Sets whether metadata comes along."""
        return self._with(includeMetadata=value)

    def getIncludeMetadata(self) -> bool:
        """Whether metadata comes along."""
        return self._get("includeMetadata")  # type: ignore[no-any-return]

    def setCleanAnnotations(self, value: bool) -> Self:
        """Sets whether annotation columns are dropped."""
        return self._with(cleanAnnotations=value)

    def getCleanAnnotations(self) -> bool:
        """Whether annotation columns are dropped."""
        return self._get("cleanAnnotations")  # type: ignore[no-any-return]

    def setValueSplitSymbol(self, value: str) -> Self:
        """Sets what parts the pairs of one annotation in a text."""
        return self._with(valueSplitSymbol=value)

    def getValueSplitSymbol(self) -> str:
        """What parts the pairs of one annotation in a text."""
        return self._get("valueSplitSymbol")  # type: ignore[no-any-return]

    def setAnnotationSplitSymbol(self, value: str) -> Self:
        """Sets what parts the annotations of a row in a text."""
        return self._with(annotationSplitSymbol=value)

    def getAnnotationSplitSymbol(self) -> str:
        """What parts the annotations of a row in a text."""
        return self._get("annotationSplitSymbol")  # type: ignore[no-any-return]


def _is_estimator(stage: Any) -> bool:
    return isinstance(stage, Estimator)


def _ours(stages: Sequence[Any]) -> bool:
    return all(isinstance(stage, (Annotator, Pipeline, PipelineModel)) for stage in stages)


def _strange(stages: Sequence[Any]) -> PipelineError:
    strange = next(stage for stage in stages if not _ours([stage]))
    return PipelineError(f"{strange!r} is no stage of albertine, so that the pipeline needs a Spark DataFrame")


class Pipeline(Estimator["PipelineModel"], MLReadable["Pipeline"], MLWritable):
    """Stages in the order in which they work, not yet checked against a table.

    The same stages make a ``pyspark.ml.Pipeline``; this one also takes tables that are not Spark's, and runs all stages in one pass.

    >>> import pyarrow as pa
    >>> from albertine.annotator import AlbertForSequenceClassification, Tokenizer
    >>> pipeline = Pipeline(stages=[
    ...     DocumentAssembler().setInputCol("text").setOutputCol("document"),
    ...     Tokenizer().setInputCols(["document"]).setOutputCol("token"),
    ...     AlbertForSequenceClassification.pretrained().setInputCols(["token", "document"]).setOutputCol("class"),
    ...     Finisher().setInputCols(["class"]).setOutputCols(["label"]),
    ... ])
    >>> table = pa.table({"id": [1, 2], "text": ["Oil prices rose as OPEC cut output.", None]})
    >>> pipeline.fit(table).transform(table).to_pydict()
    {'id': [1, 2], 'text': ['Oil prices rose as OPEC cut output.', None], 'label': [['Business'], []]}
    """

    def __init__(self, stages: Sequence[Any] = ()) -> None:
        super().__init__()
        self._stages = list(stages)

    def setStages(self, value: Sequence[Any]) -> Self:
        """Sets the stages."""
        self._stages = list(value)
        return self

    def getStages(self) -> list[Any]:
        """The stages, in the order in which they work."""
        return self._stages

    def fit(self, dataset: Any, params: Any = None) -> Any:
        """Checks every stage's parameters and columns, and gives the :class:`PipelineModel`.

        Args:
            dataset: a table with the columns of those to come, of any kind that ``transform`` takes; it may be empty.
            params: values that count for this call alone, by parameter.

        Raises:
            albertine.ColumnError: a stage lacks a column.
            albertine.ParamError: a parameter has a value that it cannot have.
        """
        return super().fit(dataset, params)

    def _fit(self, dataset: Any) -> Any:
        if not _ours(self._stages):
            if _frames.library(dataset) != "pyspark":
                raise _strange(self._stages)
            return import_module("pyspark.ml").Pipeline(stages=self._stages).fit(dataset)
        model = PipelineModel([stage.fit(dataset) if _is_estimator(stage) else stage for stage in self._stages])
        _frames.check(model._specs(), dataset)
        return model

    def copy(self, extra: Any = None) -> Pipeline:
        """The same pipeline with copies of its stages."""
        copied = type(self)([stage.copy(extra) for stage in self._stages])
        return copied._resetUid(self.uid)  # type: ignore[no-any-return]

    def write(self) -> Any:
        """A writer of the pipeline as Spark has it; save a fitted one to use it without Spark."""
        return import_module("pyspark.ml").Pipeline(stages=self._stages).write()

    @classmethod
    def read(cls) -> Any:
        """A reader of pipelines that Spark saved."""
        return import_module("pyspark.ml").Pipeline.read()


class RecursivePipeline(Pipeline):
    """A :class:`Pipeline` under its other name: no stage here needs to know those before it."""


class PipelineModel(Model, MLReadable["PipelineModel"], MLWritable):  # type: ignore[misc]
    """A checked pipeline, ready for tables and, as a :class:`LightPipeline`, for texts in hand."""

    def __init__(self, stages: Sequence[Any] = ()) -> None:
        super().__init__()
        self.stages = list(stages)

    def _specs(self) -> list[Spec]:
        if not _ours(self.stages):
            raise _strange(self.stages)
        specs: list[Spec] = []
        for stage in self.stages:
            specs.extend(stage._specs() if isinstance(stage, PipelineModel) else [stage._spec()])
        return specs

    def transform(self, dataset: Frame, params: Any = None) -> Frame:
        """Adds what the stages write to a table, in one pass.

        Args:
            dataset: a Spark DataFrame, a pandas or polars DataFrame, a pyarrow Table, RecordBatch or RecordBatchReader, or
                anything else with the Arrow PyCapsule interface.
            params: values that count for this call alone, by parameter.

        Returns:
            A table of the same kind with every row, in order, and every column.

        Raises:
            albertine.ColumnError: a stage lacks a column, or would write over one that is not its own.
            albertine.RowError: a row cannot be worked on; the message has its number.
        """
        frame: Any = dataset
        result: Any = super().transform(frame, params)
        return result  # type: ignore[no-any-return]

    def _transform(self, dataset: Any) -> Any:
        return _frames.transform(self._specs(), dataset)

    def copy(self, extra: Any = None) -> PipelineModel:
        """The same model with copies of its stages."""
        copied = PipelineModel([stage.copy(extra) for stage in self.stages])
        return copied._resetUid(self.uid)  # type: ignore[no-any-return]

    def _class(self) -> str:
        # what it writes is a pipeline of Spark's, with our stages
        return "pyspark.ml.pipeline.PipelineModel"

    def _saved_params(self) -> dict[str, Any]:
        return {"stageUids": [stage.uid for stage in self.stages], "language": "Python"}

    def _write_tree(self, folder: str) -> None:
        digits = len(str(len(self.stages)))
        for index, stage in enumerate(self.stages):
            _saving.write_stage(stage, os.path.join(folder, "stages", f"{index:0{digits}}_{stage.uid}"))

    def write(self) -> Any:
        """A writer: ``.write().overwrite().save(path)``. ``pyspark.ml.PipelineModel`` reads what it writes, and so does the command."""
        return _saving.StageWriter(self)

    @classmethod
    def read(cls) -> Any:
        """A reader: ``.read().load(path)``."""
        return _saving.StageReader(cls)

    @classmethod
    def load(cls, path: Any) -> PipelineModel:
        """A saved pipeline: ours, Spark's with our stages, or Spark NLP's, as a folder or a zip archive.

        Raises:
            albertine.PipelineError: it is none, or has stages that there are not here.
            albertine.ModelError: its model is damaged.
        """
        return cls.read().load(path)  # type: ignore[no-any-return]

    @classmethod
    def _load_folder(cls, folder: str) -> PipelineModel:
        stages = _saving.load_stages(folder)
        if stages is None:
            return cls._of(_albertine.Pipeline.load(folder))
        return cls([stage.fit(None) if _is_estimator(stage) else stage for stage in stages])

    @classmethod
    def _of(cls, native: _albertine.Pipeline) -> PipelineModel:
        """The stages of a native pipeline, as Python has them."""
        return cls([_stage(name, params, classifier) for name, params, classifier in native.stages()])


def _stage(name: str, params: str, classifier: _albertine.Classifier | None) -> Annotator:
    module = import_module("albertine.annotator")
    known: dict[str, Any] = {cls.__name__: cls for cls in (DocumentAssembler, Finisher)}
    cls = known.get(name) or getattr(module, name)
    stage: Annotator = cls(classifier) if classifier is not None else cls()
    stage._set(**json.loads(params))
    return stage


class LightPipeline:
    """A pipeline over texts in hand, without a table.

    Args:
        pipelineModel: a fitted pipeline, ours or Spark's, that begins with a ``DocumentAssembler``.
        parse_embeddings: accepted; there are no embeddings.
        output_cols: the columns to give, all unless said otherwise.

    A ``Finisher`` in the pipeline renames nothing here: it only limits the result to its input columns, as in Spark NLP.
    """

    def __init__(self, pipelineModel: Any, parse_embeddings: bool = False, output_cols: Sequence[str] | None = None) -> None:
        if not hasattr(pipelineModel, "stages"):
            raise TypeError(f"expected a fitted pipeline, a PipelineModel, not {type(pipelineModel).__name__}")
        self.pipeline_model = pipelineModel
        self._wanted = None if output_cols is None else set(output_cols)
        self._ignore_unsupported = False
        self._native: tuple[list[Spec], _albertine.Pipeline] | None = None

    def __repr__(self) -> str:
        return f"LightPipeline({self.pipeline_model.stages!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_native": None}

    def setIgnoreUnsupported(self, value: bool) -> Self:
        """Sets whether stages that are not of this package are passed over instead of refused."""
        self._ignore_unsupported = value
        return self

    def getIgnoreUnsupported(self) -> bool:
        """Whether stages that are not of this package are passed over."""
        return self._ignore_unsupported

    def _pipeline(self) -> _albertine.Pipeline:
        """The stages as they are now, which may have been set anew since the last call."""
        specs = []
        for stage in _flat(self.pipeline_model):
            if isinstance(stage, Annotator):
                specs.append(stage._spec())
            elif not self._ignore_unsupported:
                raise PipelineError(f"{stage!r} cannot work without a table; setIgnoreUnsupported(True) passes over such stages")
        if self._native is None or self._native[0] != specs:
            self._native = specs, _albertine.Pipeline(specs)
        return self._native[1]

    @overload
    def fullAnnotate(self, target: Union[str, Sequence[str]]) -> list[dict[str, list[Annotation]]]: ...
    @overload
    def fullAnnotate(self, target: Sequence[int], texts: Sequence[str]) -> list[dict[str, list[Annotation]]]: ...
    def fullAnnotate(self, target: Any, texts: Any = None) -> list[dict[str, list[Annotation]]]:
        """The annotations of each text by column: a list of one for one text, as in Spark NLP.

        Args:
            target: a text, or a list of texts, or whole numbers that name those of ``texts``.
            texts: a list of texts, one for each number, which comes along as an annotation in ``doc_id`` (or the ``idCol`` of the
                ``DocumentAssembler``).

        Raises:
            TypeError: something else.
            albertine.RowError: a text that cannot be worked on.
        """
        ids, texts = _ids_and_texts(target, texts)
        stages = [stage for stage in _flat(self.pipeline_model) if isinstance(stage, HasOutputCol)]
        try:
            rows = self._pipeline().annotate(texts)
        except UnicodeEncodeError:
            raise _frames.broken_text(texts) from None
        found = [
            {
                column: [Annotation(*fields[:4], dict(fields[4]), fields[5]) for fields in row[column]]
                for column in dict.fromkeys(stage.getOutputCol() for stage in stages)
                if column in row and (self._wanted is None or column in self._wanted)
            }
            for row in rows
        ]
        if ids is None:
            return found
        named = next((stage.getIdCol() for stage in stages if isinstance(stage, DocumentAssembler)), None) or "doc_id"
        return [
            {named: [Annotation("document", 0, len(name) - 1, name)], **row} for name, row in zip(map(str, ids), found)
        ]

    @overload
    def annotate(self, target: str) -> dict[str, list[str]]: ...  # type: ignore[overload-overlap]
    @overload
    def annotate(self, target: Sequence[str]) -> list[dict[str, list[str]]]: ...
    @overload
    def annotate(self, target: Sequence[int], texts: Sequence[str]) -> list[dict[str, list[str]]]: ...
    def annotate(self, target: Any, texts: Any = None) -> Union[dict[str, list[str]], list[dict[str, list[str]]]]:
        """The results of each text by column: one dict for one text, a list of them for a list.

        Arguments and errors are those of :meth:`fullAnnotate`.
        """
        rows = [
            {column: [annotation.result for annotation in found] for column, found in row.items()}
            for row in self.fullAnnotate(target, texts)
        ]
        return rows[0] if isinstance(target, str) else rows

    def transform(self, dataframe: Frame) -> Frame:
        """A table through the pipeline."""
        return self.pipeline_model.transform(dataframe)  # type: ignore[no-any-return]


def _flat(model: Any) -> list[Any]:
    stages = []
    for stage in model.stages:
        stages.extend(_flat(stage) if hasattr(stage, "stages") else [stage])
    return stages


def _ids_and_texts(target: Any, texts: Any) -> tuple[list[int] | None, list[str]]:
    """The numbers of texts, if they have any, and the texts."""
    if texts is None:
        if isinstance(target, str):
            return None, [target]
        if _is_list(target, str):
            return None, list(target)
    elif _is_list(target, int) and _is_list(texts, str):
        if len(target) != len(texts):
            raise TypeError(f"there are {len(target)} ids but {len(texts)} texts")
        return list(target), list(texts)
    given = type(target).__name__ if texts is None else f"{type(target).__name__} and {type(texts).__name__}"
    raise TypeError(f"expected a text, a list of texts, or a list of ids and a list of texts, not {given}")


def _is_list(value: Any, kind: type) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, kind) for item in value)


class PretrainedPipeline:
    """A whole pipeline by name or from disk, for tables and for texts in hand.

    Args:
        name: its name on the models hub, or its path.
        lang: the language of its texts.
        remote_loc: accepted for the sake of Spark NLP's callers; ``ALBERTINE_HUB`` names other places.
        parse_embeddings: accepted; there are no embeddings.
        disk_location: a path, instead of a name.

    Raises:
        albertine.ModelNotFound: no pipeline has the name.
        albertine.PipelineError: what is there is no pipeline.
    """

    def __init__(
        self,
        name: str | None,
        lang: str = "en",
        remote_loc: str | None = None,
        parse_embeddings: bool = False,
        disk_location: str | None = None,
    ) -> None:
        if disk_location is not None:
            self.model = PipelineModel.load(disk_location)
        elif name is not None:
            self.model = PipelineModel._of(_albertine.Pipeline.pretrained(name, lang))
        else:
            raise TypeError("a pipeline has a name or a disk_location")
        self.light_model = LightPipeline(self.model)

    def __repr__(self) -> str:
        return f"PretrainedPipeline({self.model.stages!r})"

    @staticmethod
    def from_disk(path: str, parse_embeddings: bool = False) -> PretrainedPipeline:
        """A saved pipeline."""
        return PretrainedPipeline(None, disk_location=path)

    @overload
    def annotate(self, target: str) -> dict[str, list[str]]: ...  # type: ignore[overload-overlap]
    @overload
    def annotate(self, target: Sequence[str]) -> list[dict[str, list[str]]]: ...
    @overload
    def annotate(self, target: Sequence[int], texts: Sequence[str]) -> list[dict[str, list[str]]]: ...
    def annotate(self, target: Any, texts: Any = None) -> Union[dict[str, list[str]], list[dict[str, list[str]]]]:
        """The results of each text by column, as :meth:`LightPipeline.annotate` gives them."""
        return self.light_model.annotate(target, texts)

    def fullAnnotate(self, target: Any, texts: Any = None) -> list[dict[str, list[Annotation]]]:
        """The annotations of each text by column, as :meth:`LightPipeline.fullAnnotate` gives them."""
        return self.light_model.fullAnnotate(target, texts)

    def transform(self, dataframe: Frame) -> Frame:
        """Adds what the stages write to a table, as :meth:`PipelineModel.transform` does."""
        return self.model.transform(dataframe)
