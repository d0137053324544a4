"""Pipelines over texts in hand, and whole pipelines by name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Sequence, Union, overload

from albertine import _albertine, _frames, _ml
from albertine._classify import as_list
from albertine._ml import Transformer
from albertine._pipeline import PipelineModel
from albertine._stage import Annotator, Frame, HasOutputCol, Spec
from albertine.annotation import Annotation
from albertine.errors import ColumnError, PipelineError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["LightPipeline", "PretrainedPipeline"]


class LightPipeline:
    """A pipeline for texts passed directly, without a table.

    Args:
        pipelineModel: a fitted pipeline, Albertine's or Spark's, that begins with a ``DocumentAssembler``.
        parse_embeddings: accepted; there are no embeddings.
        output_cols: the annotation columns to return; by default all.

    Stages of Spark ML are skipped, since they work on tables only. A ``Finisher`` renames nothing here: it only limits
    the result to its input columns, as in Spark NLP.
    """

    def __init__(
        self, pipelineModel: Any, parse_embeddings: bool = False, output_cols: Sequence[str] | None = None
    ) -> None:
        if isinstance(pipelineModel, _ml.Pipeline):
            raise PipelineError(f"{pipelineModel!r} is not fitted: pass the result of its fit(table)")
        if not isinstance(getattr(pipelineModel, "stages", None), (list, tuple)):
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
        """Sets whether anything that is not a stage is skipped instead of rejected."""
        self._ignore_unsupported = value
        return self

    def getIgnoreUnsupported(self) -> bool:
        """Whether anything that is not a stage is skipped."""
        return self._ignore_unsupported

    def _stages(self) -> list[Any]:
        return _ml.flat(self.pipeline_model.stages)

    def _pipeline(self) -> _albertine.Pipeline:
        """The stages as they are now, which may have been set anew since the last call."""
        specs = []
        for stage in self._stages():
            if isinstance(stage, Annotator):
                specs.append(stage._spec())
            elif not self._ignore_unsupported and not isinstance(stage, Transformer):
                raise PipelineError(
                    f"{stage!r} cannot work without a table; setIgnoreUnsupported(True) skips such stages"
                )
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
            target: a text, a list of texts, or the integer ids of ``texts``. A missing text (``None``) is an empty one,
                as in a table.
            texts: a list of texts, one for each id, which is returned as an annotation in ``doc_id`` (or the ``idCol``
                of the ``DocumentAssembler``).

        Raises:
            TypeError: for anything else.
            albertine.RowError: if a text cannot be processed.
        """
        ids, texts = _ids_and_texts(target, texts)
        stages = [stage for stage in self._stages() if isinstance(stage, HasOutputCol)]
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
        named = next((stage.getIdCol() for stage in stages if stage.hasParam("idCol")), None) or "doc_id"
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
        """A table through the pipeline; with ``output_cols`` it has its own columns and those."""
        frame: Any = dataframe
        if self._wanted is not None and _frames.library(frame) not in _LIBRARIES:
            frame = _arrow(frame)
        result = self.pipeline_model.transform(frame)
        if self._wanted is None:
            return result  # type: ignore[no-any-return]
        wanted = {*_names(frame), *self._wanted}
        return _selected(result, [name for name in _names(result) if name in wanted])  # type: ignore[no-any-return]


# tables: few words on each library, since only whole columns are chosen or renamed

_LIBRARIES = ("pyspark", "pandas", "polars", "pyarrow")


def _arrow(frame: Any) -> Any:
    import pyarrow as pa

    return pa.table(frame)


def _names(frame: Any) -> list[str]:
    return list(frame.columns) if _frames.library(frame) in ("pandas", "polars") else list(frame.schema.names)


def _selected(frame: Any, names: list[str]) -> Any:
    """Some columns of a table."""
    kind = _frames.library(frame)
    if kind == "pandas":
        return frame[names]
    if kind == "pyspark":
        return frame.select([f"`{name.replace('`', '``')}`" for name in names])
    return frame.select(names) if kind == "polars" else _changed(frame, lambda part: part.select(names))


