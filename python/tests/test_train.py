"""Fine-tuning and evaluation: what the commands do, on tables of every kind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

import albertine
from albertine.errors import ColumnError, LabelError, ModelNotFound, ParamError, TrainingError

pa = pytest.importorskip("pyarrow")

TEXTS = [
    "Oil prices rose as OPEC cut its output",
    "The striker scored twice in the final",
    "Shares fell on Wall Street after the report",
    "The home side won the cup in extra time",
    "The central bank raised interest rates",
    "She set a world record over 400 metres",
]
LABELS = ["money", "sport"] * 3

#: A few quick steps of the classification head alone.
QUICK = {"epochs": 2, "batch_size": 2, "learning_rate": 0.01, "freeze_encoder": True}


class Capsule:
    """A table of some other library, of which only the Arrow PyCapsule interface is known."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.fixture
def table() -> Any:
    return pa.table({"text": TEXTS, "label": LABELS})


@pytest.fixture(scope="module")
def command() -> str:
    """The command of this repository, where it has been built."""
    path = Path(__file__).resolve().parents[2] / "target" / "release" / "albertine"
    if not path.exists():
        pytest.skip("the command has not been built")
    return str(path)


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def numbers(metrics: Any) -> dict[str, Any]:
    """What does not depend on the clock or on where things are."""
    timed = {"eval_runtime", "eval_samples_per_second", "eval_steps_per_second", "run"}
    return {key: value for key, value in metrics.items() if key not in timed}


def test_a_trained_model_is_a_model_directory(table: Any, tmp_path: Path) -> None:
    result = albertine.train(table, output=tmp_path / "model", test=table, **QUICK)
    assert result.path == tmp_path / "model"
    assert (result.labels, result.epoch, result.epochs, result.steps) == (["money", "sport"], 2, 2, 6)
    assert (result.interrupted, result.diverged_at, result.skipped, result.truncated) == (False, None, 0, 0)
    lines = [json.loads(line) for line in (result.path / "metrics.jsonl").read_text().splitlines()]
    assert [line.get("step", "epoch") for line in lines] == [1, 2, 3, "epoch", 4, 5, 6, "epoch"]
    written = json.loads((result.path / "metrics.json").read_text())
    assert result.metrics is not None and numbers(result.metrics) == numbers(written)
    assert written["run"]["input"] == "pyarrow.Table"
    # the model answers as it was measured
    measured = albertine.evaluate(table, result.path)
    assert measured["confusion_matrix"] == result.metrics["confusion_matrix"]
    assert measured.loss == pytest.approx(result.metrics.loss, abs=1e-6)
    assert albertine.classify(TEXTS[0], model=result.path).label in LABELS


def test_all_tables_give_the_same_model(table: Any, tmp_path: Path) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    rows = {"text": TEXTS, "label": LABELS, "when": [None] * 6}
    frames = {
        "table": table,
        "batch": table.to_batches()[0],
        "reader": table.to_reader(),
        "pandas": pandas.DataFrame(rows),
        "categories": pandas.DataFrame({"text": TEXTS, "label": pandas.Categorical(LABELS)}),
        "polars": polars.DataFrame(rows),
    }
    found = {
        name: weights(albertine.train(frame, output=tmp_path / name, **QUICK).path) for name, frame in frames.items()
    }
    assert len(set(found.values())) == 1
    classes = [1 if label == "sport" else 0 for label in LABELS]
    for name, frame in {"pandas": pandas.DataFrame, "polars": polars.DataFrame}.items():
        numbered = frame({"text": TEXTS, "label": classes})
        metrics = albertine.evaluate(numbered, tmp_path / name)
        assert numbers(metrics) == numbers(albertine.evaluate(table, tmp_path / "table"))


