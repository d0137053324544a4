"""What a user writes, as a type checker sees it: each ``assert_type`` is checked by mypy, and the script runs."""

from __future__ import annotations

from typing import Optional

import polars as pl
from typing_extensions import assert_type

import albertine
from albertine import Prediction
from albertine.annotation import Annotation
from albertine.annotator import AlbertForSequenceClassification, SentenceDetector, Tokenizer, TokenizerModel
from albertine.base import DocumentAssembler, Finisher, LightPipeline, Pipeline, PipelineModel, PretrainedPipeline

TEXTS = ["Oil prices rose as OPEC cut output.", None]


def labels() -> None:
    assert_type(albertine.classify("Oil prices rose."), Prediction)
    assert_type(albertine.classify(TEXTS, precision="int8"), list[Prediction])
    assert_type(albertine.classify(["a", "b"], None, "f32", threads=1), list[Prediction])
    assert_type(albertine.classify(tuple(TEXTS), activation="sigmoid", threshold=0.5), list[Prediction])
    assert_type(albertine.classify(pl.DataFrame({"text": TEXTS}), all_scores=True), pl.DataFrame)
    assert_type(albertine.classify("a").label, Optional[str])
    assert_type(albertine.classify("a").scores, dict[str, float])


def metrics() -> None:
    table = pl.DataFrame({"text": ["Oil prices rose as OPEC cut output."], "label": ["Business"]})
    assert_type(albertine.evaluate(table), albertine.Evaluation)
    assert_type(albertine.evaluate(table).accuracy, float)


def stages() -> None:
    document = DocumentAssembler().setInputCol("text").setOutputCol("document").setCleanupMode("shrink")
    assert_type(document, DocumentAssembler)
    assert_type(document.getInputCol(), str)
    assert_type(document.getIdCol(), Optional[str])
    sentence = SentenceDetector().setInputCols(["document"]).setOutputCol("sentence").setExplodeSentences(False)
    assert_type(sentence, SentenceDetector)
    assert_type(sentence.getMaxLength(), Optional[int])
    token = Tokenizer().setInputCols("document").setOutputCol("token").addException("New York").setMinLength(1)
    assert_type(token, Tokenizer)
    assert_type(token.getInputCols(), list[str])
    assert_type(TokenizerModel.pretrained(), TokenizerModel)
    sequence = AlbertForSequenceClassification.pretrained().setInputCols(["token", "document"]).setOutputCol("class")
    assert_type(sequence.setCaseSensitive(False).setMaxSentenceLength(128), AlbertForSequenceClassification)
    assert_type(sequence.getClasses(), list[str])
    finisher = Finisher().setInputCols(["class"]).setOutputCols(["label"]).setOutputAsArray(True)
    assert_type(finisher, Finisher)

    frame = pl.DataFrame({"text": TEXTS})
    assert_type(document.transform(frame), pl.DataFrame)
    model = PipelineModel([document, token.fit(None), sequence, finisher])
    assert_type(model.transform(frame), pl.DataFrame)
    assert_type(model.copy(), PipelineModel)
    assert_type(Pipeline(stages=[document, token, sequence]).setStages([document]), Pipeline)


def texts_in_hand() -> None:
    document = DocumentAssembler().setInputCol("text").setOutputCol("document")
    light = LightPipeline(PipelineModel([document]))
    assert_type(light.annotate("a"), dict[str, list[str]])
    assert_type(light.annotate(["a", "b"]), list[dict[str, list[str]]])
    assert_type(light.annotate([1, 2], ["a", "b"]), list[dict[str, list[str]]])
    assert_type(light.fullAnnotate("a"), list[dict[str, list[Annotation]]])
    assert_type(light.fullAnnotate(["a"])[0]["document"][0].begin, int)
    assert_type(light.transform(pl.DataFrame({"text": TEXTS})), pl.DataFrame)
    assert_type(light.setIgnoreUnsupported(True), LightPipeline)


def whole_pipelines(path: str) -> None:
    pipeline = PretrainedPipeline.from_disk(path)
    assert_type(pipeline, PretrainedPipeline)
    assert_type(pipeline.annotate("a"), dict[str, list[str]])
    assert_type(pipeline.annotate(["a"]), list[dict[str, list[str]]])
    assert_type(pipeline.transform(pl.DataFrame({"text": TEXTS})), pl.DataFrame)
    assert_type(PipelineModel.load(path), PipelineModel)
    assert_type(AlbertForSequenceClassification.load(path, precision="int8"), AlbertForSequenceClassification)


if __name__ == "__main__":
    labels()
    metrics()
    stages()
    texts_in_hand()
    print("done")
