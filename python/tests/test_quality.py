"""Calibration, abstention and prediction sets."""

import json
from pathlib import Path

import pandas as pd
import pytest

import albertine
from albertine.errors import ColumnError, LabelError, ParamError, TrainingError

BUSINESS = "Stocks fell on Wall Street as oil prices rose and investors feared inflation."
SPORTS = "The striker scored twice as the team won the cup final after extra time."


def labeled(rows: int) -> pd.DataFrame:
    """Headlines with their labels; each tenth is none that tells its label."""
    labels = ["World", "Sports", "Business", "Sci/Tech"]
    untold = [row % 10 == 3 for row in range(rows)]
    text = ["of the" if untold[row] else [BUSINESS, SPORTS][row % 2] for row in range(rows)]
    label = [labels[row // 10 % 4] if untold[row] else ["Business", "Sports"][row % 2] for row in range(rows)]
    return pd.DataFrame({"text": [f"{row} {text}" for row, text in enumerate(text)], "label": label})


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> albertine.Calibration:
    return albertine.calibrate(labeled(100), tmp_path_factory.mktemp("models") / "calibrated")


def test_the_scores_of_a_calibrated_model_fit_better(calibrated: albertine.Calibration) -> None:
    assert (calibrated.samples, calibrated.left_out) == (100, 0)
    assert 0.9 <= calibrated.accuracy < 1
    assert calibrated.loss < calibrated.loss_before
    before, after = (albertine.classify(SPORTS, model).score for model in (None, calibrated.path))
    assert before is not None and after is not None and (after < before) == (calibrated.temperature > 1)
    kept = json.loads((calibrated.path / "calibration.json").read_text())
    assert len(kept["correct"]) + len(kept["errors"]) == 100


def test_a_model_abstains_and_gives_sets(calibrated: albertine.Calibration) -> None:
    found = albertine.classify(labeled(100), calibrated.path, abstain=0.95, coverage=0.85)
    assert list(found.columns) == ["text", "label", "predicted_label", "score", "prediction_set"]
    covered = [label in labels for label, labels in zip(found["label"], found["prediction_set"])]
    assert sum(covered) >= 85
    answered = found[found["predicted_label"].notna()]
    assert (answered["label"] == answered["predicted_label"]).mean() >= 0.95
    assert found["score"].notna().all()
    alone = albertine.classify(list(found["text"]), calibrated.path, abstain=0.95)
    assert [row.label for row in alone] == [None if pd.isna(label) else label for label in found["predicted_label"]]


def test_what_cannot_be_promised_is_refused(calibrated: albertine.Calibration) -> None:
    with pytest.raises(ParamError, match="ag_news is not calibrated"):
        albertine.classify(SPORTS, abstain=0.9)
    with pytest.raises(ParamError, match="an accuracy of 0.999 needs at least 2995 validation texts"):
        albertine.classify(SPORTS, calibrated.path, abstain=0.999)
    with pytest.raises(ParamError, match="needs at least 999 validation texts"):
        albertine.classify(labeled(1), calibrated.path, coverage=0.999)
    for wrong in (0.0, 1.0, 98.0, float("nan")):
        with pytest.raises(ParamError, match="must be between 0 and 1"):
            albertine.classify(SPORTS, calibrated.path, abstain=wrong)
    with pytest.raises(ParamError, match="need the scores of softmax"):
        albertine.classify(SPORTS, calibrated.path, abstain=0.9, activation="sigmoid")


def test_what_cannot_be_calibrated_is_refused(tmp_path: Path) -> None:
    output = tmp_path / "out"
    with pytest.raises(TrainingError, match="right about all of 2 texts"):
        albertine.calibrate(labeled(2), output)
    with pytest.raises(LabelError, match="`Politics` is not a class of the model"):
        albertine.calibrate(labeled(2).assign(label="Politics"), output)
    with pytest.raises(LabelError, match="no row has both"):
        albertine.calibrate(labeled(2).astype("string").iloc[:0], output)
    with pytest.raises(ColumnError, match="there is no column `topic`"):
        albertine.calibrate(labeled(2), output, label_column="topic")
    assert not output.exists()
    output.mkdir()
    (output / "file").write_text("")
    with pytest.raises(TrainingError, match="already exists"):
        albertine.calibrate(labeled(20), output)
