"""Pipelines, and their first and last stages: ``DocumentAssembler`` and ``Finisher``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from albertine._light import LightPipeline, PretrainedPipeline
from albertine._ml import TypeConverters
from albertine._pipeline import Pipeline, PipelineModel, RecursivePipeline
from albertine._stage import (
    AnnotatorTransformer,
    HasInputCols,
    HasOutputCol,
    accessors,
    optional_accessors,
    param,
    registered,
)

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


@registered
class DocumentAssembler(HasOutputCol, AnnotatorTransformer):
    """Texts to documents: the first stage of a pipeline.

    Reads a column of texts, or of lists of texts, and writes one of type ``document``: one annotation for a text (also
    for an empty or missing one, with ``begin`` 0 and ``end`` -1), or one for each text of a list. Texts can be cleaned
    up (``cleanupMode``); all offsets then refer to the cleaned text.

    >>> document = DocumentAssembler().setInputCol("text").setOutputCol("document").setCleanupMode("shrink")
    >>> LightPipeline(PipelineModel([document])).annotate("  Oil   is up. ")["document"]
    ['Oil is up.']
    """

    _native = "DocumentAssembler"

    inputCol, setInputCol, getInputCol = accessors(
        "inputCol", "the column of texts, or of lists of texts, to read", str
    )
    idCol, setIdCol, getIdCol = optional_accessors("idCol", "a column whose value is added to the metadata as id", str)
    metadataCol, setMetadataCol, getMetadataCol = optional_accessors(
        "metadataCol", "a column of maps whose pairs are added to the metadata", str
    )
    cleanupMode, setCleanupMode, getCleanupMode = accessors(
        "cleanupMode",
        "how texts are cleaned up: disabled, inplace, inplace_full, shrink, shrink_full, each, each_full or "
        "delete_full",
        str,
    )


@registered
class Finisher(HasInputCols, AnnotatorTransformer):
    """Annotations to plain columns: the last stage of a pipeline.

    Reads annotation columns and writes for each a list of results, or one text (``outputAsArray`` false), and drops all
    annotation columns unless told not to (``cleanAnnotations``).
    """

    _native = "Finisher"

    outputCols = param(
        "outputCols",
        "the output columns, one per input column; by default finished_ and the name of the annotation column",
        TypeConverters.toListString,
    )
    outputAsArray, setOutputAsArray, getOutputAsArray = accessors(
        "outputAsArray", "whether results are a list of texts, or one text", bool
    )
    includeMetadata, setIncludeMetadata, getIncludeMetadata = accessors(
        "includeMetadata", "whether metadata is included", bool
    )
    cleanAnnotations, setCleanAnnotations, getCleanAnnotations = accessors(
        "cleanAnnotations", "whether annotation columns are dropped", bool
    )
    valueSplitSymbol, setValueSplitSymbol, getValueSplitSymbol = accessors(
        "valueSplitSymbol", "the separator between the pairs of an annotation in a text", str
    )
    annotationSplitSymbol, setAnnotationSplitSymbol, getAnnotationSplitSymbol = accessors(
        "annotationSplitSymbol", "the separator between the annotations of a row in a text", str
    )

    def setOutputCols(self, value: list[str]) -> Self:
        """Sets the output columns, one per input column; by default ``finished_`` and the name of the annotation
        column."""
        return self._with(outputCols=value)

    def getOutputCols(self) -> list[str]:
        """The output columns, one per input column; by default ``finished_`` and the name of the annotation column."""
        return self._get("outputCols") or [f"finished_{column}" for column in self.getInputCols()]
