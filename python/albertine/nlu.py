"""NLU's one-liner: a request names models, and predictions for texts of any kind are returned as a data frame.

>>> import albertine
>>> albertine.load("ag_news").predict("Oil prices are rising. Arsenal won on Sunday.")
  classified_sequence  classified_sequence_confidence                sentence
0            Business                        0.91...   Oil prices are rising.
0              Sports                        0.99...   Arsenal won on Sunday.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any, Dict, Iterable, Optional, Sequence, Union

from albertine import _albertine, _frames, _requests, _saving
from albertine._stage import annotator_class
from albertine.annotator import SentenceDetector, Tokenizer, TokenizerModel, _ForSequenceClassification
from albertine.base import DocumentAssembler, Finisher, PipelineModel
from albertine.errors import AlbertineError, ParamError, PipelineError

if TYPE_CHECKING:
    from albertine._rows import Layout
    from albertine._stage import Spec

__all__ = ["NLUPipeline", "load"]


def load(
    request: str = "from_disk",
    path: Union[str, os.PathLike[str], None] = None,
    verbose: bool = False,
    gpu: bool = False,
    streamlit_caching: bool = False,
    apple_silicon: bool = False,
    get_tracer: bool = False,
) -> NLUPipeline:
    """Loads the models that a request names into a pipeline that is ready to :meth:`~NLUPipeline.predict`.

    Args:
        request: one or more references, separated by white space. A reference is a name as NLU spells it,
            ``[language.]classify.albert.dataset`` (English by default), the name of a model (``ag_news``, the built-in
            one, or ``albert_base_sequence_classifier_ag_news``), a repository on the Hugging Face hub (``owner/name``),
            a URL or a path. ``en.classify.albertine.ag_news`` is the built-in model too.
        path: instead of a request, a folder or an archive with a saved pipeline or a single model.
        verbose: whether to print to stderr what each reference resolves to.
        gpu: accepted for compatibility with NLU, as are ``streamlit_caching``, ``apple_silicon`` and ``get_tracer``.

    Returns:
        A pipeline with the stages that the models need: a ``DocumentAssembler``, a ``SentenceDetector``, since NLU by
        default returns a row for each sentence, and a ``Tokenizer``.

    Raises:
        albertine.ModelNotFound: if a reference is unknown (the message lists the nearest ones), or if its model is not
            available (the message says how to get it).
        albertine.PipelineError: if the request is empty, or names a model that cannot share a pipeline with the others.

    >>> list(load("en.classify.albertine.ag_news"))
    ['document_assembler', 'sentence_detector', 'tokenizer', 'classified_sequence']
    >>> load("en.classify.albert.ag_mews")
    Traceback (most recent call last):
    albertine.errors.ModelNotFound: there is no model for `en.classify.albert.ag_mews`; did you use an NLU spell? The nearest are ...
    """
    if path is not None:
        return NLUPipeline(_from_disk(os.fspath(path)))
    references = list(dict.fromkeys(request.split()))
    if not references or references == ["from_disk"]:
        raise PipelineError(
            "nothing is named: load('en.classify.albertine.ag_news'), or load(path='a saved pipeline or model')"
        )
    found = [_requests.resolved(reference) for reference in references]
    if verbose:
        for reference, model in zip(references, found):
            print(f"{reference} is {model.describe()}", file=sys.stderr)
    loaded = [_loaded(model) for model in found]
    if len(loaded) == 1 and isinstance(loaded[0], PipelineModel):
        return NLUPipeline(_components(loaded[0].stages))
    for reference, stage in zip(references, loaded):
        if isinstance(stage, PipelineModel):
            raise PipelineError(f"`{reference}` is a whole pipeline, which must be loaded alone")
    return NLUPipeline(_of_classifiers([model.spell for model in found], loaded))


# from what is named to stages


def _loaded(reference: _requests.Reference) -> Union[_ForSequenceClassification, PipelineModel]:
    """The model that is named, or the pipeline if it is one."""
    path = _albertine.pull(reference.name, reference.lang)
    if path is None:
        return _annotator(_albertine.Classifier.load(reference.name, lang=reference.lang))
    return _at(os.fspath(path))


def _at(path: str) -> Union[_ForSequenceClassification, PipelineModel]:
    """The pipeline at a path on this machine, or the single model."""
    native = _albertine.Pipeline.load_if_one(path)
    if native is not None:
        return PipelineModel._of(native)
    saved: Optional[_ForSequenceClassification] = _saving.load_stage(path, _ForSequenceClassification)
    return _annotator(_albertine.Classifier.load(os.path.abspath(path))) if saved is None else saved


def _annotator(classifier: _albertine.Classifier) -> _ForSequenceClassification:
    """The annotator of the model's family, around it."""
    annotator: Any = annotator_class(classifier.annotator)
    return annotator(classifier)  # type: ignore[no-any-return]