def named(labels: Any, names: list[str]) -> Any:
    """A table as the library datasets has it: its labels are numbers, and its metadata tells their names."""
    features = {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": names, "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.table({"text": TEXTS[: len(labels)], "label": labels}).replace_schema_metadata(metadata)


def test_numbers_that_a_table_names_are_the_classes_of_their_names(tmp_path: Path) -> None:
    names = ["sport", "Sci/Tech", "SPORTS", "business"]
    table = named(pa.array([3, 2, 3, 2, 3, -1]), names)
    for frame in (table, table.to_batches()[0], table.to_reader(), Capsule(table)):
        metrics = albertine.evaluate(frame)
        assert (metrics.accuracy, metrics.samples, metrics["eval_left_out"]) == (1.0, 5, 1)
    floats = named(pa.array([3.0, None, 3.0, 2.0], pa.float32()), names)
    assert (albertine.evaluate(floats).accuracy, albertine.evaluate(floats).samples) == (1.0, 3)
    turned = named(pa.array([0, 1]), ["money", "sport"])
    result = albertine.train(
        named(pa.array([1, 0] * 3), ["sport", "money"]), output=tmp_path / "m", test=turned, **QUICK
    )
    assert result.labels == ["sport", "money"] and result.metrics is not None and result.metrics.samples == 2
    assert result.metrics["confusion_matrix"] == albertine.evaluate(turned, result.path)["confusion_matrix"]
    with pytest.raises(LabelError, match="has the label 7 and names only 2 classes: `no`, `yes`"):
        albertine.train(named(pa.array([1, 0, 7]), ["no", "yes"]), output=tmp_path / "none", **QUICK)


def test_names_that_the_model_does_not_have_are_told() -> None:
    table = named(pa.array([2, 1]), ["welt", "sport", "wirtschaft", "technik"])
    with pytest.warns(
        albertine.LabelWarning, match="names its classes `welt`, .* numbers were read as class indices"
    ) as told:
        assert albertine.evaluate(table).accuracy == 1.0
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert albertine.evaluate(table, labels=["technik", "wirtschaft", "sport", "welt"]).accuracy == 0.0
        assert albertine.evaluate(table, labels=["0", "1", "2", "3"]).accuracy == 1.0
        # what is not a ClassLabel names nothing
        plain = table.replace_schema_metadata(
            {"huggingface": json.dumps({"info": {"features": {"label": {"_type": "Value"}}}})}
        )
        assert albertine.evaluate(plain).accuracy == 1.0
    with pytest.raises(
        LabelError, match="the table names its classes `neg`, `pos`, and the model's are .*: none is the same"
    ):
        albertine.evaluate(named(pa.array([0, 1]), ["neg", "pos"]))


def test_numbers_and_categories_are_the_same_labels_in_every_frame(table: Any, tmp_path: Path) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    numbers = [1, 0, 1, 0, 1, None]
    columns = [
        pandas.Series(numbers, dtype="float64"),
        pandas.Series(numbers, dtype="Int64"),
        pandas.Series(numbers, dtype=object),
        pandas.Series(["1.0", "0.0", "1.0", "0.0", "1.0", None]),
        pandas.Categorical([1.0, 0.0, 1.0, 0.0, 1.0, None]),
        pandas.Categorical([1, 0, 1, 0, 1, None]),
        pandas.Categorical(["1", "0", "1", "0", "1", None]),
    ]
    frames = [pandas.DataFrame({"text": TEXTS, "label": column}) for column in columns]
    frames += [
        polars.DataFrame({"text": TEXTS, "label": polars.Series([1.0, 0.0, 1.0, 0.0, 1.0, float("nan")])}),
        polars.DataFrame(
            {"text": TEXTS, "label": polars.Series(["1", "0", "1", "0", "1", None], dtype=polars.Categorical)}
        ),
        polars.DataFrame(
            {"text": TEXTS, "label": polars.Series(["1", "0", "1", "0", "1", None], dtype=polars.Enum(["0", "1"]))}
        ),
        pa.table({"text": TEXTS, "label": pa.array([1.0, 0.0, 1.0, 0.0, 1.0, None]).dictionary_encode()}),
    ]
    for number, frame in enumerate(frames):
        result = albertine.train(frame, output=tmp_path / str(number), **QUICK)
        assert (result.labels, result.skipped) == (["0", "1"], 1), frame
        assert weights(result.path) == weights(tmp_path / "0")
        metrics = albertine.evaluate(frame, tmp_path / "0")
        assert (metrics.samples, metrics["eval_left_out"]) == (5, 1)


def test_the_command_trains_and_evaluates_the_same(table: Any, tmp_path: Path, command: str) -> None:
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame({"text": TEXTS, "label": LABELS}).to_csv(tmp_path / "news.csv", index=False)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in QUICK.items() if value is not True]
    train = ["train", "--input=news.csv", "--test=news.csv", "--output=model", "--freeze-encoder", *flags]
    done = subprocess.run([command, *train], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = albertine.train(table, output=tmp_path / "ours", test=table, **QUICK)
    assert weights(result.path) == weights(tmp_path / "model")
    told = json.loads((tmp_path / "model/metrics.json").read_text())
    assert result.metrics is not None and numbers(told) == numbers(result.metrics)

    arguments = ["evaluate", "--input=news.csv", "--model=./model"]
    done = subprocess.run([command, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told, metrics = json.loads(done.stdout), albertine.evaluate(table, tmp_path / "model")
    assert list(metrics) == list(told) and numbers(metrics) == numbers(told)
    assert list(metrics["run"]) == list(told["run"])


def test_progress_is_told_step_by_step(table: Any, tmp_path: Path) -> None:
    events: list[Any] = []
    result = albertine.train(table, output=tmp_path / "model", validation=table, on_progress=events.append, **QUICK)
    start, *rest = events
    assert start == albertine.TrainStart(["money", "sport"], True, 6, 6, steps=6, memory=start.memory)
    assert start.memory > 1_000_000
    steps = [event for event in rest if isinstance(event, albertine.TrainStep)]
    epochs = [event for event in rest if isinstance(event, albertine.TrainEpoch)]
    assert [(step.step, step.steps, step.epoch) for step in steps] == [(n + 1, 6, n // 3 + 1) for n in range(6)]
    assert all(step.loss > 0 and step.learning_rate >= 0 and step.gradient_norm > 0 for step in steps)
    assert [epoch.epoch for epoch in epochs] == [1, 2]
    kept = epochs[result.epoch - 1].validation
    assert kept is not None and result.metrics is not None and kept.loss == result.metrics.loss


def test_a_training_goes_on_from_its_checkpoint(table: Any, tmp_path: Path) -> None:
    def stop(event: Any) -> None:
        if isinstance(event, albertine.TrainStep) and event.step == 5:
            raise LookupError("killed")

    settings = {"checkpoint": tmp_path / "run", "save_steps": 2, "lr_scheduler": "cosine", **QUICK}
    with pytest.raises(LookupError, match="killed"):
        albertine.train(table, output=tmp_path / "broken", on_progress=stop, **settings)
    assert [path.name for path in (tmp_path / "run").glob("checkpoint-*")] == ["checkpoint-5"]
    with pytest.raises(TrainingError, match="there is already the checkpoint"):
        albertine.train(table, output=tmp_path / "model", **settings)
    with pytest.raises(TrainingError, match="is of another training: learning rate scheduler cosine instead of linear"):
        albertine.train(table, output=tmp_path / "model", **{**settings, "lr_scheduler": "linear"}, resume=True)
    steps: list[Any] = []
    albertine.train(table, output=tmp_path / "model", on_progress=steps.append, resume=True, **settings)
    assert [event.step for event in steps if isinstance(event, albertine.TrainStep)] == [6]
    whole = albertine.train(table, output=tmp_path / "whole", lr_scheduler="cosine", **QUICK)
    assert weights(tmp_path / "model") == weights(whole.path)
    with pytest.raises(ParamError, match="need a folder for checkpoints"):
        albertine.train(table, output=tmp_path / "other", resume=True, **QUICK)


def test_what_a_listener_raises_ends_the_training(table: Any, tmp_path: Path) -> None:
    def stop(event: Any) -> None:
        if isinstance(event, albertine.TrainStep):
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        albertine.train(table, output=tmp_path / "model", on_progress=stop, **QUICK)
    assert list(tmp_path.iterdir()) == []


def _press(times: int) -> Any:
    """Presses Ctrl-C at the first step, and waits until it has been heard."""

    def listen(event: Any) -> None:
        if isinstance(event, albertine.TrainStep) and event.step == 1:
            for _ in range(times):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.3)

    return listen


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals go to the main thread")
def test_an_interrupt_keeps_what_is_learned(table: Any, tmp_path: Path) -> None:
    result = albertine.train(table, output=tmp_path / "model", test=table, on_progress=_press(1), **QUICK)
    assert (result.interrupted, result.steps, result.metrics) == (True, 1, None)
    assert albertine.classify(TEXTS[0], model=result.path).label in LABELS


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals go to the main thread")
def test_an_interrupt_with_checkpoints_is_gone_on_from(table: Any, tmp_path: Path) -> None:
    output, options = tmp_path / "model", {"checkpoint": tmp_path / "run", "resume": True, **QUICK}
    with pytest.raises(KeyboardInterrupt, match="stopped after step 1, .*call it again with `resume=True`"):
        albertine.train(table, output=output, on_progress=_press(1), **options)
    assert not output.exists()
    assert not albertine.train(table, output=output, **options).interrupted


def test_a_second_interrupt_ends_it_without_a_model(table: Any, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        albertine.train(table, output=tmp_path / "model", on_progress=_press(2), **QUICK)
    assert list(tmp_path.iterdir()) == []


def test_columns_and_labels_that_do_not_fit_are_told(table: Any, tmp_path: Path) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    output = tmp_path / "model"
    rows = {"text": TEXTS, "label": LABELS}
    for frame in [table, pandas.DataFrame(rows), polars.DataFrame(rows)]:
        with pytest.raises(ColumnError, match="there is no column `topic`; the columns are `text`, `label`"):
            albertine.train(frame, output=output, label_column="topic")
        with pytest.raises(ColumnError, match="there is no column `title`; the columns are `text`, `label`"):
            albertine.evaluate(frame, text_column="title")
    with pytest.raises(ColumnError, match="holds List.*, not labels"):
        albertine.evaluate(pa.table({"text": ["a"], "label": [["World"]]}))
    with pytest.raises(LabelError, match="row 0: `money` is not a class of the model"):
        albertine.evaluate(table)
    with pytest.raises(LabelError, match="all rows have the label `money`"):
        albertine.train(table.slice(0, 1), output=output)
    other = pa.table({"text": ["a"], "label": ["art"]})
    with pytest.raises(LabelError, match="pyarrow.Table has the label `art`, which does not occur in the training set"):
        albertine.train(table, output=output, test=other)
    with pytest.raises(LabelError, match="no row has both a text and a label"):
        albertine.evaluate(pa.table({"text": [None], "label": ["World"]}))
    assert not output.exists()


def test_arguments_that_make_no_sense_are_told(table: Any, tmp_path: Path) -> None:
    def fails(error: type[Exception], match: str, **arguments: Any) -> None:
        with pytest.raises(error, match=match):
            albertine.train(table, **{"output": tmp_path / "model", **arguments})

    fails(ParamError, "epochs must be from 1 to 100000, not 0", epochs=0)
    fails(ParamError, "batch_size is -1", batch_size=-1)
    fails(ParamError, "learning_rate must be greater than 0, not 0", learning_rate=0.0)
    fails(ParamError, "class_weights must be equal, balanced, or label=weight", class_weights="fair")
    fails(ParamError, "class_weights must be equal", class_weights={"money": -1})
    fails(LabelError, "`art` is not a class", class_weights={"art": 2})
    fails(ParamError, "needs a validation set", patience=1)
    fails(ParamError, "a fraction of 0.01 of 6 rows is none of them", validation_split=0.01)
    fails(ParamError, "together", validation=table, validation_split=0.5)
    fails(ParamError, "at most 1024", threads=5000)
    fails(ParamError, "maximum sequence length", max_sentence_length=1)
    fails(ModelNotFound, "ag_mews", model="ag_mews")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("")
    fails(TrainingError, "already exists", output=tmp_path / "taken")
    with pytest.raises(TypeError, match="expected a Spark"):
        albertine.train("a text", output=tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize("name", ["epochs", "batch_size", "seed", "threads", "patience", "max_sentence_length"])
@pytest.mark.parametrize("value", [1.5, "a", True])
def test_counts_are_whole_numbers(table: Any, tmp_path: Path, name: str, value: Any) -> None:
    arguments = {name: value}
    with pytest.raises(TypeError, match=f"^{name} is {value!r}, not a whole number$"):
        albertine.train(table, output=tmp_path / "model", **arguments)


def test_a_failed_evaluation_leaves_no_folder(tmp_path: Path) -> None:
    table = pa.table({"text": ["Oil rose"], "label": ["none"]})
    with pytest.raises(LabelError):
        albertine.evaluate(table, report=tmp_path / "a" / "report")
    assert not (tmp_path / "a").exists()


def test_an_evaluation_has_the_keys_of_the_command(tmp_path: Path) -> None:
    table = pa.table({"topic": ["Business", "World", None], "text": [TEXTS[0], TEXTS[1], TEXTS[2]]})
    metrics = albertine.evaluate(table, label_column="topic", report=tmp_path / "report")
    assert list(metrics)[:10] == [
        "eval_loss",
        "eval_accuracy",
        "eval_f1",
        "eval_precision",
        "eval_recall",
        "eval_runtime",
        "eval_samples_per_second",
        "eval_steps_per_second",
        "epoch",
        "eval_samples",
    ]
    assert (metrics.samples, metrics["eval_left_out"], metrics.accuracy, metrics["epoch"]) == (2, 1, 0.5, None)
    assert repr(metrics).startswith("Evaluation(samples=2, loss=")
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["metrics.json", "report.html"]
    assert json.loads((tmp_path / "report/metrics.json").read_text()) == dict(metrics)
    named = albertine.evaluate(pa.table({"text": TEXTS[:1], "label": ["c"]}), labels=["a", "b", "c", "d"])
    assert named["per_class"][2]["label"] == "c" and named.accuracy == 1.0


def test_texts_that_are_cut_are_warned_of(tmp_path: Path) -> None:
    table = pa.table({"text": [TEXTS[0], TEXTS[1]], "label": ["Business", "Sports"]})
    with pytest.warns(albertine.TruncationWarning):
        metrics = albertine.evaluate(table, max_sentence_length=6)
    assert metrics["eval_truncated"] == 2
    with pytest.warns(albertine.TruncationWarning):
        result = albertine.train(table, output=tmp_path / "model", max_sentence_length=6, **QUICK)
    assert result.truncated == 2


CONFIG = {
    "model_type": "albert",
    "embedding_size": 8,
    "hidden_size": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
}


def test_a_model_is_pretrained_and_fine_tuned(table: Any, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    events: list[Any] = []
    result = albertine.pretrain(
        pa.concat_tables([table] * 4),
        output=tmp_path / "mlm",
        config=tmp_path / "config.json",
        vocabulary_size=60,
        validation_split=0.25,
        epochs=2,
        on_progress=events.append,
    )
    assert (result.labels, result.epochs, events[0].training_texts) == ([], 2, 18)
    assert result.metrics is not None and result.metrics["eval_perplexity"] > 1
    assert [event.accuracy for event in events if isinstance(event, albertine.TrainEpoch)] == [None, None]
    tuned = albertine.train(table, output=tmp_path / "model", model=result.path, epochs=1)
    assert albertine.classify(TEXTS[0], model=tuned.path).label in tuned.labels
    with pytest.raises(ParamError, match="too small for the texts"):
        albertine.pretrain(table, output=tmp_path / "x", config=tmp_path / "config.json", vocabulary_size=10)
    with pytest.raises(ParamError, match="cannot be used together"):
        albertine.pretrain(table, output=tmp_path / "x", config=tmp_path / "config.json", model="ag_news")


def test_teachers_are_models_or_tables_of_scores(table: Any, tmp_path: Path) -> None:
    teacher = albertine.train(table, output=tmp_path / "teacher", **QUICK)
    scores = pa.table({"sport": [0.1, 0.9] * 3, "money": [0.9, 0.1] * 3})
    for place, given in enumerate([teacher.path, scores, [str(teacher.path), scores.to_pandas()]]):
        result = albertine.train(table, output=tmp_path / str(place), teacher=given, teacher_weight=0.9, **QUICK)
        assert result.labels == ["money", "sport"]
    unlabeled = pa.table({"text": TEXTS, "label": LABELS[:2] + [None] * 4})
    result = albertine.train(unlabeled, output=tmp_path / "unlabeled", teacher=scores, **QUICK)
    assert (result.skipped, result.steps) == (0, 6)
    with pytest.raises(LabelError, match="has the labels `a`, but `money`, `sport` are trained"):
        albertine.train(table, output=tmp_path / "x", teacher=pa.table({"a": [1.0] * 6}), **QUICK)
    with pytest.raises(LabelError, match="has 1 row, but the training set has 6"):
        albertine.train(table, output=tmp_path / "x", teacher=scores.slice(0, 1), **QUICK)


def test_texts_have_several_labels_a_value_or_a_second_text(tmp_path: Path) -> None:
    quick = {**QUICK, "freeze_encoder": False}
    several = pa.table({"text": TEXTS, "label": [["money", "news"], ["sport"]] * 3})
    result = albertine.train(
        several,
        output=tmp_path / "several",
        problem_type="multi_label_classification",
        validation=several,
        metric_for_best_model="f1",
        **quick,
    )
    assert result.labels == ["money", "news", "sport"] and result.metrics is not None and "eval_f1" in result.metrics
    values = pa.table({"text": TEXTS, "label": [0.5, -2.0] * 3})
    result = albertine.train(values, output=tmp_path / "values", problem_type="regression", test=values, **quick)
    assert result.metrics is not None and "eval_pearson" in result.metrics
    pairs = pa.table({"text": TEXTS, "second": TEXTS[::-1], "label": LABELS})
    albertine.train(pairs, output=tmp_path / "pairs", text_pair_column="second", **quick)
    result = albertine.train(pairs, output=tmp_path / "more", add_labels=True, **quick)
    assert result.labels == ["World", "Sports", "Business", "Sci/Tech", "money", "sport"]
    with pytest.raises(ParamError, match="problem_type must be single_label_classification"):
        albertine.train(values, output=tmp_path / "x", problem_type="classification")


def test_a_moving_average_of_the_weights_is_kept(table: Any, tmp_path: Path) -> None:
    albertine.train(table, output=tmp_path / "last", **QUICK)
    albertine.train(table, output=tmp_path / "average", ema_decay=0.5, precision="f32", **QUICK)
    assert weights(tmp_path / "last") != weights(tmp_path / "average")
    with pytest.raises(ParamError, match="ema_decay must be at least 0 and below 1, not 1"):
        albertine.train(table, output=tmp_path / "x", ema_decay=1.0, **QUICK)
    with pytest.raises(ParamError, match="precision must be f32 or bf16, not int8"):
        albertine.train(table, output=tmp_path / "x", precision="int8", **QUICK)


def test_an_embedding_may_be_the_teacher(table: Any, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    embeddings = pa.table({"first": [0.5, -1.0] * 3, "second": [-2.0, 3.0] * 3})
    unlabeled = pa.table({"text": TEXTS, "label": pa.nulls(6, pa.string())})
    task = {"problem_type": "regression", "teacher": embeddings}
    student = albertine.train(
        unlabeled, output=tmp_path / "student", config=tmp_path / "config.json", vocabulary_size=60, epochs=2, **task
    )
    assert student.labels == ["first", "second"]
    tuned = albertine.train(table, output=tmp_path / "model", model=student.path, epochs=1)
    assert tuned.labels == ["money", "sport"]
    values = pa.table({"text": TEXTS, "label": [0.5, -2.0] * 3})
    with pytest.raises(ParamError, match="teacher must be one number for each text"):
        albertine.train(values, output=tmp_path / "x", **task, **QUICK)
