"""Where a pipeline begins and ends, documents and plain columns, and pipelines themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from albertine._light import LightPipeline, PretrainedPipeline
from albertine._ml import TypeConverters
from albertine._pipeline import Pipeline, PipelineModel, RecursivePipeline
from albertine._stage import AnnotatorTransformer, HasInputCols, HasOutputCol, param

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
