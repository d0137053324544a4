"""Every kind of exception, by what really causes it, through every door."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
import struct
from pathlib import Path
from typing import Any, Callable

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import albertine
from albertine import (
    AlbertineError,
    ColumnError,
    HubError,
    ModelError,
    ModelNotFound,
    ParamError,
    PipelineError,
    RowError,
    errors,
)
from albertine.annotator import AlbertForSequenceClassification, SentenceDetector, Tokenizer
from albertine.base import DocumentAssembler, LightPipeline, Pipeline, PipelineModel, PretrainedPipeline

KINDS = [getattr(errors, name) for name in errors.__all__ if not name.endswith("Warning")]
PUBLISHED = "albert_base_sequence_classifier_ag_news"
ARCHIVE = f"{PUBLISHED}_en_3.4.0_3.0_1639648298937.zip"


def test_exceptions_are_of_one_family_and_of_python_s() -> None:
    assert KINDS[0] is AlbertineError and issubclass(AlbertineError, Exception)
    assert all(issubclass(kind, AlbertineError) for kind in KINDS)
    assert all(getattr(albertine, kind.__name__) is kind and kind.__doc__ for kind in KINDS)
    assert issubclass(ModelNotFound, LookupError)
    assert all(issubclass(kind, ValueError) for kind in (PipelineError, ColumnError, ParamError, RowError))


@pytest.mark.parametrize("kind", KINDS)
def test_exceptions_go_through_pickles(kind: type[AlbertineError]) -> None:
    error = kind("row 3: what is wrong")
    for copied in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(copied) is kind and str(copied) == "row 3: what is wrong"


def test_exceptions_that_were_raised_go_through_pickles_too() -> None:
    with pytest.raises(ModelNotFound) as caught:
        albertine.classify("a", model="no_such_model")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is ModelNotFound and str(again) == str(caught.value)


def doors(name: str) -> list[Callable[[], Any]]:
    """The ways to a model by its name or path."""
    return [
        lambda: albertine.classify("a", model=name),
        lambda: albertine.classify(pa.table({"text": ["a"]}), model=name),
        lambda: AlbertForSequenceClassification.pretrained(name),
    ]


def pipeline_doors(name: str) -> list[Callable[[], Any]]:
    return [lambda: PretrainedPipeline(name)]


# no model


def test_a_name_that_nothing_has(hub: Any) -> None:
    for door in doors("ag_newz"):
        with pytest.raises(ModelNotFound, match="^there is no model named `ag_newz.*`; the nearest are `ag_news`"):
            door()
    for door in pipeline_doors("no_such_pipeline"):
        with pytest.raises(ModelNotFound, match="^there is no model named `no_such_pipeline"):
            door()
    with pytest.raises(
        ModelNotFound, match=r"^there is no model named `ag_news \(fr\)`; the nearest are `ag_news \(en\)`"
    ):
        AlbertForSequenceClassification.pretrained("ag_news", "fr")
    assert hub.asked == []


def test_a_path_that_leads_nowhere(tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere")
    for door in [*doors(path), *pipeline_doors(path)]:
        with pytest.raises(ModelNotFound, match="nowhere is not a model directory: nothing is there"):
            door()
    for cls in (AlbertForSequenceClassification, PipelineModel, Tokenizer):
        with pytest.raises(ModelNotFound, match="there is nothing at .*nowhere"):
            cls.load(path)
    (tmp_path / "file").write_text("no archive", encoding="utf-8")
    for door in doors(str(tmp_path / "file")):
        with pytest.raises(
            ModelNotFound, match="file is not a model directory: it is a file, and no zip or tar archive"
        ):
            door()


def test_a_published_model_that_is_nowhere(hub: Any) -> None:
    for door in doors(PUBLISHED):
        with pytest.raises(ModelNotFound, match=f"^`{ARCHIVE}` was not found in {hub.url}/"):
            door()
    assert set(hub.asked) == {f"/{ARCHIVE}"}
    for door in doors("owner/name"):
        with pytest.raises(
            ModelNotFound,
            match=f"^there is no folder or archive owner/name .*{hub.url}/owner/name/.* answered 404: there is no model",
        ):
            door()
    for door in [*doors(f"{hub.url}/nothing.zip"), *pipeline_doors(f"{hub.url}/nothing.zip")]:
        with pytest.raises(ModelNotFound, match=f"^{hub.url}/nothing.zip answered 404"):
            door()


def test_without_the_network(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALBERTINE_OFFLINE", "1")
    for door in [*doors(PUBLISHED), *doors("https://example.invalid/model.zip")]:
        with pytest.raises(ModelNotFound, match="is not on this machine, and network access is disabled"):
            door()
    for door in doors("owner/name"):
        with pytest.raises(
            ModelNotFound, match="no folder or archive owner/name on this machine, .*network access is disabled"
        ):
            door()
    assert hub.asked == []
    assert albertine.classify("The striker scored twice in the final.").label == "Sports"


# the hub


def test_a_server_that_refuses(hub: Any) -> None:
    hub.answers["/secret.zip"] = 403, b"go away"
    for door in doors(f"{hub.url}/secret.zip"):
        with pytest.raises(HubError, match=f"^{hub.url}/secret.zip answered 403"):
            door()
    hub.answers["/never.zip"] = 503, b""
    with pytest.raises(HubError, match="cannot download .*never.zip: it answered 503"):
        albertine.classify("a", model=f"{hub.url}/never.zip")


def test_a_server_that_sends_no_model(hub: Any, saved_models: Path, tmp_path: Path) -> None:
    whole = next(saved_models.glob("*news_en_5*.zip")).read_bytes()
    for name, body, message in [
        ("text.zip", b"<html>not here</html>", "is not an archive of a model"),
        ("half.zip", whole[: len(whole) // 2], "is not an archive of a model"),
    ]:
        hub.answers[f"/{name}"] = 200, body
        for door in doors(f"{hub.url}/{name}"):
            with pytest.raises(HubError, match=f"^{hub.url}/{name} {message}"):
                door()
    hub.answers[f"/{ARCHIVE}"] = 200, whole[:1000]
    with pytest.raises(HubError, match=f"{ARCHIVE} is not an archive of a model"):
        AlbertForSequenceClassification.pretrained(PUBLISHED, "en")
    assert not list((tmp_path / "cache").rglob("*.zip")), "nothing of it is kept"
    # the place can be named in the call
    other = tmp_path / "place"
    other.mkdir()
    (other / ARCHIVE).write_bytes(whole)
    assert AlbertForSequenceClassification.pretrained(PUBLISHED, "en", str(other)).getClasses() == [
        "World",
        "Sports",
        "Business",
        "Sci/Tech",
    ]


def test_settings_that_mean_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALBERTINE_OFFLINE", "perhaps")
    for door in doors(PUBLISHED):
        with pytest.raises(HubError, match="^the environment variable ALBERTINE_OFFLINE is `perhaps`: "):
            door()


# models


@pytest.fixture
def folder(saved_models: Path, tmp_path: Path) -> Path:
    """A small model directory to spoil."""
    shutil.copytree(saved_models / "huggingface", tmp_path / "model")
    return tmp_path / "model"


def rewritten(folder: Path, change: Callable[[dict[str, Any], bytearray], None]) -> None:
    """Changes the header or the numbers of a safetensors file."""
    path = folder / "model.safetensors"
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header, numbers = json.loads(content[8 : 8 + size]), bytearray(content[8 + size :])
    change(header, numbers)
    encoded = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + numbers)


def test_models_that_are_damaged(folder: Path, tmp_path: Path) -> None:
    def spoilt(name: str, content: bytes | None) -> str:
        copied = tmp_path / name.replace(".", "_")
        shutil.copytree(folder, copied)
        (copied / name).unlink()
        if content is not None:
            (copied / name).write_bytes(content)
        return str(copied)

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = (folder / "model.safetensors").read_bytes()
    for path, message in [
        (spoilt("config.json", b"{"), "config.json"),
        (spoilt("model.safetensors", weights[:-100]), "model.safetensors"),
        (spoilt("tokenizer.json", b"[]"), "tokenizer.json"),
    ]:
        for door in [*doors(path), lambda: AlbertForSequenceClassification.load(path)]:
            with pytest.raises(ModelError, match=message):
                door()
    config["hidden_act"] = "softplus"
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for door in doors(str(folder)):
        with pytest.raises(ModelError, match="softplus"):
            door()


def test_a_pipeline_with_a_damaged_model(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "pipeline"
    PipelineModel([AlbertForSequenceClassification.load(folder)]).save(str(path))
    (weights,) = path.rglob("model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1])
    for door in (lambda: PipelineModel.load(path), lambda: PretrainedPipeline(None, disk_location=str(path))):
        with pytest.raises(ModelError, match="model.safetensors"):
            door()


# pipelines


def test_pipelines_that_are_none(tmp_path: Path, folder: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (empty, folder):
        for door in (
            lambda: PipelineModel.load(path),
            lambda: PretrainedPipeline.from_disk(str(path)),
            lambda: PretrainedPipeline(str(path)),
        ):
            with pytest.raises(PipelineError, match="is not a saved pipeline"):
                door()
    strange = tmp_path / "strange"
    strange.mkdir()
    stage = {"class": "NerDL", "params": {}}
    (strange / "pipeline.json").write_text(
        json.dumps({"format": "albertine-pipeline", "version": 1, "stages": [stage]}), encoding="utf-8"
    )
    with pytest.raises(PipelineError, match="has the stage `NerDL`, which is not supported"):
        PipelineModel.load(strange)
    (strange / "pipeline.json").write_text(
        json.dumps({"format": "albertine-pipeline", "version": 99, "stages": []}), encoding="utf-8"
    )
    with pytest.raises(PipelineError, match="has version 99"):
        PipelineModel.load(strange)


# columns and parameters


def test_columns_that_do_not_fit(stages: list[Any]) -> None:
    document, token, sequence = stages
    frames = [
        pa.table({"text": ["a"]}),
        pa.record_batch({"text": ["a"]}),
        pd.DataFrame({"text": ["a"]}),
        pl.DataFrame({"text": ["a"]}),
    ]
    for frame in frames:
        for work, message in [
            (lambda: token.transform(frame), "there is no column `document`; the columns are `text`"),
            (
                lambda: token.copy().setInputCols("text").transform(frame),
                "needs an annotation column of type `document`, but column `text`",
            ),
            (
                lambda: sequence.copy().setInputCols("text").transform(frame),
                r"takes 2 input column\(s\) \(document, token\), but was given 1",
            ),
            (lambda: Pipeline([document.copy().setOutputCol("text")]).fit(frame), "would overwrite column `text`"),
            (
                lambda: albertine.classify(frame, text_column="title"),
                "there is no column `title`; the columns are `text`",
            ),
            (lambda: albertine.classify(frame, text_column=["text", "title"]), "there is no column `title`"),
        ]:
            with pytest.raises(ColumnError, match=message):
                work()
    light = LightPipeline(PipelineModel([document, sequence]))
    with pytest.raises(ColumnError, match="there is no column `token`; the columns are `text`, `document`"):
        light.annotate("a")


def test_arguments_that_cannot_be() -> None:
    for arguments, message in [
        ({"precision": "f8"}, "precision set to f8, expected f32, bf16 or int8"),
        ({"activation": "tanh"}, "activation set to tanh, expected softmax or sigmoid"),
        ({"encoding": "letters"}, "encoding set to letters, expected document or token"),
        ({"threshold": 1.5}, "the threshold must lie between 0 and 1, but 1.5 was asked for"),
        ({"max_sentence_length": 513}, "between 2 and 512 for this model, but 513 was asked for"),
        ({"max_sentence_length": -1}, "max_sentence_length is -1, but cannot be less than 0"),
        ({"window_overlap": 300}, "fewer than half of the 510 pieces in a window, but 300 were asked for"),
        ({"threads": 2000}, "2000 threads were asked for, but at most 1024 are allowed"),
        ({"threads": -1}, "threads is -1, but cannot be less than 0"),
        (
            {"max_sentence_length": 10**30},
            "max_sentence_length is 1000000000000000000000000000000, but cannot be so large",
        ),
    ]:
        for texts in ("a", ["a"], pa.table({"text": ["a"]}), pd.DataFrame({"text": ["a"]})):
            with pytest.raises(ParamError, match=message):
                albertine.classify(texts, **arguments)
    for strange in (5, None, b"a", {"text": "a"}, object()):
        with pytest.raises(TypeError, match="expected a text, texts or a table, not"):
            albertine.classify(strange)
    for texts, message in [
        (["a", 5], "text 1 must be a str, not int"),
        (["a", b"b"], "text 1 must be a str, not bytes"),
    ]:
        with pytest.raises(TypeError, match=message):
            albertine.classify(texts)
    for wrong in ({"max_sentence_length": "x"}, {"threads": 1.5}, {"model": 5}, {"case_sensitive": "no"}):
        with pytest.raises(TypeError):
            albertine.classify("a", **wrong)  # type: ignore[call-overload]


# rows


def test_a_row_without_a_finite_score_is_told(folder: Path) -> None:
    """The weights of far positions are too large to count with: it shows in long texts alone."""

    def spoil(header: dict[str, Any], numbers: bytearray) -> None:
        name = next(name for name in header if "position_embeddings" in name)
        (start, end), (positions, _) = header[name]["data_offsets"], header[name]["shape"]
        row = (end - start) // positions
        for place in range(start + 20 * row, end, 4):
            numbers[place : place + 4] = struct.pack("<f", 3e38)

    rewritten(folder, spoil)
    texts = ["short"] * 400
    texts[301] = "a long text " * 20
    stages = [
        DocumentAssembler(),
        Tokenizer().fit(None),
        AlbertForSequenceClassification.load(folder).setMaxSentenceLength(64),
    ]
    model = PipelineModel(stages)
    frames = [
        pa.table({"text": texts}),
        pd.DataFrame({"text": texts}, index=range(1000, 1400)),
        pl.DataFrame({"text": texts}),
    ]
    works: list[Callable[[], Any]] = [lambda: albertine.classify(texts, model=str(folder))]
    for frame in frames:
        works.append(lambda frame=frame: albertine.classify(frame, model=str(folder)))
        works.append(lambda frame=frame: model.transform(frame))
    for work in works:
        with pytest.raises(
            RowError, match="^row 301 has no finite logit for label `.*`: the weights of the model are damaged"
        ):
            work()
    with pytest.raises(RowError, match="has no finite logit"):
        LightPipeline(model).annotate(texts[301])
    assert albertine.classify("short", model=str(folder)).label is not None


def test_a_pattern_that_finds_no_end_is_told_with_its_row() -> None:
    """Patterns that try all ways to part a row of letters."""
    endless = "(x+x+)+y(?!z)"
    token = Tokenizer().setInputCols(["document"]).setSplitPattern(endless)
    sentence = SentenceDetector().setInputCols(["document"]).setCustomBounds([endless])
    texts = ["short"] * 1500
    texts[1400] = "x" * 1000
    for stage in (token, sentence):
        model = PipelineModel([DocumentAssembler(), stage])
        works = [
            lambda frame=frame: model.transform(frame)
            for frame in (pa.table({"text": texts}), pd.DataFrame({"text": texts}))
        ]
        for work in [*works, lambda: LightPipeline(model).annotate(texts)]:
            with pytest.raises(RowError, match=r"^row 1400: the pattern .* was abandoned on a text of 1000 bytes"):
                work()


def test_half_characters_are_told_with_their_row() -> None:
    for texts in (["a", "\ud83d"], ("a", "\ud83d")):
        with pytest.raises(RowError, match="^row 1: the text holds half a character"):
            albertine.classify(texts)
    with pytest.raises(RowError, match="^row 0: the text holds half a character"):
        albertine.classify("\ud83d")
