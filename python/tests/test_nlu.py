"""NLU's one-liner: what a request names, and what `predict` gives for texts of every kind."""

from __future__ import annotations

import copy
import http.server
import pickle
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Iterator

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import albertine
from albertine.annotator import AlbertForSequenceClassification, SentenceDetector, Tokenizer
from albertine.base import DocumentAssembler, Finisher, LightPipeline, PipelineModel
from albertine.nlu import NLUPipeline, load

TESTDATA = Path(__file__).resolve().parents[2] / "testdata"
MODELS = TESTDATA / "spark_nlp" / "models"
PUBLISHED = "albert_base_sequence_classifier_ag_news"
TINY = MODELS / "albert_tiny_sequence_classifier_news_en_3.4.4_3.0_1700000000000.zip"
ARCHIVE = f"{PUBLISHED}_en_3.4.0_3.0_1639648298937.zip"

#: Two sentences, three of nothing, one that is a sentence, an emoji that counts twice.
TEXTS = [
    "Oil prices are rising. Arsenal won on Sunday.",
    None,
    "",
    "  ",
    "Talks begin in Geneva",
    "Yes 😀 indeed. The striker scored twice.",
]
ROWS = [0, 0, 1, 2, 3, 4, 5, 5]
SENTENCES = [
    "Oil prices are rising.",
    "Arsenal won on Sunday.",
    None,
    None,
    None,
    "Talks begin in Geneva",
    "Yes 😀 indeed.",
    "The striker scored twice.",
]
CLASS = "classified_sequence"
PLAIN = [CLASS, f"{CLASS}_confidence", "sentence"]


