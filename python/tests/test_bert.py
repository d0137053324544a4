"""BERT by its own annotator: the golden checkpoints, whose logits transformers computed."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import albertine
from albertine.annotator import AlbertForSequenceClassification, BertForSequenceClassification, Tokenizer
from albertine.base import DocumentAssembler, LightPipeline, PipelineModel

GOLDEN = Path(__file__).resolve().parents[2] / "testdata" / "golden"


def stages(sequence: BertForSequenceClassification) -> PipelineModel:
    document = DocumentAssembler().setInputCol("text").setOutputCol("document")
    token = Tokenizer().setInputCols(["document"]).setOutputCol("token").fit(None)
    return PipelineModel([document, token, sequence.setInputCols(["token", "document"]).setOutputCol("class")])


@pytest.mark.parametrize("name", ["bert_uncased", "bert_cased", "bert_vocab_txt"])
def test_scores_are_those_of_transformers(name: str, tmp_path: Path) -> None:
    expected = json.loads((GOLDEN / name / "expected.json").read_text())
    texts = json.loads((GOLDEN.parent.parent / "tools" / "golden" / "texts.json").read_text())
    model = stages(BertForSequenceClassification.load(GOLDEN / name))
    model.save(str(tmp_path / "saved"))
    again = PipelineModel.load(str(tmp_path / "saved"))
    compared = 0
    for text, row in zip(texts, expected):
        [annotated] = LightPipeline(model).fullAnnotate([text])
        assert [a.result for a in annotated["class"]] == [
            a.result for a in LightPipeline(again).fullAnnotate([text])[0]["class"]
        ]
        if not annotated["class"]:
            continue
        powers = [math.exp(logit) for logit in row["logits"]]
        [category] = annotated["class"]
        scores = [float(category.metadata[label]) for label in model.stages[-1].getClasses()]
        assert scores == pytest.approx([power / sum(powers) for power in powers], abs=1e-4)
        compared += 1
    assert compared > 20


def test_nlu_s_one_liner_takes_bert(tmp_path: Path) -> None:
    pipeline = albertine.load(path=str(GOLDEN / "bert_uncased"))
    expected = json.loads((GOLDEN / "bert_uncased" / "expected.json").read_text())
    text = json.loads((GOLDEN.parent.parent / "tools" / "golden" / "texts.json").read_text())[3]
    frame = pipeline.predict(text, output_level="document")
    labels = BertForSequenceClassification.load(GOLDEN / "bert_uncased").getClasses()
    best = max(range(len(labels)), key=lambda label: float(expected[3]["logits"][label]))
    assert labels[best] in frame.astype(str).values.ravel().tolist()
    # as a stage that was saved, too
    BertForSequenceClassification.load(GOLDEN / "bert_uncased").save(str(tmp_path / "stage"))
    assert albertine.load(path=str(tmp_path / "stage")).predict(text, output_level="document").equals(frame)


def test_a_model_of_another_family_is_refused() -> None:
    with pytest.raises(albertine.ModelError, match="is a model for BertForSequenceClassification"):
        AlbertForSequenceClassification.load(GOLDEN / "bert_uncased")
    with pytest.raises(albertine.ModelError, match="ag_news is a model for AlbertForSequenceClassification"):
        BertForSequenceClassification.pretrained("ag_news")
