"""Labels without a pipeline."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Iterable, NamedTuple, Optional, Sequence, TypedDict, TypeVar, Union, overload

from albertine import _albertine, _frames
from albertine._stamp import stamp
from albertine.errors import ParamError

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Prediction", "classify"]

Frame = TypeVar("Frame")

#: A model by name, repository, address or path.
_Name = Union[str, "os.PathLike[str]", None]


class Prediction(NamedTuple):
    """What a text was found to be."""

    #: The best label; ``None`` for a missing or blank text, under ``sigmoid`` when no score is over the threshold, and
    #: where the model abstains.
    label: Optional[str]
    #: Its score, from 0 to 1; ``None`` for a missing or blank text.
    score: Optional[float]
    #: The score of every label, in the model's order; empty for a missing or blank text.
    scores: dict[str, float]


class ModelSettings(TypedDict, total=False):
    """How a model reads texts, for type checkers."""

    max_sentence_length: Optional[int]
    case_sensitive: Optional[bool]
    encoding: Optional[str]
    window_overlap: Optional[int]
    threads: int


class _Settings(ModelSettings, total=False):
    """What :func:`classify` takes besides, for type checkers."""

    text_column: Union[_frames.ColumnName, Sequence[_frames.ColumnName]]
    all_scores: bool
    logits: bool
    annotations: bool
    explain: Optional[int]
    explain_method: str
    activation: Optional[str]
    threshold: Optional[float]
    abstain: Optional[float]
    coverage: Optional[float]


@overload
def classify(  # type: ignore[overload-overlap]
    texts: str, model: _Name = ..., precision: str = ..., **settings: Unpack[_Settings]
) -> Prediction: ...
@overload
def classify(  # type: ignore[overload-overlap]
    texts: Iterable[Optional[str]], model: _Name = ..., precision: str = ..., **settings: Unpack[_Settings]
) -> list[Prediction]: ...
@overload
def classify(texts: Frame, model: _Name = ..., precision: str = ..., **settings: Unpack[_Settings]) -> Frame: ...
def classify(
    texts: Any,
    model: _Name = None,
    precision: str = "f32",
    *,
    text_column: Union[_frames.ColumnName, Sequence[_frames.ColumnName]] = "text",
    all_scores: bool = False,
    logits: bool = False,
    annotations: bool = False,
    explain: Optional[int] = None,
    explain_method: str = "leave-one-out",
    activation: Optional[str] = None,
    threshold: Optional[float] = None,
    abstain: Optional[float] = None,
    coverage: Optional[float] = None,
    max_sentence_length: Optional[int] = None,
    case_sensitive: Optional[bool] = None,
    encoding: Optional[str] = None,
    window_overlap: Optional[int] = None,
    threads: int = 0,
) -> Any:
    """Classifies a text, many texts, or the texts of a table.

    Args:
        texts: a text; several texts (``None`` is kept); or a table: a pandas or polars DataFrame, a pyarrow Table,
            RecordBatch or RecordBatchReader, or anything else with the Arrow PyCapsule interface. A Spark DataFrame
            needs a pipeline.
        model: a name, a repository, a URL or a path, as for ``albertine classify --model``; by default the built-in
            model.
        precision: ``f32`` (exact), ``bf16`` or ``int8`` (faster).
        text_column: for a table, the column of texts; several columns are joined with a space. pandas may call one by a
            number.
        all_scores: for a table, adds a column ``scores``: a score for each label.
        logits: for a table, adds a column ``logits``.
        annotations: for a table, adds a column ``class``: Spark NLP's annotations.
        explain: for a table, adds a column ``words``: at most this many words, those that speak most for the label, as
            structs of ``word``, ``begin``, ``end`` and ``weight``.
        explain_method: ``leave-one-out`` or ``shap``, as for :func:`explain`.
        activation: ``softmax`` or ``sigmoid``; by default what the model was trained with.
        threshold: the score that a label must exceed under ``sigmoid``.
        abstain: gives no label where the model is not sure enough: of the labels that are given, at least this fraction
            is right. Needs a model that :func:`calibrate` has calibrated.
        coverage: for a table, adds a column ``prediction_set``: the likeliest labels, so that this fraction of the sets
            contains the true one. Needs a model that :func:`calibrate` has calibrated.
        max_sentence_length: the maximum sequence length in pieces; longer texts are truncated.
        case_sensitive: whether case matters; by default the model's tokenizer decides.
        encoding: ``document`` or ``token``; by default as the model was saved.
        window_overlap: instead of truncating long texts, reads them in windows that overlap by this many pieces.
        threads: number of threads; 0 means one per core.

    Returns:
        A :class:`Prediction` for a text, a list of them for several texts, and for a table one of the same kind (a
        pyarrow Table for any other kind) with the columns ``label`` and ``score`` added (``predicted_label`` and
        ``predicted_score`` where those names are taken).

    Raises:
        albertine.ModelNotFound: if there is no such model; the message says what to do.
        albertine.ColumnError: if the table has no such column of texts.
        albertine.ParamError: if an argument has an invalid value.
        albertine.RowError: if a text cannot be processed; the message includes its number, counted from 0.

    >>> classify(["The striker scored twice in the final.", None])[0].label
    'Sports'
    >>> import pyarrow as pa
    >>> table = classify(pa.table({"headline": ["Oil prices rose as OPEC cut output."]}), text_column="headline")
    >>> table.column_names, table["label"].to_pylist()
    (['headline', 'label', 'score'], ['Business'])
    """
    words = None if explain is None else (whole_number("explain", explain), explain_method)
    classifier = loaded(
        os.fspath(model or "ag_news"), precision, max_sentence_length, case_sensitive, encoding, window_overlap, threads
    )
    if isinstance(texts, str):
        return _predict(classifier, [texts], activation, threshold, abstain)[0]
    if _frames.library(texts) == "pyspark":
        raise TypeError(
            "a Spark DataFrame needs a pipeline: albertine.load(...).predict(df), or the stages of albertine.base"
        )
    if _frames.is_table(texts):
        columns = _frames.column_names(texts, text_column, "text_column")

        def run(stream: Any, kinds: dict[str, str]) -> _albertine.Batches:
            added = (all_scores, logits, annotations, words)
            return classifier.classify(stream, columns, *added, activation, threshold, abstain, coverage)

        return _frames.transform_with(run, texts, _frames.Used(frozenset(columns)))
    if isinstance(texts, (bytes, bytearray, dict)) or not hasattr(texts, "__iter__"):
        raise TypeError(f"expected a text, texts or a table, not {type(texts).__name__}")
    return _predict(classifier, as_list(texts), activation, threshold, abstain)


def as_list(texts: Any) -> list[Optional[str]]:
    """Texts of any kind as a list; what pandas calls missing is missing."""
    if hasattr(texts, "to_pylist"):
        texts = texts.to_pylist()
    found = [None if _is_missing(text) else text for text in texts]
    for place, text in enumerate(found):
        if text is not None and not isinstance(text, str):
            raise TypeError(f"text {place} must be a str, not {type(text).__name__}")
    return found


def whole_number(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 1 << 32:
        raise ParamError(f"{name} is {value}, but must be a whole number from 1")
    return value


def _is_missing(value: Any) -> bool:
    """Whether a value is ``None``, or one of those that pandas has for it, which are not all equal to something."""
    return value is None or isinstance(value, float) and value != value or type(value).__name__ in ("NAType", "NaTType")


def _predict(
    classifier: _albertine.Classifier,
    texts: list[Optional[str]],
    activation: Optional[str],
    threshold: Optional[float],
    abstain: Optional[float],
) -> list[Prediction]:
    try:
        found = classifier.predict(texts, activation, threshold, abstain)
    except UnicodeEncodeError:
        raise _frames.broken_text(texts) from None
    return [Prediction(None, None, {}) if row is None else Prediction(*row) for row in found]


#: The model of the last call, so that calls in a row load it once.
_last: tuple[tuple[Any, ...], _albertine.Classifier] | None = None


def loaded(
    name: str,
    precision: str,
    max_sentence_length: Optional[int],
    case_sensitive: Optional[bool],
    encoding: Optional[str],
    window_overlap: Optional[int],
    threads: int,
) -> _albertine.Classifier:
    global _last
    lengths = {"max_sentence_length": max_sentence_length, "window_overlap": window_overlap, "threads": threads}
    for name_of, length in lengths.items():
        if isinstance(length, int) and not 0 <= length < 1 << 32:
            raise ParamError(f"{name_of} is {length}, but cannot be {'less than 0' if length < 0 else 'so large'}")
    key = (name, stamp(name), precision, max_sentence_length, case_sensitive, encoding, window_overlap, threads)
    if _last is None or _last[0] != key:
        classifier = _albertine.Classifier.load(
            name,
            precision=precision,
            max_sentence_length=max_sentence_length,
            case_sensitive=case_sensitive,
            encoding=encoding,
            window_overlap=window_overlap,
            threads=threads,
        )
        _last = (key, classifier)
    return _last[1]