@pytest.fixture(scope="module")
def pipe() -> NLUPipeline:
    return load("ag_news")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no home, and a folder of archives as the only place that models come from."""
    folder = tmp_path / "hub"
    folder.mkdir()
    for name, value in {"ALBERTINE_CACHE": tmp_path / "cache", "ALBERTINE_HUB": folder, "HOME": tmp_path}.items():
        monkeypatch.setenv(name, str(value))
    return folder


def missing_as_none(values: Any) -> list[Any]:
    return [None if value is None or value != value else value for value in values]


def labels_of(texts: list[Any]) -> list[Any]:
    return [prediction.label for prediction in albertine.classify(texts)]


# 8.1: requests


@pytest.mark.parametrize(
    "request_",
    [
        "ag_news",
        "en.ag_news",
        "classify.ag_news",
        "classify.albertine.ag_news",
        "en.classify.albertine.ag_news",
        "EN.Classify.Albertine.AG_News",
    ],
)
def test_the_built_in_model_has_a_natural_spell_and_its_name(request_: str) -> None:
    pipe = load(request_)
    assert list(pipe) == ["document_assembler", "sentence_detector", "tokenizer", CLASS]
    assert pipe[CLASS].getClasses() == ["World", "Sports", "Business", "Sci/Tech"]
    assert pipe.predict("Arsenal won on Sunday.")[CLASS].tolist() == ["Sports"]


def test_missing_stages_are_added_and_are_those_of_spark_nlp(pipe: NLUPipeline) -> None:
    kinds = [DocumentAssembler, SentenceDetector, Tokenizer, AlbertForSequenceClassification]
    assert [type(stage) for stage in pipe.values()] == kinds
    assert [stage.getOutputCol() for stage in pipe.values()] == ["document", "sentence", "token", CLASS]
    assert pipe["tokenizer"].getInputCols() == ["sentence"]
    assert pipe[CLASS].getInputCols() == ["sentence", "token"]


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ("en.classify.albert.ag_news", PUBLISHED),
        ("classify.albert.ag_news", PUBLISHED),
        (PUBLISHED, PUBLISHED),
        (f"en.{PUBLISHED}", PUBLISHED),
        ("en.classify.albert.imdb", "albert_base_sequence_classifier_imdb"),
        ("classify.albert.imdb", "albert_base_sequence_classifier_imdb"),
    ],
)
def test_published_models_are_found_by_spell_and_by_name(request_: str, name: str, hub: Path) -> None:
    shutil.copy(TINY, hub / f"{name}_en_3.4.0_3.0_1700000000000.zip")
    pipe = load(request_)
    assert len(pipe[CLASS].getClasses()) > 1
    assert pipe.predict("Oil is up.").columns.tolist() == PLAIN


def test_a_published_model_comes_from_a_server_once(
    hub: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(TINY, hub / ARCHIVE)
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(hub))

        def log_message(self, *arguments: Any) -> None:
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        monkeypatch.setenv("ALBERTINE_HUB", f"http://127.0.0.1:{server.server_port}/")
        first = load("en.classify.albert.ag_news").predict("Disney Comics was a comic book publishing company.")
        assert f"{PUBLISHED} download started" in capfd.readouterr().err
        assert asked
        count = len(asked)
        again = load("en.classify.albert.ag_news").predict("Disney Comics was a comic book publishing company.")
        pd.testing.assert_frame_equal(first, again)
        assert len(asked) == count
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_several_references_share_what_comes_before_them(hub: Path) -> None:
    shutil.copy(TINY, hub / ARCHIVE)
    pipe = load("en.classify.albertine.ag_news \t classify.albert.ag_news\nen.classify.albertine.ag_news")
    names = [f"{CLASS}_albertine", f"{CLASS}_albert"]
    assert list(pipe) == ["document_assembler", "sentence_detector", "tokenizer", *names]
    found = pipe.predict("Arsenal won on Sunday. Oil is up.")
    assert found.columns.tolist() == sorted([*names, *(f"{name}_confidence" for name in names), "sentence"])
    assert found[names[0]].tolist() == labels_of(["Arsenal won on Sunday.", "Oil is up."])


def test_columns_of_several_models_are_told_apart_by_as_much_as_it_takes() -> None:
    from albertine._requests import column_names

    assert column_names(["classify.albert.ag_news", "classify.albert.imdb"]) == [
        f"{CLASS}_albert_ag_news",
        f"{CLASS}_albert_imdb",
    ]
    assert column_names(["ag_news", "classify.albert.ag_news"]) == [f"{CLASS}_ag_news", f"{CLASS}_albert"]
    assert column_names(["a/model", "b/model"][:1]) == [CLASS]
    assert column_names(["model", "model"]) == [f"{CLASS}_model_0", f"{CLASS}_model_1"]


@pytest.mark.parametrize(
    ("request_", "hint"),
    [
        ("en.classify.albert.ag_mews", "`en.classify.albert.ag_news`"),
        ("classify.albert.imbd", "`en.classify.albert.imdb`"),
        ("ag_mews", "`en.ag_news`"),
        ("de.classify.albert.ag_news", "`en.classify.albert.ag_news`"),
        ("xx.classify.albert.ag_news", "`en.classify.albert.ag_news`"),
        ("qqqqqqqq", "`en.classify.albertine.ag_news`"),
        ("ag_news ag_mews", "`en.ag_news`"),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest_spells(request_: str, hint: str) -> None:
    with pytest.raises(albertine.ModelNotFound, match="did you use an NLU spell") as error:
        load(request_)
    assert hint in str(error.value) and f"`{request_.split()[-1]}`" in str(error.value)


@pytest.mark.parametrize("request_", ["from_disk", "", "  "])
def test_a_request_that_names_nothing_is_refused(request_: str) -> None:
    with pytest.raises(albertine.PipelineError, match="nothing is named"):
        load(request_)


def test_what_is_to_be_trained_is_refused() -> None:
    with pytest.raises(
        albertine.PipelineError, match="`train.classifier` is to be trained, which the command `albertine train` does"
    ):
        load("train.classifier")


@pytest.mark.parametrize("offline", ["1", "0"])
def test_a_published_model_that_cannot_be_had_is_told_how_to_get(
    offline: str, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALBERTINE_OFFLINE", offline)
    for ask in (
        lambda: load("en.classify.albert.ag_news"),
        lambda: AlbertForSequenceClassification.pretrained(PUBLISHED, "en"),
    ):
        with pytest.raises(albertine.ModelNotFound) as error:
            ask()
        assert ARCHIVE in str(error.value) and "ALBERTINE_HUB" in str(error.value) and "`ag_news`" in str(error.value)


def test_a_repository_or_a_path_is_a_reference_too(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(str(MODELS / "huggingface")).predict("Oil is up.")
    assert found.columns.tolist() == PLAIN
    monkeypatch.chdir(MODELS)
    pd.testing.assert_frame_equal(load("./huggingface").predict("Oil is up."), found)
    pd.testing.assert_frame_equal(load("huggingface").predict("Oil is up."), found)
    monkeypatch.setenv("ALBERTINE_OFFLINE", "1")
    with pytest.raises(albertine.ModelNotFound, match="no folder or archive owner/name on this machine"):
        load("owner/name")


def test_verbose_tells_what_a_reference_is(capsys: pytest.CaptureFixture[str]) -> None:
    load(
        "classify.albertine.ag_news",
        verbose=True,
        gpu=True,
        streamlit_caching=True,
        apple_silicon=True,
        get_tracer=True,
    )
    assert capsys.readouterr().err == "classify.albertine.ag_news is ag_news (en)\n"


# 8.1: path


@pytest.mark.parametrize(
    "name",
    [
        "huggingface",
        "annotator_onnx",
        "onnx",
        "tensorflow.zip",
        "albert_tiny_sequence_classifier_news_en_3.4.4_3.0_1700000000000.zip",
        "albert_tiny_sequence_classifier_news_en_5.5.3_3.0_1700000000000.zip",
    ],
)
def test_a_path_to_a_single_model_gets_the_stages_that_it_needs(name: str) -> None:
    pipe = load(path=MODELS / name)
    assert list(pipe) == ["document_assembler", "sentence_detector", "tokenizer", CLASS]
    assert pipe.predict("Oil is up. Yes.").columns.tolist() == PLAIN


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("albert_tiny_sequence_classifier_news_pipeline_en_3.4.4_3.0_1700000000000.zip", "document"),
        ("albert_tiny_sequence_classifier_news_pipeline_en_5.5.3_3.0_1700000000000.zip", "document"),
        # it has sentences, and averages their scores
        ("albert_tiny_sequence_classifier_news_sentence_pipeline_en_5.5.3_3.0_1700000000000.zip", "document"),
    ],
)
def test_a_path_to_a_pipeline_keeps_its_stages_and_its_level(name: str, level: str) -> None:
    pipe = load("en.classify.albert.ag_news", path=MODELS / name)
    column = next(stage.getOutputCol() for stage in pipe.values() if isinstance(stage, AlbertForSequenceClassification))
    text = "Oil is up. Arsenal won on Sunday."
    found = pipe.predict(text)
    assert found.columns.tolist() == sorted([column, f"{column}_confidence", level])
    light = LightPipeline(PipelineModel.load(MODELS / name)).fullAnnotate(text)[0][column]
    given = found[column].tolist()[0]
    assert (given if isinstance(given, list) else [given]) == [annotation.result for annotation in light]
    for other in ("document", "sentence"):
        expected = 1 if other == "document" else 2
        assert len(pipe.predict(text, output_level=other)) == expected


def test_a_folder_that_was_unpacked_is_a_path_too(tmp_path: Path) -> None:
    shutil.unpack_archive(
        MODELS / "albert_tiny_sequence_classifier_news_pipeline_en_5.5.3_3.0_1700000000000.zip", tmp_path / "pipeline"
    )
    assert (tmp_path / "pipeline" / "stages").is_dir()
    assert "document_assembler" in load(path=str(tmp_path / "pipeline"))


def test_a_whole_pipeline_by_name_is_alone(hub: Path) -> None:
    name = "albert_tiny_sequence_classifier_news_pipeline"
    shutil.copy(MODELS / f"{name}_en_5.5.3_3.0_1700000000000.zip", hub)
    assert load(name).predict("Oil is up.").shape[0] == 1
    with pytest.raises(albertine.PipelineError, match="whole pipeline, which must be loaded alone"):
        load(f"{name} ag_news")


def test_a_path_that_leads_nowhere_or_to_something_else_is_told(tmp_path: Path) -> None:
    with pytest.raises(albertine.ModelNotFound, match="nothing"):
        load(path=tmp_path / "nothing")
    (tmp_path / "letter.txt").write_text("Dear Sir")
    with pytest.raises(albertine.AlbertineError, match="letter.txt"):
        load(path=tmp_path / "letter.txt")
    with pytest.raises(albertine.AlbertineError):
        load(path=tmp_path)
    Tokenizer().fit(None).write().save(str(tmp_path / "tokenizer"))
    with pytest.raises(albertine.PipelineError, match="TokenizerModel"):
        load(path=tmp_path / "tokenizer")


def test_paths_may_be_relative(pipe: NLUPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pipe.save("saved")
    pd.testing.assert_frame_equal(load(path="saved").predict(TEXTS), pipe.predict(TEXTS))


# 8.2: data


def same_answer(found: pd.DataFrame, index: list[Any]) -> None:
    assert found.index.tolist() == index
    assert missing_as_none(found["sentence"]) == SENTENCES
    assert missing_as_none(found[CLASS]) == labels_of(SENTENCES)
    assert found[f"{CLASS}_confidence"].dtype == np.float64
    for text, confidence in zip(SENTENCES, found[f"{CLASS}_confidence"]):
        score = albertine.classify(text).score if text else None
        assert np.isnan(confidence) if score is None else np.float32(confidence) == np.float32(score)


def test_a_text_gives_a_frame_of_its_sentences(pipe: NLUPipeline) -> None:
    found = pipe.predict(TEXTS[0])
    assert isinstance(found, pd.DataFrame)
    assert found.columns.tolist() == PLAIN
    assert found.index.tolist() == [0, 0]
    assert found["sentence"].tolist() == SENTENCES[:2]


@pytest.mark.parametrize("kind", [list, tuple, lambda texts: np.array(texts, dtype=object)])
def test_lists_tuples_and_arrays(pipe: NLUPipeline, kind: Any) -> None:
    found = pipe.predict(kind(TEXTS))
    assert found.columns.tolist() == PLAIN
    same_answer(found, ROWS)


def test_an_array_of_numpy_texts_and_one_of_pandas(pipe: NLUPipeline) -> None:
    assert pipe.predict(np.array(["Oil is up.", "Yes."]))["sentence"].tolist() == ["Oil is up.", "Yes."]
    assert missing_as_none(pipe.predict(pd.array(["Oil is up.", None], dtype="string"))["sentence"]) == [
        "Oil is up.",
        None,
    ]


@pytest.mark.parametrize("dtype", ["object", "string", "category"])
def test_a_series_keeps_its_index(pipe: NLUPipeline, dtype: str) -> None:
    series = pd.Series(TEXTS, index=list("abcdef"), name="news").astype(dtype)
    found = pipe.predict(series)
    assert found.columns.tolist() == PLAIN
    same_answer(found, ["abcdef"[row] for row in ROWS])


def test_a_frame_keeps_its_index_and_columns_with_their_types(pipe: NLUPipeline) -> None:
    index = pd.MultiIndex.from_product([["x", "y"], [1, 2, 3]])
    frame = pd.DataFrame(
        {
            "id": range(6),
            "text": TEXTS,
            "when": pd.date_range("2024-01-01", periods=6, tz="UTC"),
            "kind": pd.Categorical(list("ababab")),
            "mixed": [1, "x", None, 2.5, b"y", {}],
            7: [0.5] * 6,
        },
        index=range(6),
    ).set_index(index)
    before = frame.copy(deep=True)
    found = pipe.predict(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert found.columns.tolist() == [7, *sorted([*PLAIN, "id", "text", "when", "kind", "mixed"])]
    same_answer(found, [index[row] for row in ROWS])
    for name in frame.columns:
        assert found[name].dtype == frame[name].dtype
    assert found["id"].tolist() == ROWS


def test_the_first_column_has_the_texts_where_none_is_called_text(pipe: NLUPipeline) -> None:
    frame = pd.DataFrame({"headline": ["Oil is up."], "other": ["Arsenal won on Sunday."]})
    assert pipe.predict(frame)["sentence"].tolist() == ["Oil is up."]
    assert pipe.predict(frame.rename(columns={"other": "text"}))["sentence"].tolist() == ["Arsenal won on Sunday."]
    assert pipe.predict(pl.DataFrame({"headline": ["Oil is up."]}))["sentence"].to_list() == ["Oil is up."]
    assert pipe.predict(pa.table({"headline": ["Oil is up."]}))["sentence"].to_pylist() == ["Oil is up."]


def test_polars_gives_polars_with_the_row_in_a_column(pipe: NLUPipeline) -> None:
    frame = pl.DataFrame({"id": range(6), "text": TEXTS, "kind": pl.Series(list("ababab"), dtype=pl.Categorical)})
    found = pipe.predict(frame)
    assert isinstance(found, pl.DataFrame)
    assert found.columns == sorted([*PLAIN, "id", "text", "kind", "origin_index"])
    assert found["origin_index"].to_list() == ROWS == found["id"].to_list()
    assert found["kind"].dtype == frame["kind"].dtype
    assert found["sentence"].to_list() == SENTENCES
    assert found[CLASS].to_list() == labels_of(SENTENCES)
    series = pipe.predict(frame["text"])
    assert series.equals(found.select(sorted([*PLAIN, "origin_index"])))
    with pytest.raises(TypeError, match="collect"):
        pipe.predict(frame.lazy())


def test_pyarrow_gives_pyarrow_of_the_same_kind(pipe: NLUPipeline) -> None:
    table = pa.table({"id": range(6), "text": pa.array(TEXTS).dictionary_encode(), "sentence": ["own"] * 6})
    found = pipe.predict(table)
    assert isinstance(found, pa.Table)
    assert found.column_names == sorted(
        [CLASS, f"{CLASS}_confidence", "id", "origin_index", "predicted_sentence", "sentence", "text"]
    )
    assert found["predicted_sentence"].to_pylist() == SENTENCES
    assert found["origin_index"].to_pylist() == ROWS == found["id"].to_pylist()
    assert found["text"].type == table["text"].type
    (batch,) = table.to_batches()
    assert pipe.predict(batch) == found.combine_chunks().to_batches()[0]
    assert pipe.predict(table["text"])["sentence"].to_pylist() == SENTENCES
    assert pipe.predict(table["text"].combine_chunks()).num_rows == len(ROWS)
    empty = pipe.predict(table.slice(0, 0))
    assert (empty.num_rows, empty.schema) == (0, found.schema)


def test_a_reader_is_read_as_its_result_is(pipe: NLUPipeline) -> None:
    read = []

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(40):
            read.append(number)
            yield pa.record_batch({"id": [number] * 500, "text": ["Oil is up. Yes."] * 500})

    reader = pipe.predict(
        pa.RecordBatchReader.from_batches(pa.schema([("id", pa.int64()), ("text", pa.string())]), batches())
    )
    assert isinstance(reader, pa.RecordBatchReader) and len(read) < 2
    first = reader.read_next_batch()
    assert len(read) < 40
    rows = first["origin_index"].to_pylist() + [row for batch in reader for row in batch["origin_index"].to_pylist()]
    assert rows == [row for row in range(20_000) for _ in range(2)]


def test_what_a_reader_raises_is_what_the_caller_gets(pipe: NLUPipeline) -> None:
    raised = KeyError("boom")

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"text": ["Oil is up. Yes."] * 300})
        raise raised

    with pytest.raises(KeyError) as caught:
        pipe.predict(pa.RecordBatchReader.from_batches(pa.schema([("text", pa.string())]), batches())).read_all()
    assert caught.value is raised


def test_columns_that_pyarrow_chooses_no_rows_of(pipe: NLUPipeline) -> None:
    """Those of a frame are repeated for each sentence, whatever they hold."""
    columns = {
        "views": pa.array(["a", None], pa.string_view()),
        "lists of views": pa.array([["a"], None], pa.list_(pa.string_view())),
        "runs": pa.RunEndEncodedArray.from_arrays([1, 2], pa.array(["a", "b"])),
        "sparse": pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])]),
        "dense": pa.UnionArray.from_dense(
            pa.array([0, 1], pa.int8()), pa.array([0, 0], pa.int32()), [pa.array([1]), pa.array(["b"])]
        ),
        "structs": pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array([{"a": 1}, {"a": 2}])),
    }
    table = pa.table({"text": ["Oil is up. Gold is not.", "Yes."], **columns})
    for level, rows in (("document", [0, 1]), ("sentence", [0, 0, 1])):
        found = pipe.predict(table, output_level=level)
        for name, column in columns.items():
            assert found.schema.field(name).type == column.type
            assert found[name].to_pylist() == [column[row].as_py() for row in rows], name
        assert (
            pipe.predict(table.to_reader(), output_level=level).read_all()["dense"].to_pylist()
            == found["dense"].to_pylist()
        )


def test_pandas_may_call_columns_true_and_false(pipe: NLUPipeline) -> None:
    found = pipe.predict(pd.DataFrame([["Oil is up.", 1]], columns=[True, False]), output_level="document")
    assert list(found.columns)[:2] == [False, True] and found[True].tolist() == ["Oil is up."]


def test_other_tables_with_capsules_give_pyarrow_tables(pipe: NLUPipeline) -> None:
    class Stream:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return pa.table({"text": TEXTS}).__arrow_c_stream__(requested_schema)

    class Array:
        def __arrow_c_array__(self, requested_schema: object = None) -> object:
            return pa.record_batch({"text": TEXTS}).__arrow_c_array__(requested_schema)

    for data in (Stream(), Array()):
        assert pipe.predict(data) == pipe.predict(pa.table({"text": TEXTS}))


def test_no_texts_give_no_rows_and_the_same_columns(pipe: NLUPipeline) -> None:
    for nothing in (
        [],
        (),
        np.array([], dtype=object),
        pd.Series([], dtype=object),
        pd.DataFrame({"text": []}, dtype=object),
    ):
        found = pipe.predict(nothing)
        assert len(found) == 0
        assert set(PLAIN) <= set(found.columns)
    assert missing_as_none(pipe.predict([None, ""])["sentence"]) == [None, None]


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"id": [1], "news": ["a"]}),
        pd.DataFrame({"id": ["x"], "text": [1.5]}),
        pd.DataFrame(),
        pl.DataFrame({"id": [1]}),
        pa.table({"id": [1]}),
        pa.array([1]),
        pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"]),
        pd.DataFrame([["a", "b"]], columns=["text", "text"]),
    ],
)
def test_frames_without_texts_are_refused(pipe: NLUPipeline, data: Any) -> None:
    with pytest.raises(albertine.ColumnError):
        pipe.predict(data)


@pytest.mark.parametrize(
    "data", [7, None, b"text", {"text": ["a"]}, [1], ["a", 1], np.array([["a"]]), np.array([1, 2]), object()]
)
def test_what_is_no_text_is_refused(pipe: NLUPipeline, data: Any) -> None:
    with pytest.raises(TypeError):
        pipe.predict(data)


def test_half_a_character_is_told_with_its_row(pipe: NLUPipeline) -> None:
    with pytest.raises(albertine.RowError, match="row 1: the text holds half a character"):
        pipe.predict(["a", "b\ud83d"])


# 8.2: arguments


def test_the_levels(pipe: NLUPipeline) -> None:
    text = "Oil prices are rising. Arsenal won on Sunday."
    sentences = pipe.predict(text, output_level="sentence")
    pd.testing.assert_frame_equal(sentences, pipe.predict(text))
    documents = pipe.predict(text, output_level="document")
    assert documents.columns.tolist() == [CLASS, f"{CLASS}_confidence", "document"]
    assert documents["document"].tolist() == [text]
    label, score, _ = albertine.classify(text)
    assert documents[CLASS].tolist() == [label]
    assert np.float32(documents[f"{CLASS}_confidence"][0]) == np.float32(score)
    tokens = pipe.predict(text, output_level="token")
    assert tokens.columns.tolist() == [CLASS, f"{CLASS}_confidence", "token"]
    assert tokens["token"].tolist() == ["Oil", "prices", "are", "rising", ".", "Arsenal", "won", "on", "Sunday", "."]
    assert tokens[CLASS].tolist() == [label for label in sentences[CLASS] for _ in range(5)]
    assert tokens.index.tolist() == [0] * 10
    for other in ("chunk", "relation", "words"):
        with pytest.raises(albertine.ParamError, match="'document', 'sentence', 'token'"):
            pipe.predict(text, output_level=other)


def test_every_row_of_the_input_is_there_at_every_level(pipe: NLUPipeline) -> None:
    for level in ("document", "sentence", "token"):
        found = pipe.predict(TEXTS, output_level=level)
        assert sorted(set(found.index)) == list(range(len(TEXTS)))
    documents = pipe.predict(TEXTS, output_level="document")
    assert documents["document"].tolist() == [text or "" for text in TEXTS]
    assert missing_as_none(documents[CLASS]) == labels_of(TEXTS)


def test_the_confidence_is_the_highest_score_at_every_level(pipe: NLUPipeline) -> None:
    for level in ("document", "sentence", "token"):
        found = pipe.predict(TEXTS, output_level=level, metadata=True)
        scores = found[[f"{CLASS}_{label}_confidence" for label in pipe[CLASS].getClasses()]]
        assert found[f"{CLASS}_confidence"].dtype == np.float64
        np.testing.assert_array_equal(scores.max(axis=1), found[f"{CLASS}_confidence"])


def test_positions(pipe: NLUPipeline) -> None:
    found = pipe.predict(TEXTS[5], positions=True)
    names = [f"{name}_{end}" for name in (CLASS, "document", "sentence", "token") for end in ("begin", "end")]
    assert found.columns.tolist() == sorted([*PLAIN, *names])
    # the emoji is two code units
    assert found[["sentence_begin", "sentence_end"]].values.tolist() == [[0, 13], [15, 39]]
    assert found[[f"{CLASS}_begin", f"{CLASS}_end"]].values.tolist() == [[0, 13], [15, 39]]
    assert found[["document_begin", "document_end"]].values.tolist() == [[0, 39], [0, 39]]
    assert found["token_begin"].tolist() == [[0, 4, 7, 13], [15, 19, 27, 34, 39]]
    assert found["token_end"].tolist() == [[2, 5, 12, 13], [17, 25, 32, 38, 39]]
    documents = pipe.predict(TEXTS[5], output_level="document", positions=True)
    assert documents.columns.tolist() == sorted([CLASS, f"{CLASS}_confidence", "document", *names])
    assert documents["sentence_begin"].tolist() == [[0, 15]]
    assert documents[[f"{CLASS}_begin", f"{CLASS}_end"]].values.tolist() == [[0, 39]]
    tokens = pipe.predict(TEXTS[5], output_level="token", positions=True)
    assert tokens.columns.tolist() == sorted([CLASS, f"{CLASS}_confidence", "token", *names])
    assert tokens["token_begin"].tolist() == [0, 4, 7, 13, 15, 19, 27, 34, 39]
    assert tokens["sentence_begin"].tolist() == [0] * 4 + [15] * 5


def test_metadata_has_the_score_of_every_label(pipe: NLUPipeline) -> None:
    found = pipe.predict(TEXTS[0], metadata=True)
    labels = pipe[CLASS].getClasses()
    assert found.columns.tolist() == sorted(
        [*PLAIN, f"{CLASS}_origin_sentence", *(f"{CLASS}_{label}_confidence" for label in labels)]
    )
    assert found[f"{CLASS}_origin_sentence"].tolist() == ["0", "1"]
    for sentence, (_, row) in zip(SENTENCES, found.iterrows()):
        for label, score in albertine.classify(sentence).scores.items():
            assert np.float32(row[f"{CLASS}_{label}_confidence"]) == np.float32(score)
    tokens = pipe.predict(TEXTS[0], output_level="token", metadata=True)
    assert tokens["token_origin_sentence"].tolist() == ["0"] * 5 + ["1"] * 5


def test_columns_of_the_input_stay_or_go(pipe: NLUPipeline) -> None:
    frame = pd.DataFrame({"id": [3, 4], "text": TEXTS[:2], CLASS: ["own", "too"]})
    kept = pipe.predict(frame)
    assert kept.columns.tolist() == sorted([*frame.columns, f"predicted_{CLASS}", f"{CLASS}_confidence", "sentence"])
    assert kept[CLASS].tolist() == ["own", "own", "too"]
    assert kept[f"predicted_{CLASS}"].tolist()[:2] == labels_of(SENTENCES[:2])
    for data in (frame, pl.from_pandas(frame), pa.table(frame)):
        names = list(getattr(gone := pipe.predict(data, keep_stranger_features=False), "column_names", gone.columns))
        assert names == (PLAIN if isinstance(data, pd.DataFrame) else sorted([*PLAIN, "origin_index"]))


def test_texts_of_other_levels_stay_or_go(pipe: NLUPipeline) -> None:
    found = pipe.predict(TEXTS[0], drop_irrelevant_cols=False)
    assert found.columns.tolist() == sorted([*PLAIN, "document", "token"])
    assert found["document"].tolist() == [TEXTS[0]] * 2
    assert found["token"].tolist() == [["Oil", "prices", "are", "rising", "."], ["Arsenal", "won", "on", "Sunday", "."]]
    documents = pipe.predict(TEXTS[0], output_level="document", drop_irrelevant_cols=False)
    assert documents["sentence"].tolist() == [SENTENCES[:2]]
    assert len(documents["token"][0]) == 10
    tokens = pipe.predict(TEXTS[0], output_level="token", drop_irrelevant_cols=False)
    assert tokens["sentence"].tolist() == [sentence for sentence in SENTENCES[:2] for _ in range(5)]


def test_arguments_that_change_nothing_are_accepted_and_outputs_that_are_not_here_refused(pipe: NLUPipeline) -> None:
    plain = pipe.predict(TEXTS)
    pd.testing.assert_frame_equal(pipe.predict(TEXTS, multithread=False, get_embeddings=False, partition=1), plain)
    for argument in ({"output_path": "/tmp/x"}, {"parser_output": True}, {"parser_config": "x"}):
        with pytest.raises(albertine.ParamError, match=next(iter(argument))):
            pipe.predict(TEXTS, **argument)


def test_models_with_sigmoid_give_lists() -> None:
    pipe = load(path=TESTDATA / "golden" / "multi_label")
    pipe[CLASS].setThreshold(0.0)
    labels = pipe[CLASS].getClasses()
    found = pipe.predict(TEXTS, metadata=True)
    for sentence, given, confidences, row in zip(
        SENTENCES, found[CLASS], found[f"{CLASS}_confidence"], found.to_dict("records")
    ):
        assert given == (labels if sentence else [])
        assert confidences == ([row[f"{CLASS}_{label}_confidence"] for label in labels] if sentence else [])
    pipe[CLASS].setThreshold(1.0)
    assert pipe.predict(TEXTS, output_level="document")[CLASS].tolist() == [[]] * len(TEXTS)


def test_coalesced_sentences_have_one_class_a_document(pipe: NLUPipeline, tmp_path: Path) -> None:
    stages = [stage.copy() for stage in pipe.model.stages]
    stages[-1].setCoalesceSentences(True)
    PipelineModel(stages).write().save(str(tmp_path / "pipeline"))
    coalesced = load(path=tmp_path / "pipeline")
    found = coalesced.predict(TEXTS, metadata=True)
    assert found.index.tolist() == list(range(len(TEXTS))) and "document" in found.columns
    single = pipe.predict(TEXTS, metadata=True)
    mean = single.groupby(level=0)[f"{CLASS}_World_confidence"].mean()
    np.testing.assert_allclose(found[f"{CLASS}_World_confidence"], mean, atol=1e-6)
    pd.testing.assert_frame_equal(coalesced.predict(TEXTS, output_level="sentence"), pipe.predict(TEXTS))


# the pipeline as a dict, saving, fit, print_info


def test_components_can_be_reached_and_set() -> None:
    pipe = load("ag_news")
    assert isinstance(pipe, dict)
    assert pipe["tokenizer"] is list(pipe.values())[2]
    with pytest.raises(KeyError):
        pipe["stemmer"]
    pipe["sentence_detector"].setUseCustomBoundsOnly(True).setCustomBounds([";"])
    assert pipe.predict("Oil is up. Yes; no")["sentence"].tolist() == ["Oil is up. Yes", "no"]
    pipe["document_assembler"].setCleanupMode("shrink")
    assert pipe.predict("Oil   is up", output_level="document")["document"].tolist() == ["Oil is up"]
    exact = load("ag_news").predict("Arsenal won on Sunday.")[f"{CLASS}_confidence"][0]
    pipe[CLASS].setPrecision("int8")
    assert pipe.predict("Arsenal won on Sunday.")[f"{CLASS}_confidence"][0] == pytest.approx(exact, abs=0.05)
    assert pipe[CLASS]._classifier.precision == "int8"


def test_the_model_that_is_set_is_the_one_that_works() -> None:
    pipe = load("ag_news")

    def score() -> np.float32:
        return np.float32(pipe.predict(TEXTS[4])[f"{CLASS}_confidence"][0])

    exact, native = score(), pipe._native
    assert score() == exact and pipe._native is native, "made once"
    # the last may lie where the first lay, which is gone
    for precision in ("int8", "f32", "int8"):
        pipe[CLASS].setPrecision(precision).getClasses()
    assert score() == np.float32(albertine.classify(TEXTS[4], precision="int8").score) != exact


@pytest.mark.parametrize(
    "copied", [lambda pipe: pickle.loads(pickle.dumps(pipe)), copy.deepcopy, copy.copy, NLUPipeline.copy]
)
def test_pipelines_can_be_pickled_and_copied(copied: Any) -> None:
    pipe = load("ag_news")
    expected = pipe.predict(TEXTS)
    other = copied(pipe)
    assert type(other) is NLUPipeline and list(other) == list(pipe)
    pd.testing.assert_frame_equal(other.predict(TEXTS), expected)
    del other["tokenizer"]
    assert "tokenizer" in pipe


def test_fit_gives_the_pipeline_itself(pipe: NLUPipeline) -> None:
    assert pipe.fit() is pipe
    assert pipe.fit(pd.DataFrame({"text": ["a"], "y": ["b"]})) is pipe


def test_a_saved_pipeline_gives_the_same_frame(pipe: NLUPipeline, tmp_path: Path) -> None:
    pipe.save(str(tmp_path / "pipeline"))
    again = load(path=tmp_path / "pipeline")
    assert list(again) == list(pipe)
    pd.testing.assert_frame_equal(again.predict(TEXTS), pipe.predict(TEXTS))
    assert LightPipeline(PipelineModel.load(str(tmp_path / "pipeline"))).annotate("Oil is up.")[CLASS] == ["Business"]
    pipe.save(str(tmp_path / "pipeline"))
    with pytest.raises(albertine.AlbertineError, match="already exists"):
        pipe.save(str(tmp_path / "pipeline"), overwrite=False)


def test_a_saved_component_is_a_single_model(pipe: NLUPipeline, tmp_path: Path) -> None:
    pipe.save(str(tmp_path / "model"), component=CLASS)
    pd.testing.assert_frame_equal(load(path=tmp_path / "model").predict(TEXTS), pipe.predict(TEXTS))
    for name, stage in pipe.items():
        pipe.save(str(tmp_path / name), component=name)
        assert type(stage).load(str(tmp_path / name)).getOutputCol() == stage.getOutputCol()
    with pytest.raises(
        albertine.PipelineError, match="there is no component 'stemmer'; there are 'document_assembler'"
    ):
        pipe.save(str(tmp_path / "other"), component="stemmer")


def test_what_was_not_saved_is_never_replaced(pipe: NLUPipeline, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "will.txt").write_text("dear heirs")
    for path in ("papers", "papers/will.txt"):
        with pytest.raises(albertine.AlbertineError, match="was not replaced"):
            pipe.save(str(tmp_path / path))
    assert (tmp_path / "papers" / "will.txt").read_text() == "dear heirs"


def test_print_info_prints_lines_that_work(capsys: pytest.CaptureFixture[str]) -> None:
    pipe = load("ag_news")
    pipe.print_info()
    printed = capsys.readouterr().out
    settings = [line for line in printed.splitlines() if ".set" in line]
    assert any(line.startswith("pipe['tokenizer'].setMinLength(0)") for line in settings)
    assert not any("InputCol" in line or "OutputCol" in line for line in settings)
    for line in settings:
        exec(line, {"pipe": pipe})
    pipe.print_info(minimal=False)
    assert "pipe['tokenizer'].setInputCols(['sentence'])" in capsys.readouterr().out


def test_pipelines_that_give_no_classes() -> None:
    document = DocumentAssembler().setInputCol("raw").setOutputCol("d")
    token = Tokenizer().setInputCols(["d"]).setOutputCol("t")
    tokens = NLUPipeline({"document_assembler": document, "tokenizer": token})
    assert tokens.predict("Oil is up.").to_dict("list") == {"t": ["Oil", "is", "up", "."]}
    sentence = SentenceDetector().setInputCols(["d"]).setOutputCol("s")
    finisher = Finisher().setInputCols(["s"])
    assert NLUPipeline({"a": document, "b": sentence, "c": finisher}).predict("Oil. Gas.").to_dict("list") == {
        "s": ["Oil.", "Gas."]
    }
    with pytest.raises(albertine.PipelineError, match="no DocumentAssembler"):
        NLUPipeline({"b": sentence}).predict("Oil.")
    with pytest.raises(albertine.PipelineError, match="no Tokenizer"):
        NLUPipeline({"a": document, "b": sentence}).predict("Oil.", output_level="token")
    with pytest.raises(albertine.PipelineError, match="has 2 stages"):
        NLUPipeline({"a": document, "b": document}).predict("Oil.")


def test_what_predict_needs_is_told(pipe: NLUPipeline) -> None:
    program = """
