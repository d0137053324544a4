"""The native half."""

import os
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, final

from typing_extensions import Self

__all__ = [
    "VERSION",
    "Batches",
    "Classifier",
    "Pipeline",
    "calibrate",
    "default_params",
    "evaluate",
    "explain",
    "explanation_html",
    "known_models",
    "published_models",
    "pull",
    "read_exceptions",
    "remove",
    "replace_folder",
    "take",
    "train",
]

VERSION: str

#: An annotation's fields: type, begin, end, result, metadata, embeddings.
_Fields = tuple[str, int, int, str, list[tuple[str, Optional[str]]], list[float]]

@final
class Batches:
    """An iterator over the transformed batches of a stream; each has the Arrow PyCapsule interface."""

    @property
    def schema(self) -> Any: ...
    @property
    def origins(self) -> list[Optional[int]]: ...
    @property
    def kinds(self) -> dict[str, str]: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __next__(self) -> Any: ...
    def read_all(self) -> Any: ...

@final
class Classifier:
    """A loaded model."""

    @staticmethod
    def load(
        name: str,
        *,
        lang: Optional[str] = None,
        precision: str = "f32",
        max_sentence_length: Optional[int] = None,
        case_sensitive: Optional[bool] = None,
        encoding: Optional[str] = None,
        window_overlap: Optional[int] = None,
        threads: int = 0,
        remote_loc: Optional[str] = None,
    ) -> Classifier: ...
    @property
    def labels(self) -> list[str]: ...
    @property
    def path(self) -> Optional[Path]: ...
    @property
    def name(self) -> str: ...
    @property
    def annotator(self) -> str: ...
    @property
    def precision(self) -> str: ...
    @property
    def params(self) -> str: ...
    def __deepcopy__(self, _memo: Any) -> Classifier: ...
    def in_precision(self, precision: str) -> Classifier: ...
    def save(self, directory: str | os.PathLike[str]) -> None: ...
    def predict(
        self,
        texts: list[Optional[str]],
        activation: Optional[str],
        threshold: Optional[float],
        abstain: Optional[float],
    ) -> list[Optional[tuple[Optional[str], float, dict[str, float]]]]: ...
    def classify(
        self,
        stream: Any,
        text: list[str],
        all_scores: bool,
        logits: bool,
        annotations: bool,
        words: Optional[tuple[int, str]],
        activation: Optional[str],
        threshold: Optional[float],
        abstain: Optional[float],
        coverage: Optional[float],
    ) -> Batches: ...

@final
class Pipeline:
    """Stages in a row, checked and ready to work."""

    def __new__(cls, stages: list[tuple[str, str, Optional[Classifier]]], threads: int = 0) -> Self: ...
    @staticmethod
    def load(path: str | os.PathLike[str]) -> Pipeline: ...
    @staticmethod
    def load_if_one(path: str | os.PathLike[str]) -> Optional[Pipeline]: ...
    @staticmethod
    def pretrained(name: str, lang: str, remote_loc: Optional[str] = None) -> Pipeline: ...
    def stages(self) -> list[tuple[str, str, Optional[Classifier]]]: ...
    def output_schema(self, schema: Any, kinds: dict[str, str]) -> Any: ...
    def transform(self, stream: Any, kinds: dict[str, str]) -> Batches: ...
    def annotate(self, texts: list[str]) -> list[dict[str, list[_Fields]]]: ...

def default_params(name: str) -> str: ...
def read_exceptions(path: str) -> list[str]: ...
def known_models() -> list[tuple[str, Optional[str], str, Optional[int], Optional[Path]]]: ...
def published_models(
    lang: Optional[str] = None, version: Optional[str] = None
) -> list[tuple[str, Optional[str], Optional[str], bool, Optional[str], str]]: ...
def pull(name: str, lang: Optional[str] = None) -> Optional[Path]: ...
def remove(name: str) -> list[Path]: ...
def replace_folder(complete: str, place: str) -> None: ...
def take(column: Any, positions: Any) -> Any: ...
def train(
    tables: list[Optional[tuple[str, Any]]],
    vocabulary: Optional[tuple[str, Any]],
    teachers: list[Any],
    arguments: dict[str, Any],
    listener: Optional[Callable[[str, dict[str, Any]], None]],
) -> dict[str, Any]: ...
def calibrate(
    classifier: Classifier,
    stream: Any,
    output: str | os.PathLike[str],
    text_columns: list[str],
    label_column: str,
    labels: Optional[list[str]],
) -> dict[str, Any]: ...
def evaluate(
    classifier: Classifier,
    input: str,
    stream: Any,
    text_columns: list[str],
    label_column: str,
    labels: Optional[list[str]],
    folder: Optional[str],
) -> str: ...
def explain(
    classifier: Classifier,
    texts: list[Optional[str]],
    method: str,
    evaluations: int,
    activation: Optional[str],
    logits: bool,
) -> list[Optional[dict[str, Any]]]: ...
def explanation_html(text: str, words: list[tuple[int, int, float]], truncated: bool) -> str: ...
