"""Annotators that work on documents: sentences, tokens, classes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Optional, Union

from albertine import _albertine, _saving
from albertine._ml import Estimator, Model, TypeConverters
from albertine._stage import AnnotatorTransformer, IsAnnotator, Spec, accessors, optional_accessors, param, registered
from albertine.errors import ModelError, ModelNotFound, ParamError, PipelineError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "AlbertForSequenceClassification",
    "BertForSequenceClassification",
    "SentenceDetector",
    "Tokenizer",
    "TokenizerModel",
]


@registered
class SentenceDetector(IsAnnotator, AnnotatorTransformer):
    """Documents to sentences, by Spark NLP's rules: ends of sentences, abbreviations, numbers, lists, quotations.

    Reads a column of type ``document`` and writes one of type ``document``, one annotation per sentence, with the
    offsets of the document and the sentence's number as ``sentence`` in the metadata.

    >>> from albertine.base import DocumentAssembler, LightPipeline, PipelineModel
    >>> document = DocumentAssembler().setInputCol("text").setOutputCol("document")
    >>> sentence = SentenceDetector().setInputCols(["document"]).setOutputCol("sentence")
    >>> light = LightPipeline(PipelineModel([document, sentence]))
    >>> light.annotate("Oil rose 2.5 per cent. Shares of Acme Inc. fell.")["sentence"]
    ['Oil rose 2.5 per cent.', 'Shares of Acme Inc. fell.']
    """

    _native = "SentenceDetector"

    useAbbreviations, setUseAbbreviations, getUseAbbreviations = accessors(
        "useAbbreviations", "whether periods after abbreviations do not end a sentence", bool
    )
    detectLists, setDetectLists, getDetectLists = accessors(
        "detectLists", "whether the items of lists are sentences", bool
    )
    useCustomBoundsOnly, setUseCustomBoundsOnly, getUseCustomBoundsOnly = accessors(
        "useCustomBoundsOnly", "whether only the custom bounds end sentences", bool
    )
    customBounds, setCustomBounds, getCustomBounds = accessors(
        "customBounds", "further patterns that end sentences", list[str]
    )
    customBoundsStrategy, setCustomBoundsStrategy, getCustomBoundsStrategy = accessors(
        "customBoundsStrategy",
        "what happens to a custom bound: none (dropped), prepend to the next sentence or append to the one before",
        str,
    )
    explodeSentences, setExplodeSentences, getExplodeSentences = accessors(
        "explodeSentences",
        "whether each sentence gets its own row; rows without a sentence (missing or empty texts) are then dropped",
        bool,
    )
    splitLength, setSplitLength, getSplitLength = optional_accessors(
        "splitLength", "the length over which sentences are split at words, in UTF-16 code units", int
    )
    minLength, setMinLength, getMinLength = accessors(
        "minLength", "the minimum length of a sentence, in UTF-16 code units; shorter ones are dropped", int
    )
    maxLength, setMaxLength, getMaxLength = optional_accessors(
        "maxLength", "the maximum length of a sentence, in UTF-16 code units; longer ones are dropped", int
    )


class _TokenizerParams(IsAnnotator):
    """The parameters of a tokenizer."""

    _native = "Tokenizer"

    targetPattern, setTargetPattern, getTargetPattern = optional_accessors(
        "targetPattern", "the pattern of a token before it is split further; by default \\S+", str
    )
    prefixPattern, setPrefixPattern, getPrefixPattern = optional_accessors(
        "prefixPattern", "the pattern for the start of a token, from \\A; its groups are tokens", str
    )
    suffixPattern, setSuffixPattern, getSuffixPattern = optional_accessors(
        "suffixPattern", "the pattern for the end of a token, to \\z; its groups are tokens", str
    )
    infixPatterns, setInfixPatterns, getInfixPatterns = accessors(
        "infixPatterns",
        "the patterns for the inside of a token; the groups of the first that matches are tokens",
        list[str],
    )
    contextChars, setContextChars, getContextChars = accessors(
        "contextChars", "the characters that are separate tokens at either end of another", list[str]
    )
    splitPattern, setSplitPattern, getSplitPattern = optional_accessors(
        "splitPattern", "the pattern by which tokens are split again", str
    )
    splitChars, setSplitChars, getSplitChars = accessors(
        "splitChars", "the characters by which tokens are split again", list[str]
    )
    exceptions, setExceptions, getExceptions = accessors(
        "exceptions", "the texts that stay one token, whatever they contain", list[str]
    )
    caseSensitiveExceptions, setCaseSensitiveExceptions, getCaseSensitiveExceptions = accessors(
        "caseSensitiveExceptions", "whether the case of exceptions matters", bool
    )
    minLength, setMinLength, getMinLength = accessors(
        "minLength", "the minimum length of a token, in UTF-16 code units; shorter ones are dropped", int
    )
    maxLength, setMaxLength, getMaxLength = optional_accessors(
        "maxLength", "the maximum length of a token, in UTF-16 code units; longer ones are dropped", int
    )
    rules = param("rules", "the patterns of a tokenizer that Spark NLP fitted", TypeConverters.toListString)

    def addInfixPattern(self, value: str) -> Self:
        """Adds a pattern for the inside of a token, which is tried before the others."""
        return self._with(infixPatterns=[value, *(self._get("infixPatterns") or [])])

    def addContextChars(self, value: Union[str, list[str]]) -> Self:
        """Adds characters that are separate tokens at either end of another."""
        more = [value] if isinstance(value, str) else value
        return self._with(contextChars=[*(self._get("contextChars") or []), *more])

    def addSplitChars(self, value: Union[str, list[str]]) -> Self:
        """Adds characters by which tokens are split again."""
        more = [value] if isinstance(value, str) else value
        return self._with(splitChars=[*(self._get("splitChars") or []), *more])

    def addException(self, value: str) -> Self:
        """Adds a text that stays one token."""
        return self._with(exceptions=[*(self._get("exceptions") or []), value])

    def setExceptionsPath(self, path: Union[str, os.PathLike[str]], read_as: str = "TEXT", options: Any = None) -> Self:
        """Adds the exceptions of a file, one a line. ``read_as`` and ``options`` are accepted, and mean nothing here.

        Raises:
            albertine.ParamError: the file cannot be read.
        """
        try:
            lines = _albertine.read_exceptions(os.fspath(path))
        except ModelError as error:
            raise ParamError(f"exceptionsPath: {error}") from None
        return self._with(exceptions=[*(self._get("exceptions") or []), *lines])


@registered
class TokenizerModel(_TokenizerParams, AnnotatorTransformer, Model):  # type: ignore[misc]
    """A fitted :class:`Tokenizer`: documents to tokens."""

    @classmethod
    def pretrained(cls, name: str = "token_rules", lang: str = "en", remote_loc: str | None = None) -> TokenizerModel:
        """The tokenizer with the default rules, which is all that Spark NLP publishes."""
        if name != "token_rules":
            raise PipelineError(f"there is no tokenizer named {name!r}; there is 'token_rules'")
        return cls()


@registered
class Tokenizer(_TokenizerParams, Estimator[TokenizerModel]):
    """Documents to tokens, by Spark NLP's rules.

    Text is cut at white space (``targetPattern``); then punctuation (``contextChars``) is taken off either end of what
    is left, exceptions stay whole, and pieces can be split again (``splitChars``, ``splitPattern``). Patterns are
    Java's.

    Reads a column of type ``document``, documents or sentences, and writes one of type ``token``, one annotation a
    token, whose offsets are those of the document and whose metadata has the number of its ``sentence``. ``fit`` gives
    a
    :class:`TokenizerModel`; pipelines do it.

    >>> from albertine.base import DocumentAssembler, LightPipeline, PipelineModel
    >>> document = DocumentAssembler().setInputCol("text").setOutputCol("document")
    >>> token = Tokenizer().setInputCols(["document"]).setOutputCol("token").addException("New York")
    >>> light = LightPipeline(PipelineModel([document, token.fit(None)]))
    >>> light.annotate("(New York) shares fell 2%.")["token"]
    ['(New York)', 'shares', 'fell', '2%', '.']
    """

    def fit(self, dataset: Any, params: Any = None) -> Any:
        """The model with these parameters; a table is not looked at, and may be ``None``.

        Raises:
            albertine.ParamError: a pattern or a parameter is none that can be used.
        """
        return super().fit(dataset, params)

    def _fit(self, dataset: Any) -> TokenizerModel:
        _albertine.Pipeline([self._spec()])
        model = TokenizerModel()
        model._resetUid(self.uid)
        model._set(**self._values())
        return model


class _ForSequenceClassification(IsAnnotator, AnnotatorTransformer, Model):  # type: ignore[misc]
    """Documents or sentences to classes, with a model of the family whose annotator it is."""

    batchSize, setBatchSize, getBatchSize = accessors(
        "batchSize",
        "how many texts go through the encoder together on one thread. It changes the speed, never a score",
        int,
    )
    maxSentenceLength, setMaxSentenceLength, getMaxSentenceLength = accessors(
        "maxSentenceLength",
        "the most pieces of a text that are read, [CLS] and [SEP] counted: 2 to the model's positions",
        int,
    )
    caseSensitive, setCaseSensitive, getCaseSensitive = optional_accessors(
        "caseSensitive", "whether case matters. Unless said otherwise the model's tokenizer decides", bool
    )
    coalesceSentences, setCoalesceSentences, getCoalesceSentences = accessors(
        "coalesceSentences", "whether the scores of a row's sentences are averaged into one annotation", bool
    )
    activation, setActivation, getActivation = accessors(
        "activation", "how logits become scores: softmax (they add up to 1) or sigmoid (each by itself)", str
    )
    threshold, setThreshold, getThreshold = accessors(
        "threshold", "the score that a label must exceed under sigmoid to be given", float
    )
    encoding, setEncoding, getEncoding = accessors(
        "encoding",
        "how a text becomes pieces: document (the whole text, as the model was trained) or token (each token alone, as "
        "Spark NLP does it)",
        str,
    )
    windowOverlap, setWindowOverlap, getWindowOverlap = optional_accessors(
        "windowOverlap",
        "how many pieces the windows share in which texts over the limit are read whole, their logits averaged. Unless "
        "set, such texts are truncated",
        int,
    )
    precision, setPrecision, getPrecision = accessors(
        "precision", "how exactly the encoder computes: f32 (exact), bf16 or int8 (faster)", str
    )
    multilabel = param("multilabel", "whether labels are scored each by itself", TypeConverters.toBoolean)
    configProtoBytes = param(
        "configProtoBytes",
        "the settings of a TensorFlow session, which there is not: kept without effect",
        TypeConverters.toListInt,
    )
    engine = param("engine", "the engine that the model was saved for, which is not used here")

    _classifier: _albertine.Classifier | None = None
    #: Where the model's files are, for as long as they are needed.
    _open_files: _saving.OpenFiles | None = None
    _fetched: _saving.Fetched | None = None

    def __init__(self, classifier: _albertine.Classifier | None = None, **params: Any) -> None:
        if not isinstance(classifier, (_albertine.Classifier, type(None))):
            raise TypeError(f"a model comes by {type(self).__name__}.pretrained(name) or .load(path)")
        if classifier is not None and classifier.annotator != self._native:
            raise ModelError(f"{classifier.name} is a model for {classifier.annotator}, not for {self._native}")
        self._classifier = classifier
        super().__init__(**params)

    def _set_defaults(self) -> None:
        if self._classifier is not None:
            self._setDefault(precision="f32", **json.loads(self._classifier.params))
            if self._classifier.precision != "f32":
                # it was asked for, and is saved with what else was
                self._set(precision=self._classifier.precision)

    def _model(self) -> _albertine.Classifier:
        """The model, in the precision that was asked for."""
        if self._classifier is None:
            raise PipelineError(f"there is no model: use {type(self).__name__}.pretrained(name) or .load(path)")
        wanted = self._get("precision")
        if wanted != self._classifier.precision:
            self._classifier = self._classifier.in_precision(wanted)
        return self._classifier

    def _values(self) -> dict[str, Any]:
        ours = ("precision", "engine")
        return {name: value for name, value in super()._values().items() if name not in ours}

    def _spec(self) -> Spec:
        return self._native, json.dumps(self._values()), self._model()

    @classmethod
    def _named(
        cls,
        name: Union[str, os.PathLike[str]],
        lang: str,
        remote_loc: Union[str, os.PathLike[str], None],
        precision: str,
    ) -> Self:
        """The annotator with the model of a name."""
        place = None if remote_loc is None else os.fspath(remote_loc)
        return cls(_albertine.Classifier.load(os.fspath(name), lang=lang, precision=precision, remote_loc=place))

    @classmethod
    def load(cls, path: Any, *, precision: str = "f32") -> Self:
        """A model from disk: a stage that was saved, a model directory of Hugging Face's layout, a TensorFlow
        SavedModel or ONNX export, what Spark NLP saved, or a zip or tar archive of any.

        Raises:
            albertine.ModelNotFound: nothing is there.
            albertine.ModelError: it is no model, or a damaged one.
        """
        found = _saving.Fetched(path)
        stage = cls._load_folder(found.folder, precision)
        stage._fetched = found
        return stage

    @classmethod
    def _load_folder(cls, folder: str, precision: str = "f32") -> Self:
        saved = _saving.load_stage(folder, cls)
        if saved is not None:
            return saved if precision == "f32" else saved.setPrecision(precision)  # type: ignore[no-any-return]
        return cls(_albertine.Classifier.load(os.path.abspath(folder), precision=precision))

    @classmethod
    def loadSavedModel(cls, folder: str, spark_session: Any = None) -> Self:
        """As :meth:`load`; a session is not needed."""
        return cls.load(folder)

    def _write_tree(self, folder: str) -> None:
        target = os.path.join(folder, "model")
        if self._open_files is not None:
            self._open_files.write(target)
        else:
            self._model().save(target)

    def _read_tree(self, folder: str) -> None:
        path = os.path.join(os.path.abspath(folder), "model")
        self._classifier = _albertine.Classifier.load(path)
        self._open_files = _saving.OpenFiles(path)
        self._set_defaults()

    def getClasses(self) -> list[str]:
        """The labels, in the order of the model's logits."""
        return self._model().labels

    def setMultilabel(self, value: bool) -> Self:
        """Sets whether labels are scored each by itself: ``activation`` becomes ``sigmoid``, else ``softmax``."""
        return self._with(multilabel=value, activation="sigmoid" if value else "softmax")

    def getMultilabel(self) -> bool:
        """Whether labels are scored each by itself."""
        return bool(self._get("activation") == "sigmoid")

    def setConfigProtoBytes(self, b: list[int]) -> Self:
        """Sets the settings of a TensorFlow session. There is none: they are kept without effect."""
        return self._with(configProtoBytes=b)

    def getConfigProtoBytes(self) -> Optional[list[int]]:
        """The settings of a TensorFlow session, which have no effect."""
        return self._get("configProtoBytes")  # type: ignore[no-any-return]