class _Saved:
    """What readers of stages take for the class of what is at a path, whichever it is."""

    _load_folder = staticmethod(_at)


def _from_disk(path: str) -> dict[str, Any]:
    """The stages of what is saved at a path, which may be on any file system that a Spark session reaches."""
    loaded = _saving.StageReader(_Saved).load(path)
    if isinstance(loaded, PipelineModel):
        return _components(loaded.stages)
    return _of_classifiers([""], [loaded])


def _of_classifiers(spells: Sequence[str], classifiers: Sequence[Any]) -> dict[str, Any]:
    """A pipeline for classifiers: the stages that they need before them."""
    stages: list[Any] = [
        DocumentAssembler().setInputCol("text").setOutputCol("document"),
        SentenceDetector().setInputCols(["document"]).setOutputCol("sentence"),
        Tokenizer().setInputCols(["sentence"]).setOutputCol("token"),
    ]
    for name, classifier in zip(_requests.column_names(spells), classifiers):
        stages.append(classifier.setInputCols(["sentence", "token"]).setOutputCol(name))
    return _components(stages)


def _components(stages: Iterable[Any]) -> dict[str, Any]:
    """Stages by the names that NLU has for them; classifiers by that of their column."""
    names = {DocumentAssembler: "document_assembler", SentenceDetector: "sentence_detector", Tokenizer: "tokenizer"}
    names.update({TokenizerModel: "tokenizer", Finisher: "finisher"})
    found: dict[str, Any] = {}
    for stage in stages:
        name = names.get(type(stage)) or stage.getOutputCol()
        key, number = name, 2
        while key in found:
            key, number = f"{name}_{number}", number + 1
        found[key] = stage
    return found


