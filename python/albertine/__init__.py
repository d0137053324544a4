"""Text classification with ALBERT, from a single headline to a table on a Spark cluster.

For labels, one function is enough:

>>> import albertine
>>> albertine.classify("Stocks fell on Wall Street as oil prices rose.").label
'Business'

Annotators and pipelines under Spark NLP's names, for Spark, pandas, polars and Arrow, are in :mod:`albertine.base` and
:mod:`albertine.annotator`; NLU's one-liner is :func:`load`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from albertine._albertine import VERSION as __version__
from albertine._classify import Prediction, classify
from albertine._explain import Explanation, WordWeights, explain
from albertine._pretrain import pretrain
from albertine._quality import Calibration, calibrate
from albertine._train import evaluate, train
from albertine._training import Evaluation, TrainEpoch, TrainResult, TrainStart, TrainStep
from albertine.errors import (
    AlbertineError,
    CheckpointWarning,
    ColumnError,
    HubError,
    LabelError,
    LabelWarning,
    ModelError,
    ModelNotFound,
    ParamError,
    PipelineError,
    RowError,
    TrainingError,
    TruncationWarning,
)

if TYPE_CHECKING:
    from albertine.annotation import Annotation
    from albertine.annotator import (
        AlbertForSequenceClassification,
        BertForSequenceClassification,
        SentenceDetector,
        Tokenizer,
        TokenizerModel,
    )
    from albertine.base import (
        DocumentAssembler,
        Finisher,
        LightPipeline,
        Pipeline,
        PipelineModel,
        PretrainedPipeline,
        RecursivePipeline,
    )
    from albertine.nlu import NLUPipeline, load
    from albertine.pretrained import ResourceDownloader
    from albertine.session import start, version

__all__ = [
    "AlbertForSequenceClassification",
    "AlbertineError",
    "Annotation",
    "BertForSequenceClassification",
    "CheckpointWarning",
    "Calibration",
    "ColumnError",
    "DocumentAssembler",
    "Evaluation",
    "Explanation",
    "Finisher",
    "HubError",
    "LabelError",
    "LabelWarning",
    "LightPipeline",
    "ModelError",
    "ModelNotFound",
    "NLUPipeline",
    "ParamError",
    "Pipeline",
    "PipelineError",
    "PipelineModel",
    "Prediction",
    "PretrainedPipeline",
    "RecursivePipeline",
    "ResourceDownloader",
    "RowError",
    "SentenceDetector",
    "Tokenizer",
    "TokenizerModel",
    "TrainEpoch",
    "TrainResult",
    "TrainStart",
    "TrainStep",
    "TrainingError",
    "TruncationWarning",
    "WordWeights",
    "__version__",
    "calibrate",
    "classify",
    "evaluate",
    "explain",
    "load",
    "pretrain",
    "start",
    "train",
    "version",
]

#: Where the rest is: stages are those of Spark where PySpark is installed, which takes half a second to import.
_LAZY = {
    "albertine.annotation": ["Annotation"],
    "albertine.annotator": [
        "AlbertForSequenceClassification",
        "BertForSequenceClassification",
        "SentenceDetector",
        "Tokenizer",
        "TokenizerModel",
    ],
    "albertine.base": [
        "DocumentAssembler",
        "Finisher",
        "LightPipeline",
        "Pipeline",
        "PipelineModel",
        "PretrainedPipeline",
        "RecursivePipeline",
    ],
    "albertine.nlu": ["NLUPipeline", "load"],
    "albertine.pretrained": ["ResourceDownloader"],
    "albertine.session": ["start", "version"],
}


def __getattr__(name: str) -> Any:
    for module, names in _LAZY.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'albertine' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING", "Any", "annotations", "import_module"})