@registered
class AlbertForSequenceClassification(_ForSequenceClassification):
    """Documents or sentences to classes, with an ALBERT model.

    Reads a column of type ``document`` and one of type ``token``, in any order, and writes one of type ``category``:
    for each document that has a token one annotation, with the best label as its result and the score of every label in
    its metadata (under ``sigmoid`` one for each label over the threshold).

    The same text has the same scores, bit for bit, in whatever company, order and number of threads.

    >>> from albertine.base import DocumentAssembler, LightPipeline, PipelineModel
    >>> document = DocumentAssembler().setInputCol("text").setOutputCol("document")
    >>> token = Tokenizer().setInputCols(["document"]).setOutputCol("token").fit(None)
    >>> sequence = AlbertForSequenceClassification.pretrained()
    >>> sequence = sequence.setInputCols(["token", "document"]).setOutputCol("class")
    >>> sequence.getClasses()
    ['World', 'Sports', 'Business', 'Sci/Tech']
    >>> light = LightPipeline(PipelineModel([document, token, sequence]))
    >>> light.annotate("The striker scored twice in the final.")["class"]
    ['Sports']
    """

    _native = "AlbertForSequenceClassification"

    @classmethod
    def pretrained(
        cls,
        name: Union[str, os.PathLike[str]] = "ag_news",
        lang: str = "en",
        remote_loc: Union[str, os.PathLike[str], None] = None,
        *,
        precision: str = "f32",
    ) -> Self:
        """A model by name, fetched and kept if it is not here yet.

        Args:
            name: a built-in model (``ag_news``, the default), a published one
                (``albert_base_sequence_classifier_ag_news``), a repository of the Hugging Face hub (``owner/name``,
                ``owner/name@revision``), an address or a path.
            lang: the language of its texts.
            remote_loc: where published models are looked for, instead of Spark NLP's public folder: a folder or an
                address.
            precision: ``f32`` (exact), ``bf16`` or ``int8`` (faster).

        Raises:
            albertine.ModelNotFound: there is none of the name; the message says what to do.
            albertine.HubError: it could not be fetched.
            albertine.ModelError: its files are damaged.
        """
        return cls._named(name, lang, remote_loc, precision)