class NLUPipeline(Dict[str, Any]):
    """What :func:`load` gives: stages by their names, which can be set as those of any pipeline, and :meth:`predict`.

    >>> pipe = load("ag_news")
    >>> pipe["classified_sequence"].setMaxSentenceLength(128).getMaxSentenceLength()
    128
    """

    _native: Optional[tuple[list[Spec], _albertine.Pipeline]] = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_native": None}

    def copy(self) -> NLUPipeline:
        """Another pipeline of the same stages, not of copies of them."""
        return type(self)(self)

    def predict(
        self,
        data: Any,
        output_level: str = "",
        output_path: str = "",
        positions: bool = False,
        keep_stranger_features: bool = True,
        metadata: bool = False,
        multithread: bool = True,
        drop_irrelevant_cols: bool = True,
        return_spark_df: bool = False,
        get_embeddings: bool = True,
        parser_output: bool = False,
        parser_config: str = "",
        partition: int = 1000,
    ) -> Any:
        """Predicts the classes of texts: a row for each sentence, document or token.

        Args:
            data: a text; a list, tuple, numpy array or Series (pandas, polars, pyarrow) of texts; or a frame (pandas,
                polars, pyarrow, Spark, or another with the Arrow PyCapsule interface) with the texts in its column
                ``text``, or in its first one if there is no such column.
            output_level: ``document``, ``sentence`` or ``token``: the unit of a row. By default ``sentence``; for a
                pipeline from disk, what its classifier reads.
            positions: adds the first and the last UTF-16 code unit of every annotation: ``_begin``, ``_end``.
            keep_stranger_features: keeps the columns of the input data frame.
            metadata: adds the number of the sentence, and the score of every label: ``_origin_sentence``,
                ``_World_confidence``.
            drop_irrelevant_cols: drops texts of other levels than ``output_level``; otherwise a row has lists of the
                finer levels.
            return_spark_df: returns the Spark DataFrame of annotations, which is computed lazily.
            output_path, parser_output, parser_config: not supported: only their defaults are accepted.
            multithread, get_embeddings, partition: accepted; all cores are used, there are no embeddings, and a Spark
                DataFrame keeps its partitions.

        Returns:
            A pandas DataFrame whose index is that of the text, repeated for each of its rows; of polars and pyarrow a
            frame of the same kind with that number in ``origin_index``; of other Arrow tables a ``pyarrow.Table`` like
            that; of Spark a pandas DataFrame, or with ``return_spark_df`` one of Spark.
            Columns are sorted by name: ``classified_sequence`` (the label), ``classified_sequence_confidence`` (the
            highest of the labels' scores) and ``sentence`` or the column of another level. A text without sentences
            keeps one row. Models with ``sigmoid`` return lists of labels and of their scores. Columns of the data frame
            are never overwritten: a new column whose name is taken gets the prefix ``predicted_``.

        Raises:
            albertine.ColumnError: if the data frame has no column of texts.
            albertine.ParamError: for an unknown level or an unsupported output.

        >>> rows = load("ag_news").predict(["Oil prices are rising."], output_level="document", metadata=True)
        >>> rows.columns.tolist()[:3]
        ['classified_sequence', 'classified_sequence_Business_confidence', 'classified_sequence_Sci/Tech_confidence']
        """
        for library in ("numpy", "pyarrow"):
            _frames.needed(library, "predict()")
        from albertine import _predict

        for name, value in (
            ("output_path", output_path),
            ("parser_output", parser_output),
            ("parser_config", parser_config),
        ):
            if value:
                raise ParamError(f"{name} is {value!r}: predict() returns a data frame and has no other output")
        specs, layout = self._arranged(output_level, positions, metadata, drop_irrelevant_cols)
        keep = keep_stranger_features
        if return_spark_df:
            return _predict.annotated(specs, data, keep)
        if _predict.is_spark(data):
            return _predict.on_spark(specs, layout, data, keep)
        return _predict.flat(self._pipeline(specs).transform, layout, data, keep)

    def fit(self, dataset: Any = None, dataset_path: Optional[str] = None, label_seperator: str = ",") -> NLUPipeline:
        """Returns the pipeline unchanged: its models are already trained, and ``dataset`` is not used."""
        return self

    @property
    def model(self) -> PipelineModel:
        """The pipeline as a ``PipelineModel``, for ``LightPipeline`` and the like."""
        return PipelineModel([stage.fit(None) if isinstance(stage, Tokenizer) else stage for stage in self.values()])

    def save(self, path: str, component: str = "entire_pipeline", overwrite: bool = True) -> None:
        """Saves the pipeline for ``load(path=...)`` and for ``load`` of Spark and Albertine, or one component of it.

        A classifier that was saved alone is for ``load(path=...)`` too; any other component is for the ``load`` of its
        class, such as ``Tokenizer.load(path)``.

        Args:
            path: a new folder, or one that contains a saved pipeline or model.
            component: the component to save; by default the whole pipeline.
            overwrite: whether to replace what was saved there.

        Raises:
            albertine.AlbertineError: if the path contains anything else, or ``overwrite`` is false.
            albertine.PipelineError: if there is no component of that name.
        """
        if component != "entire_pipeline" and component not in self:
            raise PipelineError(f"there is no component {component!r}; there are {', '.join(map(repr, self))}")
        stage = self.model if component == "entire_pipeline" else self[component]
        is_saved = os.path.isdir(os.path.join(path, "metadata"))
        if os.path.exists(path) and not is_saved and not (os.path.isdir(path) and not os.listdir(path)):
            raise AlbertineError(f"{path} already exists and is not a saved pipeline: it was not replaced")
        writer = stage.write()
        (writer.overwrite() if overwrite else writer).save(path)

    def print_info(self, minimal: bool = True) -> None:
        """Prints the parameters of each component with their values, as lines that can be copied.

        Args:
            minimal: omits the names of columns.

        >>> load("ag_news").print_info()
        These parameters can be set (the lines can be copied):
        pipe['document_assembler'] has:
        pipe['document_assembler'].setCleanupMode('disabled')  # how texts are cleaned up: ...
        ...
        """
        print("These parameters can be set (the lines can be copied):")
        for name, stage in self.items():
            print(f"pipe[{name!r}] has:")
            for param in stage.params:
                setter = f"set{param.name[0].upper()}{param.name[1:]}"
                columns = minimal and re.fullmatch(r"(in|out)putCols?", param.name)
                if stage.isDefined(param) and hasattr(type(stage), setter) and not columns:
                    print(f"pipe[{name!r}].{setter}({stage.getOrDefault(param)!r})  # {param.doc}")

    # the stages for a level

    def _arranged(self, level: str, positions: bool, metadata: bool, drop_others: bool) -> tuple[list[Spec], Layout]:
        """The stages that give rows of a level, and how the rows are made of what they give.

        Raises:
            albertine.ParamError: there is no such level.
            albertine.PipelineError: the pipeline has no ``DocumentAssembler``, or no tokens to give.
        """
        from albertine._predict import TEXT
        from albertine._rows import LEVELS, ClassColumn, Layout

        if level not in ("", *LEVELS):
            raise ParamError(f"the output level is {level!r}, expected {', '.join(map(repr, LEVELS))}")
        stages = list(self.values())
        document = _only(stages, DocumentAssembler)
        sentence = _only(stages, SentenceDetector)
        token = _only(stages, (Tokenizer, TokenizerModel))
        classifiers = [stage for stage in stages if isinstance(stage, _ForSequenceClassification)]
        if document is None:
            raise PipelineError("the pipeline has no DocumentAssembler, which reads the texts")
        if level == "token" and token is None:
            raise PipelineError("the pipeline has no Tokenizer, so there are no tokens")
        of_sentences = [_reads(stage, sentence) and not stage.getCoalesceSentences() for stage in classifiers]
        finest = "token" if token is not None else "sentence" if sentence is not None else "document"
        level = level or ("sentence" if any(of_sentences) else "document" if classifiers else finest)
        document = document.copy().setInputCol(TEXT)
        for name in ("idCol", "metadataCol"):
            document.clear(document.getParam(name))
        for stage in classifiers:
            # before it is copied, so that a model in another precision is made once
            stage._model()
        classifiers = [stage.copy() for stage in classifiers]
        if level == "sentence":
            if sentence is None:
                sentence = SentenceDetector().setInputCols([document.getOutputCol()]).setOutputCol("sentence")
            classifiers, token = _rewired(classifiers, token, sentence.getOutputCol())
            classifiers = [stage.setCoalesceSentences(False) for stage in classifiers]
        elif level == "document" and any(of_sentences):
            classifiers, token = _rewired(classifiers, token, document.getOutputCol())
        if sentence is not None:
            sentence = sentence.copy().setExplodeSentences(False)
            needed = [stage for stage in (token, *classifiers) if stage is not None and _reads(stage, sentence)]
            if level == "document" and not needed and drop_others and not positions:
                sentence = None
        columns = tuple(
            ClassColumn(
                stage.getOutputCol(),
                tuple(stage.getClasses()),
                _reads(stage, sentence) and not stage.getCoalesceSentences(),
                stage.getActivation() == "sigmoid",
            )
            for stage in classifiers
        )
        layout = Layout(
            level,
            document.getOutputCol(),
            None if sentence is None else sentence.getOutputCol(),
            None if token is None else token.getOutputCol(),
            columns,
            positions,
            metadata,
            drop_others,
        )
        return [stage._spec() for stage in (document, sentence, token, *classifiers) if stage is not None], layout

    def _pipeline(self, specs: list[Spec]) -> _albertine.Pipeline:
        """The native pipeline of stages; that of the last call is kept."""
        if self._native is None or self._native[0] != specs:
            self._native = specs, _albertine.Pipeline(specs)
        return self._native[1]


def _only(stages: Sequence[Any], kind: Any) -> Any:
    found = [stage for stage in stages if isinstance(stage, kind)]
    if len(found) > 1:
        raise PipelineError(f"the pipeline has {len(found)} stages of the kind of {found[0]!r}; predict() takes one")
    return found[0] if found else None


def _reads(stage: Any, sentence: Any) -> bool:
    return sentence is not None and sentence.getOutputCol() in stage.getInputCols()


def _rewired(classifiers: Sequence[Any], token: Any, column: str) -> tuple[list[Any], Any]:
    """Classifiers, and the tokenizer before them, that read the documents of a column."""
    if token is not None:
        token = token.copy().setInputCols([column])
        classifiers = [stage.setInputCols([column, token.getOutputCol()]) for stage in classifiers]
    return list(classifiers), token