import sys
sys.modules[sys.argv[1]] = None
import albertine
pipe = albertine.load("ag_news")
try:
    pipe.predict("Oil is up.")
except ImportError as error:
    print(error)
"""
    for name in ("pandas", "pyarrow", "numpy"):
        # PySpark needs them all, and is not there where they are not
        without_spark = f"import sys; sys.modules['pyspark'] = None{program}"
        done = subprocess.run([sys.executable, "-c", without_spark, name], capture_output=True, text=True)
        assert f"needs {name}" in done.stdout and "pip install 'albertine[pandas]'" in done.stdout, done.stderr


# Spark


def test_a_spark_frame_gives_what_pandas_gives(pipe: NLUPipeline, spark: Any) -> None:
    texts = TEXTS * 3
    frame = pd.DataFrame({"id": range(len(texts)), "text": texts, "sentence": ["own"] * len(texts)})
    rows = [(number, text, "own") for number, text in enumerate(texts)]
    table = spark.createDataFrame(rows, "id long, text string, sentence string")
    assert table.rdd.getNumPartitions() == 2
    for arguments in (
        {},
        {"keep_stranger_features": False, "positions": True, "drop_irrelevant_cols": False},
        {"output_level": "document", "metadata": True},
    ):
        found = pipe.predict(table, **arguments)
        expected = pipe.predict(frame, **arguments)
        assert isinstance(found, pd.DataFrame)
        assert found.columns.tolist() == expected.columns.tolist()
        assert found.index.tolist() == expected.index.tolist()
        for name in expected.columns:
            assert missing_as_none(found[name]) == missing_as_none(expected[name]), name


def test_columns_of_a_spark_frame_may_be_called_anything(pipe: NLUPipeline, spark: Any) -> None:
    names = ["a.b", "Text`s", "", "SENTENCE", "0"]
    table = spark.createDataFrame(
        [("Oil is up. Yes.", "x", 1, "own", None)], "a string, b string, c int, d string, e date"
    ).toDF(*names)
    found = pipe.predict(table)
    assert found.columns.tolist() == sorted([*names, *PLAIN])
    assert found["sentence"].tolist() == ["Oil is up.", "Yes."]
    assert found["SENTENCE"].tolist() == ["own", "own"]


def test_a_spark_frame_of_annotations_is_lazy(pipe: NLUPipeline, spark: Any) -> None:
    from pyspark.sql.functions import udf

    fails = udf(lambda text: 1 / 0, "string")
    broken = pipe.predict(
        spark.createDataFrame([("a",)], "text string").withColumn("text", fails("text")), return_spark_df=True
    )
    assert broken.columns == ["text", "document", "sentence", "token", CLASS]
    table = spark.createDataFrame([(1, TEXTS[0])], "id long, headline string").select("headline", "id")
    found = pipe.predict(table, return_spark_df=True)
    assert found.columns == ["headline", "id", "document", "sentence", "token", CLASS]
    assert found.schema[CLASS].metadata == {"annotatorType": "category"}
    rows = found.selectExpr(f"explode({CLASS}) as found").select("found.result").collect()
    assert [row.result for row in rows] == labels_of(SENTENCES[:2])
    alone = pipe.predict(table, return_spark_df=True, keep_stranger_features=False, output_level="document")
    assert alone.columns == ["headline", "document", "token", CLASS]


def test_other_data_can_become_a_spark_frame(pipe: NLUPipeline, spark: Any) -> None:
    for data in (TEXTS[0], pl.Series("text", [TEXTS[0]]), pa.table({"text": [TEXTS[0]]})):
        found = pipe.predict(data, return_spark_df=True)
        assert found.select(f"{CLASS}.result").first()[0] == labels_of(SENTENCES[:2])
    frame = pd.DataFrame({"id": [1, 2], "text": [TEXTS[0], None]})
    rows = pipe.predict(frame, return_spark_df=True).select("id", "text", f"{CLASS}.result").collect()
    assert [tuple(row) for row in rows] == [(1, TEXTS[0], labels_of(SENTENCES[:2])), (2, None, [])]


def test_a_spark_frame_without_texts_is_refused(pipe: NLUPipeline, spark: Any) -> None:
    for arguments in ({}, {"return_spark_df": True}):
        with pytest.raises(albertine.ColumnError, match="column `id` holds bigint, not texts"):
            pipe.predict(spark.range(3), **arguments)


def test_a_published_model_works_on_spark(spark: Any, hub: Path) -> None:
    shutil.copy(TINY, hub / ARCHIVE)
    pipe = load("en.classify.albert.ag_news")
    found = pipe.predict(
        spark.createDataFrame([(text,) for text in TEXTS], "text string"), keep_stranger_features=False
    )
    expected = pipe.predict(TEXTS)
    assert found[CLASS].tolist() == expected[CLASS].tolist() or missing_as_none(found[CLASS]) == missing_as_none(
        expected[CLASS]
    )
    np.testing.assert_array_equal(found[f"{CLASS}_confidence"], expected[f"{CLASS}_confidence"])
