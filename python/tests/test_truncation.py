"""Texts that are cut are told of, once, in the name of whoever asked."""

from __future__ import annotations

import warnings

import pandas as pd
import pyarrow as pa
import pytest

import albertine
from albertine import TruncationWarning
from albertine.base import LightPipeline, PipelineModel

TEXTS = ["Oil rose and " * 300, "Oil rose.", None, "The striker scored and " * 300]
TWO = "^2 texts were longer than 128 pieces and truncated"


def test_texts_that_are_cut_are_told_of(model: PipelineModel) -> None:
    table, said = pa.table({"text": TEXTS}), [text or "" for text in TEXTS]
    ways = [
        lambda: model.transform(table),
        lambda: model.transform(table.to_pandas()),
        lambda: model.transform(pa.RecordBatchReader.from_batches(table.schema, table.to_batches(1))).read_all(),
        lambda: LightPipeline(model).annotate(said),
        lambda: albertine.classify(TEXTS, max_sentence_length=128),
        lambda: albertine.classify(table, max_sentence_length=128),
        lambda: albertine.load("ag_news").predict(said),
    ]
    for way in ways:
        with pytest.warns(TruncationWarning, match=TWO) as told:
            way()
        assert [warning.filename for warning in told] == [__file__]
    with pytest.warns(TruncationWarning, match="^1 text was longer than 512 pieces and truncated"):
        albertine.classify(TEXTS[0])


def test_texts_that_are_read_whole_are_not(model: PipelineModel) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.transform(pd.DataFrame({"text": TEXTS[1:3]}))
        albertine.classify(TEXTS, window_overlap=8)
        with pytest.raises(TruncationWarning):
            albertine.classify(TEXTS)