#: What Spark NLP loads where no name is given.
_BERT = "bert_base_sequence_classifier_imdb"


@registered
class BertForSequenceClassification(_ForSequenceClassification):
    """Documents or sentences to classes, with a BERT model.

    Columns, parameters and annotations are those of :class:`AlbertForSequenceClassification`. No BERT model is built
    in: one comes from a model directory, the Hugging Face hub or a saved stage.
    """

    _native = "BertForSequenceClassification"

    @classmethod
    def pretrained(
        cls,
        name: Union[str, os.PathLike[str]] = _BERT,
        lang: str = "en",
        remote_loc: Union[str, os.PathLike[str], None] = None,
        *,
        precision: str = "f32",
    ) -> Self:
        """A model by name, fetched and kept if it is not here yet; the default is Spark NLP's, which is among the
        published models once ``albertine models list --refresh`` has read Spark NLP's index.

        Args:
            name: a published model, a repository of the Hugging Face hub (``owner/name``, ``owner/name@revision``), an
                address or a path.
            lang: the language of its texts.
            remote_loc: where published models are looked for, instead of Spark NLP's public folder: a folder or an
                address.
            precision: ``f32`` (exact), ``bf16`` or ``int8`` (faster).

        Raises:
            albertine.ModelNotFound: there is none of the name; the message says what to do.
            albertine.HubError: it could not be fetched.
            albertine.ModelError: its files are damaged, or it is of another family.
        """
        try:
            return cls._named(name, lang, remote_loc, precision)
        except ModelNotFound as error:
            if name != _BERT:
                raise
            raise ModelNotFound(
                f"{error}. {_BERT} is Spark NLP's default: `albertine models list --refresh` reads the index that has "
                "it; "
                "or name a repository of the Hugging Face hub, such as textattack/bert-base-uncased-imdb, or a path"
            ) from None
