"""Pipelines and texts that several tests of Spark use."""

from __future__ import annotations

from typing import Any

from albertine.annotator import AlbertForSequenceClassification, Tokenizer
from albertine.base import DocumentAssembler

#: Texts and what the built-in model takes them for; blank ones have no class.
TEXTS = [
    ("Oil prices rose as OPEC cut output.", "Business"),
    ("The striker scored twice in the final.", "Sports"),
    ("Ministers met in Geneva to end the war.", "World"),
    ("The new processor doubles the speed of laptops.", "Sci/Tech"),
    ("", None),
    ("   ", None),
    (None, None),
]


def stages(model: Any = None) -> list[Any]:
    """The stages of the published example, with the built-in model unless another one is given."""
    sequence = AlbertForSequenceClassification.pretrained() if model is None else model
    return [
        DocumentAssembler().setInputCol("text").setOutputCol("document"),
        Tokenizer().setInputCols(["document"]).setOutputCol("token"),
        sequence.setInputCols(["token", "document"]).setOutputCol("class").setMaxSentenceLength(512),
    ]


def frame(spark: Any) -> Any:
    """A Spark table of the texts, with their places."""
    return spark.createDataFrame([(place, text) for place, (text, _) in enumerate(TEXTS)], "place int, text string")


def labels(result: Any) -> list[Any]:
    """The label of each text of a classified table, in the order of the places."""
    return [
        row.label[0] if row.label else None
        for row in result.selectExpr("place", "class.result as label").orderBy("place").collect()
    ]


#: The labels of the texts.
LABELS = [label for _, label in TEXTS]


def headlines(count: int) -> list[str]:
    """Short headlines, all of them different."""
    who = [
        "Oil",
        "The striker",
        "NASA",
        "The minister",
        "Google",
        "A bank",
        "The team",
        "Scientists",
        "Shares",
        "The president",
    ]
    did = [
        "fell",
        "won again",
        "met rivals",
        "cut jobs",
        "found water",
        "signed a deal",
        "lost the final",
        "launched a probe",
    ]
    where = ["in London", "on Wall Street", "in Baghdad", "at home", "over Mars", "in Athens", "in Tokyo"]
    return [
        f"{who[n % 10]} {did[n // 10 % 8]} {where[n // 80 % 7]}, report {n}" for n in range(count)
    ]
