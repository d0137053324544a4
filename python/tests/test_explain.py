"""The words that decide: explanations of texts, and the column of a table."""

from __future__ import annotations

import pickle

import pytest

import albertine
from albertine.errors import LabelError, ParamError, RowError

pa = pytest.importorskip("pyarrow")

OIL = "Oil prices rose 🛢 on Monday, & <b>fell</b> on Tuesday."


def test_weights_of_shap_add_up_to_the_score() -> None:
    found = albertine.explain(OIL)
    assert found is not None and found.label == albertine.classify(OIL).label
    scores = albertine.classify(OIL).scores
    for label, value in found.values.items():
        assert value == pytest.approx(scores[label], abs=1e-5)
        assert found.base[label] + sum(word.weights[label] for word in found.words) == pytest.approx(value, abs=1e-5)
    assert found.score == found.values[found.label] and found.activation == "softmax" and not found.truncated
    assert 1 < found.evaluations <= 500 + len(found.pieces)


@pytest.mark.parametrize("method", ["shap", "leave-one-out"])
def test_words_lie_where_they_say(method: str) -> None:
    found = albertine.explain(OIL, method=method)
    assert found is not None and found.method == method
    assert [word.word for word in found.words][:4] == ["Oil", "prices", "rose", "🛢"]
    for word in [*found.words, *found.pieces]:
        assert OIL[word.begin : word.end] == word.word and list(word.weights) == list(found.values)
    assert bool(found.pieces) == (method == "shap")


def test_leave_one_out_is_what_the_score_loses_without_a_word() -> None:
    model = {"model": "ag_news", "max_sentence_length": 64}
    found = albertine.explain("Oil", method="leave-one-out", **model)  # type: ignore[arg-type]
    assert found is not None
    (word,) = found.words
    assert word.weights["Business"] == pytest.approx(found.score - found.base["Business"], abs=1e-6)


def test_many_texts_are_explained_as_each_alone() -> None:
    texts = [OIL, None, "  ", "The final was decided on penalties"]
    found = albertine.explain(texts, evaluations=40)
    assert found == [albertine.explain(text, evaluations=40) if text else None for text in texts]
    assert albertine.explain("") is None and albertine.explain([]) == []


def test_logits_are_explained() -> None:
    found = albertine.explain(OIL, logits=True)
    assert found is not None and found.activation == "identity" and found.score > 1


def test_strongest_words_and_colors() -> None:
    found = albertine.explain(OIL)
    assert found is not None
    strongest = found.strongest(2)
    weights = sorted((word.weights["Business"] for word in found.words), reverse=True)
    assert [weight for _, weight in strongest] == weights[:2] and found.strongest(2, "Sports") != strongest
    page = found.to_html("Sports")
    assert page.startswith("<p") and ">Oil</span>" in page and "<b>" not in page and "&lt;" in page
    assert found._repr_html_().endswith(found.to_html())
    with pytest.raises(LabelError, match="no label `Weather`; its labels are World, Sports"):
        found.to_html("Weather")
    assert pickle.loads(pickle.dumps(found)) == found


def test_what_lies_beyond_the_limit_is_not_explained() -> None:
    text = "Oil prices rose " * 100
    found = albertine.explain(text, method="leave-one-out", max_sentence_length=32)
    assert found is not None and found.truncated and len(found.words) < 40
    assert "not read" in found.to_html()


def test_a_table_gets_a_column_of_words() -> None:
    table = pa.table({"text": [OIL, None], "words": [1, 2]})
    labeled = albertine.classify(table, explain=2, explain_method="shap")
    assert labeled.column_names == ["text", "words", "label", "score", "predicted_words"]
    first, second = labeled["predicted_words"].to_pylist()
    found = albertine.explain(OIL)
    assert found is not None and second is None
    assert [(word["word"], pytest.approx(word["weight"], abs=1e-6)) for word in first] == found.strongest(2)
    assert [OIL[word["begin"] : word["end"]] for word in first] == [word["word"] for word in first]


def test_wrong_arguments_say_what_is_right() -> None:
    with pytest.raises(ParamError, match="shap or leave-one-out"):
        albertine.explain(OIL, method="lime")
    for evaluations in (0, -1, True, 1.5):
        with pytest.raises(ParamError, match="evaluations is .*, but must be a whole number from 1"):
            albertine.explain(OIL, evaluations=evaluations)  # type: ignore[call-overload]
    with pytest.raises(ParamError, match="explain is 0"):
        albertine.classify(pa.table({"text": [OIL]}), explain=0)
    with pytest.raises(ParamError, match="activation"):
        albertine.explain(OIL, activation="softmax", logits=True)
    with pytest.raises(TypeError, match="explain=5"):
        albertine.explain(pa.table({"text": [OIL]}))  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="text 1 must be a str, not int"):
        albertine.explain([OIL, 3])  # type: ignore[list-item]
    with pytest.raises(RowError, match="row 1: the text holds half a character"):
        albertine.explain([OIL, "\ud800"])
