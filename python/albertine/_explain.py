"""Which words of a text speak for which label."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Iterable, NamedTuple, Optional, Union, overload

from albertine import _albertine, _frames
from albertine._classify import as_list, loaded, whole_number
from albertine.errors import LabelError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from albertine._classify import ModelSettings

__all__ = ["Explanation", "WordWeights", "explain"]

#: A model by name, repository, address or path.
_Name = Union[str, "os.PathLike[str]", None]


class WordWeights(NamedTuple):
    """A part of a text, and what it adds to the value of each label."""

    #: The part itself.
    word: str
    #: Where it begins in the text, in characters.
    begin: int
    #: Where it ends, exclusive: ``text[begin:end] == word``.
    end: int
    #: What it adds to the value of each label: below 0 where it speaks against it.
    weights: dict[str, float]


class Explanation(NamedTuple):
    """What the words of a text contribute to each label. A notebook shows the text with its words colored."""

    #: The text.
    text: str
    #: The label with the highest value.
    label: str
    #: Its value.
    score: float
    #: ``shap`` or ``leave-one-out``.
    method: str
    #: What the values are: scores under ``softmax`` or ``sigmoid``, or logits (``identity``).
    activation: str
    #: How many evaluations of the model were taken into account.
    evaluations: int
    #: Whether the text is longer than what the model reads of it: the rest has no words here.
    truncated: bool
    #: The value of each label for the text with everything hidden.
    base: dict[str, float]
    #: The value of each label for the text; with ``shap`` it is ``base`` and the weights of all words added up.
    values: dict[str, float]
    #: The words that the model reads, in order.
    words: list[WordWeights]
    #: The parts that ``shap`` worked on, in order: the pieces of the tokenizer. Empty with ``leave-one-out``.
    pieces: list[WordWeights]

    def strongest(self, count: int = 5, label: Optional[str] = None) -> list[tuple[str, float]]:
        """The words that speak most for a label, the strongest first, with their weights; none that speaks against it.

        Args:
            count: the maximum number of words.
            label: the label; by default the one with the highest value.

        Raises:
            albertine.LabelError: if the model has no such label.
        """
        label = self._known(label)
        words = [(word.word, word.weights[label]) for word in self.words if word.weights[label] > 0]
        return sorted(words, key=lambda word: -word[1])[:count]

    def to_html(self, label: Optional[str] = None) -> str:
        """The text as an HTML paragraph: the words that speak for a label blue, those that speak against it orange, each
        with its weight as its title.

        Args:
            label: the label; by default the one with the highest value.

        Raises:
            albertine.LabelError: if the model has no such label.
        """
        label = self._known(label)
        words = [(word.begin, word.end, word.weights[label]) for word in self.words]
        return _albertine.explanation_html(self.text, words, self.truncated)

    def _known(self, label: Optional[str]) -> str:
        if label is None:
            return self.label
        if label not in self.values:
            raise LabelError(f"the model has no label `{label}`; its labels are {', '.join(self.values)}")
        return label

    def _repr_html_(self) -> str:
        from html import escape

        base = self.base[self.label]
        title = f"<b>{escape(self.label)}</b> {self.score:.4f} <small>({base:.4f} with every word hidden)</small>"
        return f"<p>{title}</p>{self.to_html()}"


@overload
def explain(  # type: ignore[overload-overlap]
    texts: str,
    model: _Name = ...,
    precision: str = ...,
    *,
    method: str = ...,
    evaluations: int = ...,
    activation: Optional[str] = ...,
    logits: bool = ...,
    **settings: Unpack[ModelSettings],
) -> Optional[Explanation]: ...
@overload
def explain(
    texts: Iterable[Optional[str]],
    model: _Name = ...,
    precision: str = ...,
    *,
    method: str = ...,
    evaluations: int = ...,
    activation: Optional[str] = ...,
    logits: bool = ...,
    **settings: Unpack[ModelSettings],
) -> list[Optional[Explanation]]: ...
def explain(
    texts: Any,
    model: _Name = None,
    precision: str = "f32",
    *,
    method: str = "shap",
    evaluations: int = 500,
    activation: Optional[str] = None,
    logits: bool = False,
    max_sentence_length: Optional[int] = None,
    case_sensitive: Optional[bool] = None,
    encoding: Optional[str] = None,
    window_overlap: Optional[int] = None,
    threads: int = 0,
) -> Any:
    """Shows which words of a text speak for which label, as ``albertine explain`` does.

    A column of the words that decided, for the texts of a table, comes from :func:`classify` with ``explain=5``.

    Args:
        texts: a text, or several texts (``None`` is kept).
        model: a name, a repository, a URL or a path, as for :func:`classify`; by default the built-in model.
        precision: ``f32`` (exact), ``bf16`` or ``int8`` (faster).
        method: ``shap``, the Partition SHAP values that the package ``shap`` gives a text, or ``leave-one-out``, what
            hiding each word alone takes from the score.
        evaluations: about how many evaluations of the model a text gets, with the method ``shap``; at least two.
        activation: ``softmax`` or ``sigmoid``: the scores to explain; by default what the model was trained with.
        logits: explain logits instead of scores.
        max_sentence_length: the maximum sequence length in pieces; what is longer is not read and not explained.
        case_sensitive: whether case matters; by default the model's tokenizer decides.
        encoding: ``document`` or ``token``; by default as the model was saved.
        window_overlap: instead of truncating long texts, reads them in windows that overlap by this many pieces.
        threads: number of threads; 0 means one per core.

    Returns:
        An :class:`Explanation` for a text, a list of them for several texts; ``None`` for a missing or blank text.

    Raises:
        albertine.ModelNotFound: if there is no such model; the message says what to do.
        albertine.ParamError: if an argument has an invalid value.
        albertine.RowError: if a text cannot be processed; the message includes its number, counted from 0.

    >>> found = explain("Oil prices rose on Monday.")
    >>> found.label, [word.word for word in found.words]
    ('Business', ['Oil', 'prices', 'rose', 'on', 'Monday', '.'])
    >>> total = found.base["Business"] + sum(word.weights["Business"] for word in found.words)
    >>> abs(total - found.score) < 1e-5
    True
    """
    if _frames.is_table(texts):
        raise TypeError("a table needs classify(table, explain=5), which adds a column of the words that decided")
    classifier = loaded(
        os.fspath(model or "ag_news"), precision, max_sentence_length, case_sensitive, encoding, window_overlap, threads
    )
    count = whole_number("evaluations", evaluations)
    one = isinstance(texts, str)
    rows = [texts] if one else as_list(texts)
    try:
        found = _albertine.explain(classifier, rows, method, count, activation, logits)
    except UnicodeEncodeError:
        raise _frames.broken_text(rows) from None
    labels = classifier.labels
    explanations = [
        None if fields is None or text is None else _explanation(text, labels, method, fields)
        for text, fields in zip(rows, found)
    ]
    return explanations[0] if one else explanations


def _explanation(text: str, labels: list[str], method: str, fields: dict[str, Any]) -> Explanation:
    def by_label(values: list[float]) -> dict[str, float]:
        return dict(zip(labels, values))

    def parts(found: list[tuple[str, int, int, list[float]]]) -> list[WordWeights]:
        return [WordWeights(word, begin, end, by_label(weights)) for word, begin, end, weights in found]

    values = by_label(fields["values"])
    label = max(values, key=lambda label: values[label])
    return Explanation(
        text=text,
        label=label,
        score=values[label],
        method=method,
        activation=fields["activation"],
        evaluations=fields["evaluations"],
        truncated=fields["truncated"],
        base=by_label(fields["base"]),
        values=values,
        words=parts(fields["words"]),
        pieces=parts(fields["pieces"]),
    )