def _renamed(frame: Any, old: str, new: str) -> Any:
    """A table with a column under another name."""
    kind = _frames.library(frame)
    frame = frame if kind in _LIBRARIES else _arrow(frame)
    names = _names(frame)
    if kind == "pandas":
        # one that is called by a number has a text for a name in stages
        labels = {_frames.pandas_name(name): name for name in names}
        names = list(labels)
    if old not in names:
        raise ColumnError(f"there is no column `{old}`; there are {', '.join(f'`{name}`' for name in names)}")
    if kind == "pyspark":
        return frame.withColumnRenamed(old, new)
    if kind == "pandas":
        return frame.rename(columns={labels[old]: new})
    if kind == "polars":
        return frame.rename({old: new})
    renamed = [new if name == old else name for name in names]
    return _changed(frame, lambda part: part.rename_columns(renamed))


def _changed(frame: Any, change: Callable[[Any], Any]) -> Any:
    """A table of pyarrow's with its columns changed: a reader batch by batch, as it is read."""
    if hasattr(frame, "select"):
        return change(frame)
    import pyarrow as pa

    return pa.RecordBatchReader.from_batches(change(frame.schema.empty_table()).schema, map(change, frame))


def _ids_and_texts(target: Any, texts: Any) -> tuple[list[int] | None, list[str]]:
    """The numbers of texts, if they have any, and the texts."""
    if texts is None:
        if isinstance(target, str):
            return None, [target]
        if isinstance(target, (list, tuple)):
            return None, _texts(target)
    elif (
        isinstance(texts, (list, tuple))
        and isinstance(target, (list, tuple))
        and all(isinstance(item, int) for item in target)
    ):
        if len(target) != len(texts):
            raise TypeError(f"there are {len(target)} ids but {len(texts)} texts")
        return list(target), _texts(texts)
    given = type(target).__name__ if texts is None else f"{type(target).__name__} and {type(texts).__name__}"
    raise TypeError(f"expected a text, a list of texts, or a list of ids and a list of texts, not {given}")


def _texts(texts: Sequence[Any]) -> list[str]:
    """Texts, of which a missing one is empty, as in a table."""
    return [text or "" for text in as_list(texts)]


class PretrainedPipeline:
    """A whole pipeline by name or from disk, for tables and for texts in hand.

    Args:
        name: its name on the models hub, or its path.
        lang: the language of its texts.
        remote_loc: where it is looked for instead of Spark NLP's public folder: a folder or an address.
        parse_embeddings: accepted; there are no embeddings.
        disk_location: a path, instead of a name.

    Raises:
        albertine.ModelNotFound: no pipeline has the name.
        albertine.PipelineError: what is there is no pipeline.
    """

    def __init__(
        self,
        name: Union[str, os.PathLike[str], None],
        lang: str = "en",
        remote_loc: Union[str, os.PathLike[str], None] = None,
        parse_embeddings: bool = False,
        disk_location: Union[str, os.PathLike[str], None] = None,
    ) -> None:
        if disk_location is not None:
            self.model = PipelineModel.load(disk_location)
        elif name is not None:
            self.model = PipelineModel._pretrained(name, lang, remote_loc)
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
    def annotate(self, target: Sequence[int], column: Sequence[str]) -> list[dict[str, list[str]]]: ...
    @overload
    def annotate(self, target: Frame, column: _frames.ColumnName) -> Frame: ...
    def annotate(self, target: Any, column: Any = None) -> Any:
        """The results of each text by column, as :meth:`LightPipeline.annotate` gives them; or a table with what the
        stages write.

        Args:
            target: what :meth:`LightPipeline.annotate` takes, or a table.
            column: the column of texts of a table, which is called as the pipeline's first stage wants it in the
                result. After a list of numbers, the texts.
        """
        if _is_table(target, column):
            return self._of_table(target, column)
        return self.light_model.annotate(target, column)

    def fullAnnotate(self, target: Any, column: Any = None) -> Any:
        """The annotations of each text by column, as :meth:`LightPipeline.fullAnnotate` gives them; a table as
        :meth:`annotate`."""
        if _is_table(target, column):
            return self._of_table(target, column)
        return self.light_model.fullAnnotate(target, column)

    def _of_table(self, frame: Any, column: Any) -> Any:
        column = _frames.column_name(frame, column, "column")
        first = next((stage for stage in _ml.flat(self.model.stages) if stage.hasParam("inputCol")), None)
        return self.transform(frame if first is None else _renamed(frame, column, first.getInputCol()))

    def transform(self, dataframe: Frame) -> Frame:
        """Adds what the stages write to a table, as :meth:`PipelineModel.transform` does."""
        return self.model.transform(dataframe)


def _is_table(target: Any, column: Any) -> bool:
    return column is not None and not isinstance(target, (str, list, tuple))
