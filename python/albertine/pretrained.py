"""Published models and pipelines: listing and downloading them."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, Optional, Sequence, Union

from albertine import _albertine
from albertine.base import PipelineModel, PretrainedPipeline

__all__ = ["PretrainedPipeline", "ResourceDownloader"]

#: Where Spark NLP's models are.
_S3 = "https://s3.amazonaws.com"
_BUCKET = "auxdata.johnsnowlabs.com"


class ResourceDownloader:
    """Spark NLP's class of this name, on top of the hub of this package; models on this machine need no network access.

    The models are those of the index inside the package, and of the one downloaded by ``albertine models list
    --refresh``.
    """

    @staticmethod
    def showPublicModels(
        annotator: Optional[str] = None, lang: Optional[str] = None, version: Optional[str] = None
    ) -> None:
        """Prints the models that are published and the built-in one, as a table.

        Args:
            annotator: only those of an annotator, in any case.
            lang: only those for texts in a language.
            version: only those that a version of Spark NLP reads, such as ``3.4.0``.

        Raises:
            albertine.ParamError: if the version is invalid.

        >>> ResourceDownloader.showPublicModels("AlbertForSequenceClassification", "en")
        +-...-+------+----------+
        | Model...| lang | version  |
        +-...-+------+----------+
        | ag_news...| en   | built in |
        | albert_base_sequence_classifier_ag_news...| en   | 3.4.0    |
        ...
        """
        rows = []
        if annotator is None or annotator.lower() == "albertforsequenceclassification":
            known = _albertine.known_models()
            rows = [(name, language or "", "built in") for name, language, origin, *_ in known if origin == "built in"]
            rows = [row for row in rows if lang in (None, row[1])]
        for name, language, found, is_pipeline, kind, _ in _albertine.published_models(lang, version):
            if not is_pipeline and (annotator is None or (kind or "").lower() == annotator.lower()):
                rows.append((name, language or "", found or ""))
        print(_table("Model", rows))

    @staticmethod
    def showPublicPipelines(lang: Optional[str] = None, version: Optional[str] = None) -> None:
        """Prints the pipelines that are published, as a table; ``lang`` and ``version`` as for models."""
        rows = []
        for name, language, found, is_pipeline, _, _ in _albertine.published_models(lang, version):
            if is_pipeline:
                rows.append((name, language or "", found or ""))
        print(_table("Pipeline", rows))

    @staticmethod
    def showUnCategorizedResources() -> None:
        """Prints an empty table: only models and pipelines are taken from an index."""
        print(_table("Resource", []))

    @staticmethod
    def showAvailableAnnotators() -> None:
        """Prints the annotators that models are published for, one per line.

        >>> ResourceDownloader.showAvailableAnnotators()
        AlbertForSequenceClassification
        """
        # the built-in model is one of these, whatever the index holds
        print("AlbertForSequenceClassification")

    @staticmethod
    def clearCache(name: str, language: Optional[str] = None, remote_loc: Optional[str] = None) -> None:
        """Removes a model from the cache, in all its versions; nothing happens if it is not there.

        Args:
            name: the model.
            language: accepted: the archives of a name go together.
            remote_loc: accepted.

        Raises:
            albertine.HubError: the model is elsewhere than in the cache of this package, or inside it.
        """
        for known, _, _, _, path in _albertine.known_models():
            # a repository is known with its revision
            if path is not None and name in (known, known.partition("@")[0]):
                _albertine.remove(name)
                return

    @staticmethod
    def downloadModel(
        reader: Any, name: str, language: str, remote_loc: Optional[str] = None, j_dwn: str = "PythonResourceDownloader"
    ) -> Any:
        """The model with a name, downloaded if it is not on this machine: ``reader.pretrained(name, language,
        remote_loc)``.

        Args:
            reader: the class of the annotator.
            name: the model.
            language: the language of its texts.
            remote_loc: where to look for it instead of in Spark NLP's public bucket.
            j_dwn: accepted.

        Raises:
            albertine.ModelNotFound: if there is no such model. Spark NLP returns ``None``.
        """
        return reader.pretrained(name, language, remote_loc)

    @staticmethod
    def downloadPipeline(name: str, language: str, remote_loc: Union[str, PathLike[str], None] = None) -> PipelineModel:
        """The pipeline with a name, downloaded if it is not on this machine.

        Args:
            name: the pipeline.
            language: the language of its texts.
            remote_loc: where to look for it instead of in Spark NLP's public bucket.

        Raises:
            albertine.ModelNotFound: if there is no such pipeline.
            albertine.PipelineError: if it is not a pipeline.
        """
        return PretrainedPipeline(name, language, remote_loc).model

    @staticmethod
    def downloadModelDirectly(name: str, remote_loc: str = "public/models", unzip: bool = True) -> Optional[Path]:
        """Downloads an archive into the cache, where it is read without unpacking.

        Args:
            name: the name of an archive as the models hub has it
                (``albert_base_sequence_classifier_ag_news_en_3.4.0_3.0_1639648298937.zip``), its ``s3://`` or
                ``https://`` URL, or the name of a model.
            remote_loc: the folder of the bucket that the archive is in, where ``name`` does not tell.
            unzip: accepted: archives are read as they are.

        Returns:
            The path of the archive; ``None`` for a built-in model.

        Raises:
            albertine.ModelNotFound: if there is no such archive.
            albertine.HubError: if it cannot be downloaded.
        """
        archive = name.rpartition("/")[2]
        of_name = [(known, lang) for known, lang, _, _, _, file in _albertine.published_models() if file == archive]
        if len(of_name) == 1:
            # by its name it is found in every place that models come from, and by its name it is found again
            (known, lang), *_ = of_name
            return _albertine.pull(known, lang)
        if name.startswith("s3://"):
            return _albertine.pull(f"{_S3}/{name[len('s3://'):]}")
        if archive == name and name.endswith(".zip"):
            return _albertine.pull(f"{_S3}/{_BUCKET}/{remote_loc.strip('/')}/{name}")
        return _albertine.pull(name)


def _table(title: str, rows: Sequence[tuple[str, str, str]]) -> str:
    """A table as Spark NLP prints it."""
    lines = [(title, "lang", "version"), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    rule = f"+{'+'.join('-' * (width + 2) for width in widths)}+"
    head, *body = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths))} |" for line in lines]
    return "\n".join([rule, head, rule, *body, *([rule] if body else [])])
