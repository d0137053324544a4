"""Stages in a row: pipelines that are to be fitted, and those that are."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Optional, Sequence

from albertine import _albertine, _frames, _ml, _saving
from albertine._ml import Estimator, Params, flat
from albertine._stage import Annotator, Frame, Spec, annotator_class
from albertine.errors import PipelineError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Pipeline", "PipelineModel", "RecursivePipeline"]


def _specs(stages: Sequence[Any]) -> list[Spec]:
    """Stages as the native half takes them.

    Raises:
        albertine.PipelineError: one is none of ours.
    """
    specs = []
    for stage in flat(stages):
        if isinstance(stage, type):
            raise PipelineError(f"{stage.__name__} is a class, not a stage: {stage.__name__}() makes one")
        if not isinstance(stage, Params):
            raise PipelineError(f"{stage!r} is not a pipeline stage")
        if not isinstance(stage, Annotator):
            raise PipelineError(f"{stage!r} is not one of albertine's stages, so the pipeline needs a Spark DataFrame")
        specs.append(stage._spec())
    return specs


def _is_for_spark(stages: Sequence[Any]) -> bool:
    """Whether there are stages that are none of ours, but Spark's."""
    return any(isinstance(stage, Params) and not isinstance(stage, Annotator) for stage in flat(stages))


def _fitted(stage: Any) -> Any:
    """A stage of ours fitted, without a look at a table."""
    if isinstance(stage, _ml.Pipeline):
        return PipelineModel([_fitted(each) for each in stage.getStages()])
    is_fitted: bool = not isinstance(stage, Estimator)
    return stage if is_fitted else stage.fit(None)


