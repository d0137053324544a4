"""What annotators give for a text in hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Annotation"]


@dataclass(repr=False)
class Annotation:
    """One annotation over a text.

    ``begin`` and ``end`` are inclusive and count UTF-16 code units of the text after the ``DocumentAssembler``, as on
    the JVM; an empty text has ``begin`` 0 and ``end`` -1.

    >>> Annotation("category", 0, 5, "Sports", {"sentence": "0"})
    Annotation(category, 0, 5, Sports, {'sentence': '0'}, [])
    """

    #: The kind: ``document``, ``token`` or ``category``.
    annotatorType: str
    #: The first UTF-16 code unit.
    begin: int
    #: The last one, inclusive.
    end: int
    #: The text of a document or token, the label of a category.
    result: str
    #: Further facts, as text: of a category the score of every label.
    metadata: dict[str, str | None] = field(default_factory=dict)
    #: A vector; empty for every annotator here.
    embeddings: list[float] = field(default_factory=list)

    def __repr__(self) -> str:
        parts = (self.annotatorType, self.begin, self.end, self.result, self.metadata, self.embeddings)
        return f"Annotation({', '.join(map(str, parts))})"

    def copy(self, result: str) -> Annotation:
        """The same annotation with another result."""
        return Annotation(self.annotatorType, self.begin, self.end, result, dict(self.metadata), list(self.embeddings))

    def toRow(self) -> Any:
        """The annotation as a row of Spark's."""
        from pyspark.sql import Row

        # in the order of the type's fields
        return Row("annotatorType", "begin", "end", "result", "metadata", "embeddings")(
            self.annotatorType, self.begin, self.end, self.result, self.metadata, self.embeddings
        )

    @staticmethod
    def dataType() -> Any:
        """The Spark type of an annotation."""
        from albertine import _spark

        return _spark.annotation_type()

    @staticmethod
    def arrayType() -> Any:
        """The Spark type of an annotation column."""
        from pyspark.sql.types import ArrayType

        return ArrayType(Annotation.dataType())

    @staticmethod
    def fromRow(row: Any) -> Annotation:
        """The annotation in a row of Spark's, such as an element of an annotation column."""
        metadata = dict(row.metadata or {})
        return Annotation(row.annotatorType, row.begin, row.end, row.result, metadata, list(row.embeddings or []))
