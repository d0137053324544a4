"""Stages and pipelines on disk, with and without Spark, and parameters as Spark has them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="PySpark is not installed")

import pyarrow as pa
import pyspark.ml
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import SQLTransformer
from pyspark.ml.tuning import ParamGridBuilder, TrainValidationSplit, TrainValidationSplitModel
from spark_cases import LABELS, TEXTS, frame, labels, stages

import albertine.base
from albertine import (
    AlbertForSequenceClassification,
    AlbertineError,
    DocumentAssembler,
    LightPipeline,
    ModelNotFound,
    PipelineError,
)
from albertine.annotator import TokenizerModel

LENGTH = "SELECT *, length(text) AS length FROM __THIS__"
#: Where a class was found, and a right answer for it.
SCORED = "SELECT *, CAST(size(class) AS DOUBLE) AS prediction, 1.0D AS label FROM __THIS__"
LABEL = "SELECT place, length, class.result AS label FROM __THIS__"


def table() -> pa.Table:
    return pa.table({"text": [text for text, _ in TEXTS]})


def labels_of(result: pa.Table) -> list[Any]:
    return [row[0]["result"] if row else None for row in result["class"].to_pylist()]


def test_pipelines_with_foreign_stages_are_saved_and_loaded(spark: Any, tmp_path: Path) -> None:
    pipeline = pyspark.ml.Pipeline(
        stages=[SQLTransformer(statement=LENGTH), *stages(), SQLTransformer(statement=LABEL)]
    )
    pipeline.save(str(tmp_path / "pipeline"))
    loaded = pyspark.ml.Pipeline.load(str(tmp_path / "pipeline"))
    assert [stage.uid for stage in loaded.getStages()] == [stage.uid for stage in pipeline.getStages()]
    model = loaded.fit(frame(spark))
    model.save(str(tmp_path / "model"))
    again = pyspark.ml.PipelineModel.load(str(tmp_path / "model"))
    assert [type(stage) for stage in again.stages] == [type(stage) for stage in model.stages]
    rows = again.transform(frame(spark)).orderBy("place").collect()
    assert [row.label[0] if row.label else None for row in rows] == LABELS
    assert [row.length for row in rows] == [None if text is None else len(text) for text, _ in TEXTS]
    assert again.stages[3].getMaxSentenceLength() == 512
    assert again.stages[3].getInputCols() == ["token", "document"]


def test_a_pipeline_with_foreign_stages_is_refused_without_spark(spark: Any, tmp_path: Path) -> None:
    model = pyspark.ml.PipelineModel([SQLTransformer(statement=LENGTH), stages()[0]])
    model.save(str(tmp_path / "model"))
    with pytest.raises(PipelineError, match="SQLTransformer`, which is not supported"):
        albertine.base.PipelineModel.load(tmp_path / "model")


def test_what_spark_saved_is_loaded_without_spark(
    spark: Any, tmp_path: Path, spark_environment: dict[str, str]
) -> None:
    pyspark.ml.Pipeline(stages=stages()).fit(frame(spark)).save(str(tmp_path / "fitted"))
    pyspark.ml.Pipeline(stages=stages()).save(str(tmp_path / "unfitted"))
    for name in ("fitted", "unfitted"):
        model = albertine.base.PipelineModel.load(tmp_path / name)
        assert isinstance(model.stages[1], TokenizerModel)
        assert labels_of(model.transform(table())) == LABELS
    script = f"""