class Pipeline(_ml.Pipeline):
    """Stages in the order in which they work, not yet checked against a table.

    It is a ``pyspark.ml.Pipeline`` where PySpark is installed, but also takes tables that are not Spark's, and runs all
    stages in one pass. Pipelines may be stages.

    >>> import pyarrow as pa
    >>> from albertine.annotator import AlbertForSequenceClassification, Tokenizer
    >>> from albertine.base import DocumentAssembler, Finisher
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

    def __init__(self, stages: Optional[Sequence[Any]] = None) -> None:
        super().__init__()
        self.setStages(stages or [])

    def setStages(self, value: Sequence[Any]) -> Self:
        """Sets the stages."""
        return self._set(stages=list(value))  # type: ignore[no-any-return]

    def getStages(self) -> list[Any]:
        """The stages, in the order in which they work."""
        return self.getOrDefault(self.stages)  # type: ignore[no-any-return]

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
        if _frames.library(dataset) == "pyspark" and _is_for_spark(self.getStages()):
            return super()._fit(dataset)
        specs = _specs(self.getStages())
        model = _fitted(self)
        _frames.check(specs, dataset)
        return model

    def copy(self, extra: Any = None) -> Self:
        """The same pipeline with copies of its stages."""
        copied: Self = Params.copy(self, extra)
        return copied.setStages([stage.copy(extra) for stage in copied.getStages()])

    def write(self) -> Any:
        """A writer: ``.write().overwrite().save(path)``. ``pyspark.ml.Pipeline`` reads what it writes."""
        if _is_for_spark(self.getStages()):
            return _ml.Pipeline(stages=self.getStages())._resetUid(self.uid).write()
        return _saving.StageWriter(self)

    @classmethod
    def read(cls) -> Any:
        """A reader: ``.read().load(path)``."""
        return _Reader(cls)

    @classmethod
    def load(cls, path: Any) -> Self:
        """A saved pipeline: ours, Spark's or Spark NLP's, as a folder or an archive.

        Raises:
            albertine.PipelineError: it is none, or has stages that there are not here.
            albertine.ModelError: its model is damaged.
        """
        return cls.read().load(path)  # type: ignore[no-any-return]

    @classmethod
    def _load_folder(cls, folder: str) -> Self:
        return _loaded(cls, folder)  # type: ignore[no-any-return]


class RecursivePipeline(Pipeline):
    """A :class:`Pipeline` under its other name: no stage here needs to know those before it."""


class PipelineModel(_ml.PipelineModel):
    """A checked pipeline, ready for tables and, as a :class:`LightPipeline`, for texts in hand."""

    def __init__(self, stages: Sequence[Any] = ()) -> None:
        super().__init__(list(stages))

    def transform(self, dataset: Frame, params: Any = None) -> Frame:
        """Adds what the stages write to a table, in one pass.

        Args:
            dataset: a Spark DataFrame, a pandas or polars DataFrame, a pyarrow Table, RecordBatch or RecordBatchReader,
                or anything else with the Arrow PyCapsule interface.
            params: values that count for this call alone, by parameter.

        Returns:
            A table of the same kind (a pyarrow Table for what is none of those named) with every row, in order, and
            every column; with ``explodeSentences`` a row for each sentence.

        Raises:
            albertine.ColumnError: a stage lacks a column, or would write over one that is not its own.
            albertine.RowError: a row cannot be worked on; the message has its number.
        """
        frame: Any = dataset
        result: Any = super().transform(frame, params)
        return result  # type: ignore[no-any-return]

    def _transform(self, dataset: Any) -> Any:
        if _frames.library(dataset) == "pyspark" and _is_for_spark(self.stages):
            return super()._transform(dataset)
        return _frames.transform(_specs(self.stages), dataset)

    def copy(self, extra: Any = None) -> Self:
        """The same model with copies of its stages."""
        copied: Self = type(self)([stage.copy(extra) for stage in self.stages])
        return copied._resetUid(self.uid)  # type: ignore[no-any-return]

    def write(self) -> Any:
        """A writer: ``.write().overwrite().save(path)``. ``pyspark.ml.PipelineModel`` reads what it writes, and so does
        the command."""
        if _is_for_spark(self.stages):
            return _ml.PipelineModel(self.stages)._resetUid(self.uid).write()
        return _saving.StageWriter(self)

    @classmethod
    def read(cls) -> Any:
        """A reader: ``.read().load(path)``."""
        return _saving.StageReader(cls)

    @classmethod
    def load(cls, path: Any) -> Self:
        """A saved pipeline: ours, Spark's or Spark NLP's, as a folder or an archive. Of a single saved stage it is one
        with that stage alone.

        Raises:
            albertine.PipelineError: it is none, or has stages that there are not here.
            albertine.ModelError: its model is damaged.
        """
        return cls.read().load(path)  # type: ignore[no-any-return]

    @classmethod
    def _load_folder(cls, folder: str) -> Self:
        model: Self = _loaded(cls, folder)
        model.stages = [_fitted(stage) for stage in model.stages]
        return model

    @classmethod
    def _pretrained(cls, name: Any, lang: str, remote_loc: Any) -> PipelineModel:
        """The pipeline of a name, from the place that is given or those that are known."""
        place = None if remote_loc is None else os.fspath(remote_loc)
        return cls._of(_albertine.Pipeline.pretrained(os.fspath(name), lang, place))

    @classmethod
    def _of(cls, native: _albertine.Pipeline) -> PipelineModel:
        """The stages of a native pipeline, as Python has them."""
        return cls(_stages(native))


class _Reader(_saving.StageReader):
    """Reads pipelines that are to be fitted; those with stages that are none of ours, Spark has to read."""

    def load(self, path: Any) -> Any:
        try:
            return super().load(path)
        except PipelineError as refusal:
            if _saving.session() is None:
                raise
            try:
                found: Any = _ml.Pipeline.load(str(path))
            except Exception:
                raise refusal from None
            return self.cls(found.getStages())._resetUid(found.uid)


def _loaded(cls: Any, folder: str) -> Any:
    """The pipeline in a folder or archive, its stages as they were saved."""
    stages = _saving.load_stages(folder)
    if stages is None:
        return cls(_stages(_albertine.Pipeline.load(folder)))
    pipeline = cls(stages)
    return pipeline._resetUid((_saving.metadata(folder) or {}).get("uid", pipeline.uid))


def _stages(native: _albertine.Pipeline) -> list[Annotator]:
    """The stages of a native pipeline, as Python has them."""
    return [_stage(name, params, classifier) for name, params, classifier in native.stages()]


def _stage(name: str, params: str, classifier: _albertine.Classifier | None) -> Annotator:
    cls: Any = annotator_class(name)
    stage: Annotator = cls(*([] if classifier is None else [classifier]))
    stage._set(**json.loads(params))
    return stage