import sys
sys.modules["pyspark"] = None
import pyarrow
from albertine.base import PipelineModel
model = PipelineModel.load({str(tmp_path / "fitted")!r})
assert not any(name.startswith("pyspark.") for name in sys.modules)
print(model.transform(pyarrow.table({{"text": ["The striker scored twice."]}}))["class"].to_pylist()[0][0]["result"])
model.write().overwrite().save({str(tmp_path / "without")!r})
"""
    out = subprocess.run(
        [sys.executable, "-c", script], env=spark_environment, capture_output=True, text=True, check=False
    )
    assert (out.stdout, out.returncode) == ("Sports\n", 0), out.stderr
    again = pyspark.ml.PipelineModel.load(str(tmp_path / "without"))
    assert labels(again.transform(frame(spark))) == LABELS


def test_what_we_saved_is_loaded_by_spark_with_uids_and_parameters(spark: Any, tmp_path: Path) -> None:
    model = albertine.base.Pipeline(stages=stages()).fit(frame(spark))
    model.stages[2].setPrecision("int8").setBatchSize(3)
    model.save(str(tmp_path / "model"))
    for loaded in (
        pyspark.ml.PipelineModel.load(str(tmp_path / "model")),
        albertine.base.PipelineModel.load(tmp_path / "model"),
    ):
        assert [stage.uid for stage in loaded.stages] == [stage.uid for stage in model.stages]
        assert (loaded.stages[2].getPrecision(), loaded.stages[2].getBatchSize()) == ("int8", 3)
        assert not loaded.stages[2].isSet("threshold")
        assert labels(loaded.transform(frame(spark))) == LABELS


def test_nested_pipelines_are_saved(spark: Any, tmp_path: Path) -> None:
    document, token, sequence = stages()
    inner = albertine.base.Pipeline(stages=[document, token]).fit(frame(spark))
    model = albertine.base.PipelineModel([pyspark.ml.PipelineModel([inner]), sequence])
    model.save(str(tmp_path / "model"))
    assert labels(pyspark.ml.PipelineModel.load(str(tmp_path / "model")).transform(frame(spark))) == LABELS
    assert labels_of(albertine.base.PipelineModel.load(tmp_path / "model").transform(table())) == LABELS


def test_our_pipelines_are_spark_s(spark: Any, tmp_path: Path) -> None:
    pipeline = albertine.base.Pipeline(stages=stages())
    assert isinstance(pipeline, pyspark.ml.Pipeline)
    assert isinstance(pipeline.fit(frame(spark)), pyspark.ml.PipelineModel)
    pipeline.save(str(tmp_path / "ours"))
    pyspark.ml.Pipeline(stages=stages()).save(str(tmp_path / "theirs"))
    for name in ("ours", "theirs"):
        loaded = albertine.base.Pipeline.load(str(tmp_path / name))
        assert type(loaded) is albertine.base.Pipeline
        assert (
            labels_of(loaded.fit(table()).transform(table()))
            == labels(loaded.fit(frame(spark)).transform(frame(spark)))
            == LABELS
        )
        assert pyspark.ml.Pipeline.load(str(tmp_path / name)).uid == loaded.uid
    # stages that are Spark's are written and read by Spark
    foreign = albertine.base.Pipeline(
        stages=[SQLTransformer(statement=LENGTH), albertine.base.Pipeline(stages=stages())]
    )
    foreign.save(str(tmp_path / "foreign"))
    loaded = albertine.base.Pipeline.load(str(tmp_path / "foreign"))
    assert type(loaded) is albertine.base.Pipeline and loaded.uid == foreign.uid
    model = loaded.fit(frame(spark))
    assert (
        labels(model.transform(frame(spark)))
        == labels(albertine.base.PipelineModel(model.stages).transform(frame(spark)))
        == LABELS
    )
    albertine.base.PipelineModel(model.stages).save(str(tmp_path / "foreign model"))
    assert labels(pyspark.ml.PipelineModel.load(str(tmp_path / "foreign model")).transform(frame(spark))) == LABELS
    assert LightPipeline(model).annotate("The striker scored twice.")["class"] == ["Sports"]
    with pytest.raises(
        PipelineError,
        match="SQLTransformer_.* is not one of albertine's stages, so the pipeline needs a Spark DataFrame",
    ):
        foreign.fit(table())


def test_validators_save_our_pipelines(spark: Any, tmp_path: Path) -> None:
    """Spark looks for the parameters of a grid in the stages of pipelines that it knows as such."""
    sequence = stages()[2]
    pipeline = albertine.base.Pipeline(stages=[*stages()[:2], sequence, SQLTransformer(statement=SCORED)])
    grid = ParamGridBuilder().addGrid(sequence.maxSentenceLength, [3, 512]).build()
    validator = TrainValidationSplit(
        estimator=pipeline,
        estimatorParamMaps=grid,
        evaluator=MulticlassClassificationEvaluator(metricName="accuracy"),
        trainRatio=0.5,
        seed=1,
    )
    model = validator.fit(frame(spark))
    assert len(model.validationMetrics) == 2
    model.write().overwrite().save(str(tmp_path / "model"))
    loaded = TrainValidationSplitModel.load(str(tmp_path / "model"))
    assert loaded.validationMetrics == model.validationMetrics
    assert loaded.bestModel.stages[2].getMaxSentenceLength() == model.bestModel.stages[2].getMaxSentenceLength()
    validator.save(str(tmp_path / "validator"))
    again = TrainValidationSplit.load(str(tmp_path / "validator"))
    assert [stage.uid for stage in again.getEstimator().getStages()] == [stage.uid for stage in pipeline.getStages()]


@pytest.mark.parametrize("library", [pyspark.ml, albertine.base])
def test_what_is_there_is_replaced_only_when_asked(spark: Any, tmp_path: Path, library: Any) -> None:
    model = library.PipelineModel(albertine.base.Pipeline(stages=stages()).fit(frame(spark)).stages)
    path = str(tmp_path / "model")
    model.save(path)
    with pytest.raises(Exception, match="already"):
        model.save(path)
    with pytest.raises(AlbertineError, match=r"already exists; write\(\).overwrite\(\).save\(path\) replaces it"):
        model.stages[0].save(path)
    model.stages[2].setMaxSentenceLength(64)
    model.write().overwrite().save(path)
    assert library.PipelineModel.load(path).stages[2].getMaxSentenceLength() == 64
    assert [name for name in os.listdir(tmp_path) if name != "model"] == []


@pytest.mark.parametrize("library", [pyspark.ml, albertine.base])
def test_a_precision_that_a_model_came_in_is_saved(spark: Any, tmp_path: Path, library: Any) -> None:
    model = library.PipelineModel(stages(AlbertForSequenceClassification.pretrained(precision="int8")))
    model.save(str(tmp_path / "model"))
    assert library.PipelineModel.load(str(tmp_path / "model")).stages[2].getPrecision() == "int8"


@pytest.mark.parametrize("library", [pyspark.ml, albertine.base])
def test_a_pipeline_is_saved_over_itself(spark: Any, tmp_path: Path, model_directory: Path, library: Any) -> None:
    path = str(tmp_path / "model")
    first = stages(AlbertForSequenceClassification.load(model_directory))
    library.PipelineModel(albertine.base.Pipeline(stages=first).fit(frame(spark)).stages).save(path)
    for _ in range(2):
        loaded = library.PipelineModel.load(path)
        loaded.write().overwrite().save(path)
        assert labels(loaded.transform(frame(spark))) == LABELS
    assert labels_of(albertine.base.PipelineModel.load(path).transform(table())) == LABELS


def test_a_stage_outlives_the_folder_that_it_came_from(spark: Any, tmp_path: Path, model_directory: Path) -> None:
    first = AlbertForSequenceClassification.load(model_directory)
    first.save(str(tmp_path / "one"))
    loaded = AlbertForSequenceClassification.load(tmp_path / "one")
    files = {path.name: path.read_bytes() for path in (tmp_path / "one" / "model").iterdir()}
    shutil.rmtree(tmp_path / "one")
    for name in ("two", "three"):
        loaded.save(str(tmp_path / name))
        assert {path.name: path.read_bytes() for path in (tmp_path / name / "model").iterdir()} == files


def test_another_model_at_the_same_path_is_another_model(spark: Any, tmp_path: Path, model_directory: Path) -> None:
    """Python workers keep models for later jobs, and must not keep one that was replaced."""
    shutil.copytree(model_directory, tmp_path / "model")
    before = albertine.base.Pipeline(stages=stages(AlbertForSequenceClassification.load(tmp_path / "model"))).fit(
        frame(spark)
    )
    assert labels(before.transform(frame(spark))) == LABELS
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    config["id2label"] = {index: f"new {name}" for index, name in config["id2label"].items()}
    config["label2id"] = {name: int(index) for index, name in config["id2label"].items()}
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    after = albertine.base.Pipeline(stages=stages(AlbertForSequenceClassification.load(tmp_path / "model"))).fit(
        frame(spark)
    )
    assert labels(after.transform(frame(spark))) == [label and f"new {label}" for label in LABELS]


def test_files_elsewhere_are_reached_through_spark(spark: Any, tmp_path: Path, model_directory: Path) -> None:
    stage = AlbertForSequenceClassification.load(model_directory)
    model = pyspark.ml.PipelineModel(albertine.base.Pipeline(stages=stages(stage)).fit(frame(spark)).stages)
    model.save("viewfs://elsewhere/models/pipeline")
    model.write().overwrite().save("viewfs://elsewhere/models/pipeline")
    loaded = pyspark.ml.PipelineModel.load("viewfs://elsewhere/models/pipeline")
    assert labels(loaded.transform(frame(spark))) == LABELS
    ours = albertine.base.PipelineModel.load("viewfs://elsewhere/models/pipeline")
    assert labels(ours.transform(frame(spark))) == LABELS
    # the copy on this machine is there as long as anything needs it
    ours.stages[2].setPrecision("int8")
    assert labels(ours.transform(frame(spark))) == LABELS
    ours.write().overwrite().save("viewfs://elsewhere/models/pipeline")
    sequence = loaded.stages[2]
    sequence.save("viewfs://elsewhere/models/stage")
    with pytest.raises(AlbertineError, match="already exists"):
        sequence.save("viewfs://elsewhere/models/stage")
    assert AlbertForSequenceClassification.load("viewfs://elsewhere/models/stage").getClasses() == sequence.getClasses()
    with pytest.raises(ModelNotFound, match="there is nothing at viewfs://elsewhere/models/nothing"):
        AlbertForSequenceClassification.load("viewfs://elsewhere/models/nothing")


def test_copies_of_files_elsewhere_go_with_what_was_read(spark: Any, model_directory: Path) -> None:
    from albertine import _saving

    AlbertForSequenceClassification.load(model_directory).write().overwrite().save("viewfs://elsewhere/models/copied")
    before = set(_saving._copies)
    stage = AlbertForSequenceClassification.load("viewfs://elsewhere/models/copied")
    (copy,) = set(_saving._copies) - before
    assert os.path.isdir(copy)
    result = albertine.base.Pipeline(stages=stages(stage)).fit(frame(spark)).transform(frame(spark))
    del stage
    assert not os.path.exists(copy)
    assert labels(result) == LABELS


def test_file_addresses_are_paths(spark: Any, tmp_path: Path) -> None:
    address = (tmp_path / "a stage").as_uri()
    stages()[0].setCleanupMode("shrink").save(address)
    assert DocumentAssembler.load(address).getCleanupMode() == "shrink"
    assert DocumentAssembler.load(tmp_path / "a stage").getCleanupMode() == "shrink"


def test_damaged_stages_are_refused(spark: Any, tmp_path: Path) -> None:
    stages()[0].save(str(tmp_path / "stage"))
    part = tmp_path / "stage" / "metadata" / "part-00000"
    metadata = json.loads(part.read_text())
    part.write_text("{")
    with pytest.raises(PipelineError, match="part-00000 is not the JSON of a saved stage"):
        DocumentAssembler.load(tmp_path / "stage")
    part.write_text(json.dumps({**metadata, "paramMap": {"shoeSize": 44}}))
    with pytest.raises(
        PipelineError, match="has the parameter 'shoeSize', which no DocumentAssembler of this version has"
    ):
        DocumentAssembler.load(tmp_path / "stage")
    part.write_text(json.dumps({**metadata, "class": "albertine._spark.Chain"}))
    with pytest.raises(PipelineError, match="holds albertine._spark.Chain, not a DocumentAssembler"):
        DocumentAssembler.load(tmp_path / "stage")
    with pytest.raises(ModelNotFound, match="there is nothing at"):
        DocumentAssembler.load(tmp_path / "elsewhere")


# parameters


def test_copies_have_their_own_parameters() -> None:
    stage = stages()[2]
    copy = stage.copy({stage.maxSentenceLength: 64})
    assert (copy.getMaxSentenceLength(), stage.getMaxSentenceLength()) == (64, 512)
    assert copy.uid == stage.uid
    assert copy.getClasses() == stage.getClasses()


def test_a_grid_of_parameters_gives_a_model_for_each(spark: Any) -> None:
    document, token, sequence = stages()
    grid = ParamGridBuilder().addGrid(sequence.maxSentenceLength, [3, 512]).build()
    short, whole = pyspark.ml.Pipeline(stages=[document, token, sequence]).fit(frame(spark), grid)
    assert (short.stages[2].getMaxSentenceLength(), whole.stages[2].getMaxSentenceLength()) == (3, 512)
    assert labels(whole.transform(frame(spark))) == LABELS
    scores = [model.transform(frame(spark)).orderBy("place").first()["class"][0].metadata for model in (short, whole)]
    assert scores[0] != scores[1]
    assert (
        scores[0]
        == whole.transform(frame(spark), {sequence.maxSentenceLength: 3}).orderBy("place").first()["class"][0].metadata
    )


def test_parameters_are_explained() -> None:
    stage = AlbertForSequenceClassification.pretrained().setInputCols("document", "token")
    lines = dict(line.split(": ", 1) for line in stage.explainParams().splitlines())
    assert lines["maxSentenceLength"].endswith("(default: 128)")
    assert lines["inputCols"].endswith("current: ['document', 'token'])")
    assert lines["activation"].endswith("(default: softmax)")
    assert lines["encoding"].endswith("(default: document)")
    assert stage.getMaxSentenceLength() == 128
    with pytest.raises(TypeError, match="maxSentenceLength"):
        stage.setMaxSentenceLength("many")


def test_a_loaded_pipeline_annotates_texts_in_hand(spark: Any, tmp_path: Path) -> None:
    pyspark.ml.Pipeline(stages=stages()).fit(frame(spark)).save(str(tmp_path / "model"))
    model = pyspark.ml.PipelineModel.load(str(tmp_path / "model"))
    assert LightPipeline(model).annotate("The striker scored twice.")["class"] == ["Sports"]
