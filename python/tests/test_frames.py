"""Tables of every kind: every row, in order, with every column as it was."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import shutil
import warnings
from pathlib import Path
from typing import Any, Iterator

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import albertine
from albertine import ColumnError, RowError
from albertine.annotator import AlbertForSequenceClassification, SentenceDetector, Tokenizer
from albertine.base import DocumentAssembler, Finisher, LightPipeline, Pipeline, PipelineModel

TEXTS = [
    "Oil prices rose as OPEC cut output. Shares of refiners fell.",
    None,
    "",
    "The striker scored twice in the final.",
    " \t\n",
    "A probe sent pictures of the comet \U0001f600 to engineers. It went on.",
]
LABELS = ["Business", None, None, "Sports", None, "Sci/Tech"]


class Capsule:
    """A table of some other library, of which only the Arrow PyCapsule interface is known."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


class ArrayCapsule:
    """One batch of some other library."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return self._batch.__arrow_c_array__(requested_schema)


def reader(table: pa.Table) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(table.schema, iter(table.to_batches()))


#: How a table of each kind is made of a pyarrow table.
KINDS = {
    "pandas": lambda table: table.to_pandas(),
    "polars": pl.from_arrow,
    "table": lambda table: table,
    "batch": lambda table: table.combine_chunks().to_batches()[0],
    "reader": reader,
    "capsule": Capsule,
    "array capsule": lambda table: ArrayCapsule(table.combine_chunks().to_batches()[0]),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def made(kind: str, columns: dict[str, Any]) -> Any:
    return KINDS[kind](pa.table(columns))


def plain(frame: Any) -> dict[str, list[Any]]:
    """The columns of a table of any kind, in one form: metadata is a dict."""
    if isinstance(frame, dict):
        return frame
    if isinstance(frame, pd.DataFrame):
        columns = {
            str(name): [None if item is pd.NA or item != item else item for item in frame[name]] for name in frame
        }
    elif isinstance(frame, pl.DataFrame):
        columns = frame.to_dict(as_series=False)
    else:
        columns = pa.table(frame).to_pydict()

    def pairs(item: Any) -> Any:
        if not (isinstance(item, dict) and "metadata" in item):
            return item
        metadata = item["metadata"]
        if isinstance(metadata, list):
            metadata = dict(tuple(pair.values()) if isinstance(pair, dict) else pair for pair in metadata)
        return {**item, "metadata": metadata}

    return {
        name: [[pairs(item) for item in row] if isinstance(row, list) else row for row in rows]
        for name, rows in columns.items()
    }


def results(frame: Any, column: str) -> list[list[str]]:
    return [[item["result"] for item in row] for row in plain(frame)[column]]


# every kind


@every_kind
def test_a_table_comes_back_as_it_was_with_more_columns(kind: str, model: PipelineModel) -> None:
    frame = made(kind, {"n": range(6), "text": TEXTS, "after": list("abcdef")})
    result = model.transform(frame)
    assert type(result) is (pa.Table if "capsule" in kind else type(frame))
    columns = plain(result)
    assert list(columns) == ["n", "text", "after", "document", "token", "class"]
    assert columns["n"] == [0, 1, 2, 3, 4, 5] and columns["text"] == TEXTS and columns["after"] == list("abcdef")
    light = LightPipeline(model).fullAnnotate([text or "" for text in TEXTS])
    for column in ("document", "token", "class"):
        assert columns[column] == [[vars(annotation) for annotation in row[column]] for row in light]
    assert [row[0]["result"] if row else None for row in columns["class"]] == LABELS


@every_kind
def test_stage_by_stage_is_the_pipeline(kind: str, stages: list[Any], model: PipelineModel) -> None:
    columns = {"text": TEXTS, "n": range(6)}
    frame = made(kind, columns)
    for stage in stages:
        frame = stage.transform(frame)
    assert plain(frame) == plain(model.transform(made(kind, columns)))


@every_kind
@pytest.mark.parametrize("names", [["document", "token", "class"], ["doc", "my tokens", "categories"]])
def test_tables_without_an_annotation_keep_their_kinds(kind: str, names: list[str], stages: list[Any]) -> None:
    if kind == "batch" or kind == "array capsule":
        texts = pa.array([None, None], pa.string())
    else:
        texts = pa.array([], pa.string())
    document, token, sequence = names
    stages[0].setOutputCol(document)
    stages[1].setInputCols([document]).setOutputCol(token)
    stages[2].setInputCols([document, token]).setOutputCol(sequence)
    frame = made(kind, {"text": texts})
    for stage in [*stages, Finisher().setInputCols([token, sequence])]:
        frame = stage.transform(frame)
    assert plain(frame) == {
        "text": texts.to_pylist(),
        f"finished_{token}": [[]] * len(texts),
        f"finished_{sequence}": [[]] * len(texts),
    }


def test_a_column_without_an_annotation_is_of_any_type_whatever_its_name(stages: list[Any]) -> None:
    stages[0].setOutputCol("tokens of nothing")
    stages[1].setInputCols(["tokens of nothing"]).setOutputCol("classes of nothing")
    stages[2].setInputCols(["classes of nothing", "tokens of nothing"])
    frame = pl.DataFrame({"text": []}, schema={"text": pl.String})
    for stage in stages:
        # a frame of its own, which knows nothing of where it came from
        frame = pl.DataFrame(stage.transform(frame).to_dict())
    assert frame.columns == ["text", "tokens of nothing", "classes of nothing", "class"]


@every_kind
def test_each_sentence_can_have_a_row_of_its_own(kind: str, stages: list[Any]) -> None:
    sentence = SentenceDetector().setInputCols(["document"]).setOutputCol("sentence").setExplodeSentences(True)
    # as many rows come out as go in, but other ones
    frame = made(kind, {"text": ["", "One went up. Two came down.", "Three."], "n": [1, 2, 3]})
    result = PipelineModel([stages[0], sentence]).transform(frame)
    assert plain(result)["n"] == [2, 2, 3]
    result = PipelineModel([stages[0], sentence]).transform(made(kind, {"text": TEXTS, "n": range(6)}))
    columns = plain(result)
    assert columns["n"] == [0, 0, 3, 5, 5]
    assert results(columns, "sentence") == [
        ["Oil prices rose as OPEC cut output."],
        ["Shares of refiners fell."],
        ["The striker scored twice in the final."],
        ["A probe sent pictures of the comet \U0001f600 to engineers."],
        ["It went on."],
    ]


@every_kind
def test_the_finisher_leaves_plain_columns(kind: str, model: PipelineModel) -> None:
    finisher = Finisher().setInputCols(["token", "class"]).setOutputCols(["words", "label"])
    result = finisher.transform(model.transform(made(kind, {"text": TEXTS, "n": range(6)})))
    columns = plain(result)
    assert list(columns) == ["text", "n", "words", "label"]
    assert columns["label"] == [[label] if label else [] for label in LABELS]
    assert columns["words"][3] == ["The", "striker", "scored", "twice", "in", "the", "final", "."]
    finisher = (
        Finisher().setInputCols(["class"]).setOutputAsArray(False).setIncludeMetadata(True).setCleanAnnotations(False)
    )
    columns = plain(finisher.transform(model.transform(made(kind, {"text": TEXTS}))))
    assert list(columns) == ["text", "document", "token", "class", "finished_class"]
    assert columns["finished_class"][0].startswith("sentence->0#World->0.") and columns["finished_class"][1] == ""


@every_kind
def test_annotations_are_written_anew_over_those_before(kind: str, stages: list[Any]) -> None:
    document, token, _ = stages
    first = PipelineModel([document, token]).transform(made(kind, {"text": ["a  b"], "n": [1]}))
    again = PipelineModel([document.copy().setCleanupMode("shrink"), token]).transform(first)
    columns = plain(again)
    assert list(columns) == ["text", "n", "document", "token"] and results(columns, "document") == [["a b"]]


@every_kind
def test_a_column_that_is_taken_is_never_written_over(kind: str, model: PipelineModel) -> None:
    frame = made(kind, {"text": TEXTS, "class": range(6)})
    with pytest.raises(ColumnError, match="would overwrite column `class`; choose another output column"):
        model.transform(frame)
    columns = plain(albertine.classify(made(kind, {"text": TEXTS, "label": range(6), "score": range(6)})))
    assert list(columns) == ["text", "label", "score", "predicted_label", "predicted_score"]
    assert columns["label"] == list(range(6)) and columns["predicted_label"] == LABELS


@every_kind
def test_a_missing_column_is_told_with_those_there_are(kind: str, model: PipelineModel) -> None:
    frame = made(kind, {"headline": ["a"], "n": [1]})
    for work in (lambda: model.transform(frame), lambda: albertine.classify(frame)):
        with pytest.raises(ColumnError, match="^there is no column `text`; the columns are `headline`, `n`$"):
            work()
    with pytest.raises(ColumnError, match="^there is no column `document`; the columns are `headline`, `n`$"):
        model.stages[1].transform(frame)


@every_kind
@pytest.mark.parametrize(
    ("values", "found"),
    [([1, 2], "Int64"), ([1.5, None], "Float64"), ([True, False], "Boolean"), ([b"a", b"b"], "Binary")],
)
def test_a_column_that_holds_no_text_is_told_with_what_it_holds(
    kind: str, values: list[Any], found: str, model: PipelineModel
) -> None:
    frame = made(kind, {"text": values})
    for work in (lambda: model.transform(frame), lambda: albertine.classify(frame)):
        with pytest.raises(ColumnError, match=f"column `text` holds (Large)?{found}"):
            work()


@every_kind
def test_fit_looks_at_columns_alone(kind: str, stages: list[Any]) -> None:
    frame = made(kind, {"headline": ["a"]})
    with pytest.raises(ColumnError, match="there is no column `text`; the columns are `headline`"):
        Pipeline(stages).fit(frame)
    if kind == "reader":
        assert frame.read_all().num_rows == 1, "nothing was read"
    # what a pipeline was fitted to need not be what it works on
    assert Pipeline(stages).fit(made(kind, {"text": ["a"]})).transform(pa.table({"text": ["b"]})).num_rows == 1


def test_fit_asks_for_a_schema_and_reads_no_stream_that_is_there_once(stages: list[Any]) -> None:
    class Described:
        def __arrow_c_schema__(self) -> object:
            return pa.schema([("headline", pa.string())]).__arrow_c_schema__()

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise AssertionError("a stream is asked for")

    class Once(Capsule):
        def __iter__(self) -> Once:
            return self

        def __next__(self) -> object:
            raise AssertionError("a batch is asked for")

    with pytest.raises(ColumnError, match="there is no column `text`; the columns are `headline`"):
        Pipeline(stages).fit(Described())
    once = Once(reader(pa.table({"text": ["a"]})))
    assert Pipeline(stages).fit(once).transform(once).num_rows == 1


def test_a_capsule_gives_a_table_where_pyarrow_is_not(python: Any) -> None:
    done = python("""
import sys
sys.modules["pyarrow"] = sys.modules["pyspark"] = None
import albertine, polars
class Capsule:
    def __arrow_c_stream__(self, requested_schema=None):
        return polars.DataFrame({"text": ["Oil is up."]}).__arrow_c_stream__(requested_schema)
found = albertine.classify(Capsule())
print(type(found).__name__, polars.DataFrame(found)["label"].to_list())
""")
    assert done.stdout == "Table ['Business']\n"


@every_kind
def test_annotated_tables_can_be_fitted_to(kind: str, stages: list[Any]) -> None:
    frame = stages[0].transform(made(kind, {"text": ["Oil rose."]}))
    assert results(Pipeline(stages[1:2]).fit(frame).transform(frame), "token") == [["Oil", "rose", "."]]


@every_kind
def test_labels_scores_and_logits_can_be_had(kind: str) -> None:
    frame = made(kind, {"title": ["Oil", None, None], "text": ["prices rose.", "The striker scored.", None]})
    result = albertine.classify(frame, text_column=["title", "text"], all_scores=True, logits=True, annotations=True)
    columns = plain(result)
    assert list(columns) == ["title", "text", "label", "score", "scores", "logits", "class"]
    assert columns["label"] == ["Business", "Sports", None]
    assert list(columns["scores"][0]) == ["World", "Sports", "Business", "Sci/Tech"] and len(columns["logits"][0]) == 4
    assert columns["scores"][0]["Business"] == pytest.approx(columns["score"][0]) and columns["score"][2] is None
    assert columns["class"][0][0]["result"] == "Business" and columns["class"][2] == []


def test_what_is_no_table_is_told_how_to_be_one(model: PipelineModel) -> None:
    cases = [
        (pl.LazyFrame({"text": ["a"]}), r"\.collect\(\)"),
        (pl.Series("text", ["a"]), r"polars DataFrame; make one of a Series with \.to_frame\('text'\)"),
        (pd.Series(["a"]), r"pandas DataFrame; make one of a Series with \.to_frame\('text'\)"),
        (pd.Index(["a"]), r"make one of a Index with \.to_frame\('text'\)"),
        (pa.array(["a"]), r"pyarrow\.table\(\{'text': array\}\)"),
        (pa.chunked_array([["a"]]), r"pyarrow\.table\(\{'text': array\}\)"),
        (pa.schema([("text", pa.string())]), "not pyarrow.lib.Schema"),
        (["a"], "not builtins.list"),
        ({"text": ["a"]}, "not builtins.dict"),
        ("a", "not builtins.str"),
        (None, "not builtins.NoneType"),
    ]
    for value, message in cases:
        for work in (model.transform, model.stages[0].transform, Pipeline(model.stages).fit):
            with pytest.raises(TypeError, match=message):
                work(value)
    with pytest.raises(TypeError, match=r"a LazyFrame has to be collected first: \.collect\(\)"):
        albertine.classify(pl.LazyFrame({"text": ["a"]}))


def test_a_dataset_is_told_how_to_be_a_table(model: PipelineModel, tmp_path: Path) -> None:
    Dataset = type("Dataset", (), {"__module__": "datasets.arrow_dataset", "with_format": lambda self, name: self})
    for work in (model.transform, albertine.evaluate, lambda data: albertine.train(data, output=tmp_path / "model")):
        with pytest.raises(TypeError, match=r"a Dataset gives one, .*: \.with_format\('arrow'\)\[:\]$"):
            work(Dataset())


def test_columns_and_arrays_are_lists_of_texts_to_classify() -> None:
    for texts in (
        pd.Series(TEXTS, index=range(6, 0, -1)),
        pd.Series(TEXTS, dtype="string"),
        pl.Series(TEXTS),
        pa.array(TEXTS),
        pa.chunked_array([TEXTS[:2], TEXTS[2:]]),
        np.array(TEXTS, dtype=object),
        tuple(TEXTS),
        (text for text in TEXTS),
    ):
        assert [found.label for found in albertine.classify(texts)] == LABELS


# pyarrow


STRINGS = {
    "strings": pa.array(TEXTS),
    "large strings": pa.array(TEXTS, pa.large_string()),
    "dictionary": pa.array(TEXTS).dictionary_encode(),
    "large dictionary": pa.DictionaryArray.from_arrays(
        pa.array([0, None, 1, 2, 3, 4], pa.int8()), pa.array([TEXTS[0], *TEXTS[2:]], pa.large_string())
    ),
    "slice": pa.array(["before", *TEXTS, "after"]).slice(1, 6),
    "slice of a dictionary": pa.array(["before", *TEXTS, "after"]).dictionary_encode().slice(1, 6),
    "chunks": pa.chunked_array([TEXTS[:1], [], TEXTS[1:4], TEXTS[4:]], pa.string()),
}
if hasattr(pa, "string_view"):
    STRINGS["views"] = pa.array(TEXTS, pa.string_view())
    STRINGS["slice of views"] = pa.array(["before", *TEXTS, "after"], pa.string_view()).slice(1, 6)


@pytest.mark.parametrize("texts", STRINGS.values(), ids=STRINGS)
def test_texts_of_every_arrow_type(texts: Any, model: PipelineModel) -> None:
    table = pa.table({"text": texts, "n": pa.array(range(6), pa.uint8())})
    result = model.transform(table)
    assert result.schema.field("text").type == texts.type and result.column("text").to_pylist() == TEXTS
    assert results(result, "class") == [[label] if label else [] for label in LABELS]
    assert albertine.classify(table)["label"].to_pylist() == LABELS


def test_a_column_without_type_is_one_of_missing_texts(model: PipelineModel) -> None:
    for frame in (
        pa.table({"text": pa.nulls(2), "n": [1, 2]}),
        pl.DataFrame({"text": [None, None], "n": [1, 2]}),
        pd.DataFrame({"text": [None, None], "n": [1, 2]}),
        pd.DataFrame({"text": [float("nan")] * 2, "n": [1, 2]}),
    ):
        assert results(model.transform(frame), "document") == [[""], [""]]
    assert model.transform(pd.DataFrame({"text": []})).shape == (0, 4)


def test_lists_of_texts_are_several_documents(model: PipelineModel) -> None:
    lists = [["Oil rose.", "Shares fell."], [], None]
    for frame in (
        pa.table({"text": lists}),
        pa.table({"text": pa.array(lists, pa.large_list(pa.large_string()))}),
        pl.DataFrame({"text": lists}),
        pd.DataFrame({"text": lists}),
    ):
        found = model.stages[0].transform(frame)
        assert results(found, "document")[0] == lists[0]
        assert [item["metadata"]["sentence"] for item in plain(found)["document"][0]] == ["0", "1"]


def test_ids_and_metadata_come_along() -> None:
    document = DocumentAssembler().setInputCol("text").setIdCol("id").setMetadataCol("more")
    more = [{"page": "7"}, None]
    for frame in (
        pa.table(
            {
                "text": ["a", "b"],
                "id": ["x", "y"],
                "more": pa.array([[("page", "7")], None], pa.map_(pa.string(), pa.string())),
            }
        ),
        pd.DataFrame({"text": ["a", "b"], "id": ["x", "y"], "more": more}),
    ):
        first, second = plain(document.transform(frame))["document"]
        assert first[0]["metadata"] == {"page": "7", "id": "x", "sentence": "0"}
        assert second[0]["metadata"] == {"id": "y", "sentence": "0"}
    document = DocumentAssembler().setInputCol("text").setIdCol("id")
    for frame in (
        pl.DataFrame({"text": ["a", "b"], "id": [1, None]}),
        pd.DataFrame({"text": ["a", "b"], "id": pd.array([1, None], "Int64")}),
    ):
        assert [row[0]["metadata"]["id"] for row in plain(document.transform(frame))["document"]] == ["1", None]


def test_arrow_columns_of_every_type_come_back(model: PipelineModel) -> None:
    moment = datetime.datetime(2020, 1, 2, 3, 4, 5)
    schema = pa.schema(
        [
            pa.field("text", pa.string(), nullable=False, metadata={"key": "value"}),
            pa.field("list", pa.list_(pa.int8())),
            pa.field("large list", pa.large_list(pa.string())),
            pa.field("fixed", pa.list_(pa.float32(), 2)),
            pa.field("struct", pa.struct([("a", pa.int64()), ("b", pa.string())])),
            pa.field("map", pa.map_(pa.string(), pa.int64())),
            pa.field("decimal", pa.decimal128(10, 2)),
            pa.field("zone", pa.timestamp("us", "Europe/Berlin")),
            pa.field("date", pa.date32()),
            pa.field("time", pa.time64("ns")),
            pa.field("duration", pa.duration("ms")),
            pa.field("half", pa.float16()),
            pa.field("binary", pa.binary(2)),
            pa.field("null", pa.null()),
            pa.field("bool", pa.bool_()),
        ],
        metadata={"table": "of all types"},
    )
    row = {
        "text": "Oil rose.", "list": [1, None], "large list": ["a"], "fixed": [1.0, 2.0], "struct": {"a": 1, "b": None},
        "map": [("k", 1)], "decimal": decimal.Decimal("1.25"), "zone": moment.astimezone(datetime.timezone.utc),
        "date": moment.date(), "time": moment.time(), "duration": datetime.timedelta(days=1), "half": np.float16(0.5), "binary": b"ab",
        "null": None, "bool": True,
    }  # fmt: skip
    ordered = pa.DictionaryArray.from_arrays(pa.array([0, None, 1], pa.int8()), ["low", "high"], ordered=True)
    union = pa.UnionArray.from_sparse(pa.array([0, 1, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])])
    table = (
        pa.Table.from_pylist([row, {"text": "b"}, row], schema)
        .append_column("ordered", ordered)
        .append_column("union", union)
    )
    for result in (model.transform(table), model.transform(reader(table)).read_all()):
        assert result.schema.metadata == schema.metadata and result.schema.field("ordered").type.ordered
        assert result.select(table.column_names).equals(table, check_metadata=True)


def test_annotation_columns_have_spark_nlp_s_schema(model: PipelineModel) -> None:
    schema = model.transform(pa.table({"text": ["a"]})).schema
    fields = [
        pa.field("annotatorType", pa.string()),
        pa.field("begin", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
        pa.field("result", pa.string()),
        pa.field("metadata", pa.map_(pa.string(), pa.string())),
        pa.field("embeddings", pa.list_(pa.field("element", pa.float32(), nullable=False))),
    ]
    kind = pa.list_(pa.field("element", pa.struct(fields)))
    for name, annotator_type in [("document", b"document"), ("token", b"token"), ("class", b"category")]:
        assert schema.field(name).type == kind and schema.field(name).metadata == {b"annotatorType": annotator_type}


def test_a_reader_is_read_as_its_result_is(model: PipelineModel) -> None:
    read = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal read
        for number in range(20):
            read += 1
            yield pa.record_batch({"text": [f"text {number} {row}" for row in range(500)], "n": [number] * 500})

    schema = pa.schema([("text", pa.string()), ("n", pa.int64())])
    result = model.transform(pa.RecordBatchReader.from_batches(schema, batches()))
    assert isinstance(result, pa.RecordBatchReader) and result.schema.names == [
        "text",
        "n",
        "document",
        "token",
        "class",
    ]
    assert read == 0, "columns are checked without reading"
    first = result.read_next_batch()
    assert 0 < first.num_rows <= 500 and read == 1
    rest = result.read_all()
    assert read == 20
    assert first.column("n").to_pylist() + rest.column("n").to_pylist() == [
        number for number in range(20) for _ in range(500)
    ]


def test_large_batches_are_cut_and_small_ones_gathered(model: PipelineModel) -> None:
    texts = [f"number {row % 100}" for row in range(30_000)]
    whole = pa.table({"text": texts, "n": range(30_000)})
    sizes = [batch.num_rows for batch in model.transform(reader(whole))]
    assert sum(sizes) == 30_000 and len(sizes) > 3 and max(sizes) <= 8192
    small = pa.Table.from_batches([batch for start in range(0, 1000) for batch in whole.slice(start, 1).to_batches()])
    sizes = [batch.num_rows for batch in model.transform(reader(small))]
    assert sum(sizes) == 1000 and len(sizes) < 20
    assert model.transform(small).column("n").to_pylist() == list(range(1000))


def test_columns_that_are_not_touched_are_not_copied(model: PipelineModel) -> None:
    table = pa.table({"text": [f"text {row}" for row in range(200)], "n": range(200)})
    result = model.transform(table)
    for name in ("text", "n"):
        before, after = table.column(name).chunk(0).buffers(), result.column(name).chunk(0).buffers()
        assert [buffer and buffer.address for buffer in before] == [buffer and buffer.address for buffer in after]
    batch = table.to_batches()[0]
    assert model.transform(batch).column("n").buffers()[1].address == batch.column("n").buffers()[1].address
    frame = pl.DataFrame({"text": [f"text {row}" for row in range(1000)], "n": range(1000), "o": [object()] * 1000})
    result = model.transform(frame)
    assert np.shares_memory(result["n"].to_numpy(allow_copy=False), frame["n"].to_numpy(allow_copy=False))
    frame = pd.DataFrame({"text": [f"text {row}" for row in range(1000)], "n": range(1000), "x": [0.5] * 1000})
    # pandas 3 copies on write, pandas 2 if it is told to
    lazy = pd.option_context("mode.copy_on_write", True) if pd.__version__ < "3" else contextlib.nullcontext()
    with lazy:
        result = model.transform(frame)
        assert all(np.shares_memory(result[name].to_numpy(), frame[name].to_numpy()) for name in ("n", "x"))


def test_several_columns_of_one_name(model: PipelineModel) -> None:
    table = pa.table([["a"], [1], [2]], names=["text", "x", "x"])
    assert model.transform(table).column_names == ["text", "x", "x", "document", "token", "class"]
    frame = pd.DataFrame([["a", 1, 2]], columns=["text", "x", "x"])
    result = model.transform(frame)
    assert list(result.columns) == ["text", "x", "x", "document", "token", "class"]
    assert result["x"].to_numpy().tolist() == [[1, 2]]
    for twice in (
        pa.table([["a"], ["b"]], names=["text", "text"]),
        pd.DataFrame([["a", "b"]], columns=["text", "text"]),
    ):
        with pytest.raises(ColumnError, match="^there is more than one column `text`$"):
            model.transform(twice)
        with pytest.raises(ColumnError, match="^there is more than one column `text`$"):
            albertine.classify(twice)


def broken_texts() -> pa.Array:
    """Three texts, of which the second is not UTF-8: Arrow believes what it is given."""
    offsets = pa.array([0, 1, 3, 4], pa.int32()).buffers()[1]
    return pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"a\xff\xfeb")])


def test_bytes_that_are_no_text_are_told_with_row_and_column(model: PipelineModel) -> None:
    table = pa.table({"n": [1, 2, 3], "text": broken_texts()})
    for frame in (table, table.to_batches()[0], Capsule(table)):
        with pytest.raises(RowError, match="^row 1: column `text` holds bytes that are not UTF-8$"):
            model.transform(frame)
        with pytest.raises(RowError, match="^row 1: column `text` holds bytes that are not UTF-8$"):
            albertine.classify(frame)
    sound = pa.table({"n": range(300), "text": ["a"] * 300})
    result = model.transform(reader(pa.concat_tables([sound, table])))
    with pytest.raises(RowError, match="^row 301: column `text` holds bytes that are not UTF-8$"):
        result.read_all()
    # a column that no stage reads is not let by either: nobody downstream would know
    with pytest.raises(RowError, match="^row 1: column `other` holds bytes that are not UTF-8$"):
        model.transform(pa.table({"text": ["a", "b", "c"], "other": broken_texts()}))


@pytest.mark.parametrize(
    "raised", [ZeroDivisionError("of the user"), KeyboardInterrupt(), SystemExit(3), StopAsyncIteration()]
)
def test_what_the_reader_raises_is_what_the_caller_gets(raised: BaseException, model: PipelineModel) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"text": ["a"] * 300})
        raise raised

    def result() -> pa.RecordBatchReader:
        return model.transform(pa.RecordBatchReader.from_batches(pa.schema([("text", pa.string())]), batches()))

    with pytest.raises(type(raised)) as caught:
        result().read_all()
    assert caught.value is raised
    assert any(entry.name == "batches" for entry in caught.traceback), "where it was raised is told"
    stream = result()
    assert stream.read_next_batch().num_rows == 256, "what came before it is there"
    with pytest.raises(type(raised)):
        stream.read_all()
    with pytest.raises(type(raised)):
        albertine.classify(pa.RecordBatchReader.from_batches(pa.schema([("text", pa.string())]), batches())).read_all()


def test_what_another_library_raises_behind_its_stream_is_told(model: PipelineModel) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"text": ["a"]})
        raise ZeroDivisionError("of the user")

    stream = pa.RecordBatchReader.from_batches(pa.schema([("text", pa.string())]), batches())
    with pytest.raises(albertine.AlbertineError, match="of the user"):
        model.transform(Capsule(stream))


def test_streams_of_csv_and_parquet_files(model: PipelineModel, tmp_path: Any) -> None:
    from pyarrow import csv, dataset, parquet

    table = pa.table({"text": [text or "" for text in TEXTS], "n": range(6)})
    csv.write_csv(table, tmp_path / "t.csv")
    parquet.write_table(table, tmp_path / "t.parquet")
    assert isinstance(model.transform(csv.open_csv(tmp_path / "t.csv")), pa.RecordBatchReader)
    scanner = dataset.dataset(tmp_path / "t.parquet").scanner()
    with pytest.raises(TypeError, match=r"a \w*Scanner gives one: \.to_reader\(\)"):
        model.transform(scanner)
    annotated = model.transform(scanner.to_reader())
    parquet.write_table(annotated.read_all(), tmp_path / "annotated.parquet")
    # annotation columns stay what they are in a file
    back = Finisher().setInputCols(["class"]).transform(parquet.read_table(tmp_path / "annotated.parquet"))
    assert back["finished_class"].to_pylist() == [[label] if label else [] for label in LABELS]


# pandas


INDEXES = {
    "range": pd.RangeIndex(10, 22, 2),
    "texts": pd.Index(list("fedcba"), name="key"),
    "duplicates": pd.Index([1, 1, 0, 0, 1, 2]),
    "missing": pd.Index([1.5, float("nan"), float("nan"), 0, 1, 2]),
    "dates": pd.date_range("2024-01-01", periods=6, tz="Europe/Berlin"),
    "levels": pd.MultiIndex.from_product([["x", "y"], [1, 2, 3]], names=["a", None]),
    "duplicate levels": pd.MultiIndex.from_tuples([("x", 1)] * 6),
    "categories": pd.CategoricalIndex(list("aabbcc")),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_every_index_of_pandas(index: pd.Index, model: PipelineModel) -> None:
    frame = pd.DataFrame({"text": TEXTS, "n": range(6)}, index=index)
    for result in (model.transform(frame), albertine.classify(frame)):
        pd.testing.assert_index_equal(result.index, index)
        pd.testing.assert_frame_equal(result[["text", "n"]], frame)
    assert results(model.transform(frame), "class") == [[label] if label else [] for label in LABELS]
    sentence = SentenceDetector().setInputCols(["document"]).setOutputCol("sentence").setExplodeSentences(True)
    exploded = PipelineModel([model.stages[0], sentence]).transform(frame)
    pd.testing.assert_index_equal(exploded.index, index.take([0, 0, 3, 5, 5]))


def test_columns_of_pandas_that_are_not_texts(model: PipelineModel) -> None:
    labels = [1, 2.5, None, ("a", "b"), datetime.date(2020, 1, 1), "text"]
    frame = pd.DataFrame([[1, 2, 3, 4, 5, "Oil rose."]], columns=pd.Index(labels, dtype=object))
    assert list(model.transform(frame).columns) == [*labels, "document", "token", "class"]
    frame = pd.DataFrame({0: ["Oil rose."], 1: [1]})
    model.stages[0].setInputCol("0")
    assert list(model.transform(frame).columns) == [0, 1, "document", "token", "class"]
    # the number and its name are two columns
    frame = pd.DataFrame([["Oil rose.", 1, 2]], columns=["0", 1, "1"])
    assert list(model.transform(frame).columns) == ["0", 1, "1", "document", "token", "class"]


def test_columns_of_pandas_in_levels_and_categories(model: PipelineModel) -> None:
    levels = pd.MultiIndex.from_tuples([("text", ""), ("n", "min"), ("n", "max")])
    frame = pd.DataFrame([["Oil rose.", 1, 2]], columns=levels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = frame
        for stage in model.stages:
            result = stage.transform(result)
    assert list(result.columns) == [*levels, ("document", ""), ("token", ""), ("class", "")]
    assert result["class"].iloc[0][0]["result"] == "Business"
    frame = pd.DataFrame([["Oil rose.", 1]], columns=pd.CategoricalIndex(["text", "n"]))
    assert list(model.transform(frame).columns) == ["text", "n", "document", "token", "class"]


def pandas_texts() -> dict[str, pd.Series]:
    """Texts in all that pandas has for them, and each kind of missing value."""
    kinds: dict[str, Any] = {
        "default": pd.Series(TEXTS),
        "object": pd.Series(TEXTS, dtype=object),
        "missing": pd.Series([TEXTS[0], float("nan"), "", TEXTS[3], pd.NA, TEXTS[5]], dtype=object),
        "not a time": pd.Series([TEXTS[0], pd.NaT, "", TEXTS[3], None, TEXTS[5]], dtype=object),
        "category": pd.Series(TEXTS, dtype="category"),
        "string[python]": pd.Series(TEXTS, dtype="string[python]"),
        "string[pyarrow]": pd.Series(TEXTS, dtype="string[pyarrow]"),
        "arrow": pd.Series(TEXTS, dtype=pd.ArrowDtype(pa.string())),
        "large arrow": pd.Series(TEXTS, dtype=pd.ArrowDtype(pa.large_string())),
        "arrow dictionary": pd.Series(TEXTS, dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))),
    }
    return kinds


@pytest.mark.parametrize("name", pandas_texts())
def test_texts_of_every_pandas_type(name: str, model: PipelineModel) -> None:
    texts = pandas_texts()[name]
    frame = pd.DataFrame({"text": texts})
    result = model.transform(frame)
    pd.testing.assert_frame_equal(result[["text"]], frame)
    assert [row[0]["result"] if row else None for row in result["class"]] == LABELS
    assert [None if label != label else label for label in albertine.classify(frame)["label"]] == LABELS


def test_columns_of_every_pandas_type_come_back(model: PipelineModel) -> None:
    frame = pd.DataFrame(
        {
            "text": TEXTS[:3],
            "mixed": [1, "x", None],
            "objects": [object(), {1, 2}, ValueError("x")],
            "dicts": [{"a": 1}, {"b": [2]}, None],
            "odd dicts": [{1: "a"}, {"b": 1}, None],
            "lists": [[1, "a"], [], None],
            "broken": pd.Series(["a", "\ud800", None], dtype=object),
            "category": pd.Categorical(["a", None, "b"], categories=["b", "a"], ordered=True),
            "numbers": pd.Categorical([1, 2, None]),
            "zone": pd.to_datetime(["2024-01-01", None, "2024-06-01"]).tz_localize("Europe/Berlin"),
            "date": pd.to_datetime(["2024-01-01", None, "2024-06-01"]),
            "time": pd.to_timedelta([1, None, 2], unit="s"),
            "period": pd.period_range("2024-01", periods=3, freq="M"),
            "interval": pd.interval_range(0, 3),
            "sparse": pd.arrays.SparseArray([0.0, 0.0, 1.0]),
            "int": pd.array([1, None, 3], "Int8"),
            "float": pd.array([1.5, None, 3], "Float32"),
            "bool": pd.array([True, None, False], "boolean"),
            "complex": [1j, 2, 3],
            "uint": pd.Series([1, 2, 3], dtype="uint8"),
            "decimal": pd.array([decimal.Decimal(1), None, None], pd.ArrowDtype(pa.decimal128(5, 1))),
            "arrow list": pd.array([[1], None, []], pd.ArrowDtype(pa.list_(pa.int8()))),
            "empty": [float("nan")] * 3,
        }
    )
    before = frame.copy(deep=True)
    for result in (model.transform(frame), albertine.classify(frame)):
        pd.testing.assert_frame_equal(result[frame.columns], before)
        pd.testing.assert_frame_equal(frame, before)
        assert list(result.columns[: len(frame.columns)]) == list(frame.columns)
    sentence = SentenceDetector().setInputCols(["document"]).setOutputCol("sentence").setExplodeSentences(True)
    exploded = PipelineModel([model.stages[0], sentence]).transform(frame)
    pd.testing.assert_frame_equal(exploded[frame.columns], before.take([0, 0]))


def test_what_keeps_a_pandas_column_from_being_texts_is_told(model: PipelineModel) -> None:
    cases = [
        (["a", 1, None], r"values of several types \(int in row 1\)"),
        (["a", None, b"b"], "Binary"),
        ([object(), "a"], r"values of several types \(object in row 0\)"),
        (["a", "\ud83d"], r"half a character \(in row 1\)"),
        (pd.date_range("2024", periods=2), "Timestamp"),
        ([1j, 2j], "complex128"),
        (pd.Categorical([1, 2]), "Dictionary"),
    ]
    for values, message in cases:
        frame = pd.DataFrame(
            {"text": pd.Series(values, dtype=object if isinstance(values, list) and values[0] != 1j else None)}
        )
        for work in (lambda: model.transform(frame), lambda: albertine.classify(frame)):
            with pytest.raises(ColumnError, match=f"column `text` holds .*{message}"):
                work()


def test_attrs_and_classes_of_pandas_are_kept(model: PipelineModel) -> None:
    class Mine(pd.DataFrame):
        @property
        def _constructor(self) -> type[Mine]:
            return Mine

    frame = Mine({"text": TEXTS})
    frame.attrs = {"source": ["a", "b"]}
    result = model.transform(frame)
    assert type(result) is Mine
    assert result.attrs["source"] == ["a", "b"]
    result.attrs["source"].append("c")
    assert frame.attrs == {"source": ["a", "b"]}


def test_annotations_of_pandas_survive_what_is_done_to_frames(model: PipelineModel, tmp_path: Any) -> None:
    finisher = Finisher().setInputCols(["class"])
    annotated = model.transform(pd.DataFrame({"text": TEXTS, "n": range(6)}))
    expected = [[label] if label else [] for label in LABELS]
    joined = pd.concat([annotated, annotated], ignore_index=True)
    joined.attrs = {}
    assert list(finisher.transform(joined)["finished_class"]) == expected * 2
    annotated.to_parquet(tmp_path / "t.parquet")
    assert list(finisher.transform(pd.read_parquet(tmp_path / "t.parquet"))["finished_class"]) == expected
    turned = annotated.iloc[::-1]
    assert list(finisher.transform(turned)["finished_class"]) == expected[::-1]


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row[0]["result"] if row else "",
        lambda row: row[0]["result"] if row else None,
        lambda row: float(len(row)),
        lambda row: row[0] if row else None,
        lambda row: [item["result"] for item in row],
        lambda row: [{"result": item["result"]} for item in row],
        lambda row: {item["result"]: item for item in row},
        lambda row: b"",
        lambda row: row if row else 0,
    ],
)
def test_a_pandas_column_that_is_written_over_holds_no_annotations(change: Any, model: PipelineModel) -> None:
    result = model.transform(pd.DataFrame({"text": TEXTS}))
    result["class"] = result["class"].map(change)
    assert [label if label else None for label in plain(albertine.classify(result))["label"]] == LABELS
    with pytest.raises(ColumnError, match="would overwrite column `class`"):
        model.transform(result)
    # the others hold theirs
    assert len(Finisher().setInputCols(["token"]).transform(result)) == len(TEXTS)


def test_missing_annotations_of_pandas_are_none(model: PipelineModel) -> None:
    annotated = model.transform(pd.DataFrame({"text": TEXTS[:1]}))
    joined = pd.concat([annotated, pd.DataFrame({"text": ["without"]})], ignore_index=True)
    assert list(Finisher().setInputCols(["class"]).transform(joined)["finished_class"]) == [["Business"], []]


def test_attrs_of_pandas_may_hold_anything(model: PipelineModel) -> None:
    frame = pd.DataFrame({"text": TEXTS})
    for attrs in ({}, {"albertine": "mine"}, {"_albertine_kinds": "mine"}):
        frame.attrs = dict(attrs)
        assert results(model.transform(frame), "class")[0] == ["Business"]
        assert [label if label else None for label in plain(albertine.classify(frame))["label"]] == LABELS
        for result in (frame, model.transform(frame), albertine.classify(frame), model.stages[0].transform(frame)):
            assert result.attrs == attrs, "nothing of ours is among them"


class Unreadable:
    """An array to look at, and nothing to see in it."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, place: int) -> object:
        raise RuntimeError("not readable")

    def __array__(self, *_: object, **__: object) -> object:
        raise RuntimeError("no array")


def anything() -> dict[str, list[Any]]:
    """What columns of objects may hold that Arrow has no type for."""
    large, cycle = 1 << 64, []
    cycle.append(cycle)
    return {
        "large numbers": [large, None, 1],
        "small numbers": [-(1 << 63) - 1, None, 1],
        "lists of large numbers": [[large], [-large, "a"], None],
        "dicts of large numbers": [{"a": large}, {"a": -large}, None],
        "mixed": [1, "a", None],
        "objects": [object(), {1, 2}, len],
        "arrays": [Unreadable(), Unreadable(), None],
        "arrays among others": ["a", Unreadable(), None],
        "tables": [pd.DataFrame({"a": [1]}), pa.table({"a": [1]}), None],
        "cycles": [cycle, cycle, None],
        "half characters": ["a", "\ud800", None],
        "almost annotations": [[{"annotatorType": "token"}], [], None],
        "decimals": [decimal.Decimal("1e999"), decimal.Decimal("NaN"), None],
        "dates": [datetime.datetime(1, 1, 1), datetime.date(9999, 1, 1), None],
    }


@pytest.mark.parametrize("name", [*anything(), "categories"])
def test_columns_that_nobody_reads_may_hold_anything(
    name: str, stages: list[Any], model: PipelineModel, tmp_path: Path
) -> None:
    large = 1 << 64
    values = (
        pd.Categorical([large, -large, None]) if name == "categories" else pd.Series(anything()[name], dtype=object)
    )
    texts, labels = ["Oil rose. Shares fell.", None, "The striker scored."], ["Business", "World", "Sports"]
    frame = pd.DataFrame({"more": values, "text": texts, "label": labels, 7: values})
    before = list(frame["more"])

    def check(result: pd.DataFrame, rows: list[int]) -> None:
        for column in ("more", 7):
            assert result[column].dtype == frame[column].dtype
            assert [id(value) for value in result[column]] == [id(before[row]) for row in rows] or name == "categories"
        assert result["text"].tolist()[0] == texts[0]

    assert len(Pipeline(stages).fit(frame).transform(frame)) == 3
    check(model.transform(frame), [0, 1, 2])
    check(albertine.classify(frame, all_scores=True), [0, 1, 2])
    step = frame
    for stage in stages:
        step = stage.transform(step)
    check(step, [0, 1, 2])
    sentence = SentenceDetector().setInputCols(["document"]).setOutputCol("sentence").setExplodeSentences(True)
    check(PipelineModel([stages[0], sentence]).transform(frame), [0, 0, 2])
    check(albertine.load("ag_news").predict(frame, output_level="document"), [0, 1, 2])
    check(albertine.load("ag_news").predict(frame, output_level="sentence"), [0, 0, 1, 2])
    assert albertine.evaluate(frame).samples == 2
    assert albertine.train(frame, output=tmp_path / "model", epochs=1, freeze_encoder=True).skipped == 1


def test_columns_that_are_read_are_told_with_what_they_hold(model: PipelineModel, tmp_path: Path) -> None:
    large = 1 << 64
    cases = [
        ([large, None], r"numbers of more than 64 bits \(in row 0\)"),
        (["a", -large], r"numbers of more than 64 bits \(in row 1\)"),
        ([None, Unreadable()], r"values of several types \(Unreadable in row 1\)"),
    ]
    for values, message in cases:
        frame = pd.DataFrame({"text": pd.Series(values, dtype=object), "label": ["Business", "Sports"]})
        for work in (model.transform, albertine.classify, albertine.evaluate):
            with pytest.raises(ColumnError, match=f"^column `text` holds {message}, not text"):
                work(frame)
        frame = pd.DataFrame({"text": ["a", "b"], "label": pd.Series(values, dtype=object)})
        with pytest.raises(ColumnError, match=f"^column `label` holds {message}, not text, numbers or booleans$"):
            albertine.evaluate(frame)
        with pytest.raises(ColumnError, match=f"^column `label` holds {message}, not text, numbers or booleans$"):
            albertine.train(frame, output=tmp_path / "model")
    annotated = model.transform(pd.DataFrame({"text": ["Oil rose."]}))
    annotated.at[0, "document"] = [{**annotated["document"][0][0], "end": large}]
    with pytest.raises(ColumnError, match="^column `document` holds annotations that cannot be read: "):
        model.stages[1].transform(annotated)


def test_annotations_that_are_not_shown_are_known_where_they_are_read(model: PipelineModel) -> None:
    blank = model.transform(pd.DataFrame({"text": ["", None]}))
    assert list(blank["class"]) == [[], []]
    finisher = Finisher().setInputCols(["class"])
    for frame in (blank, blank.copy(), blank.iloc[:0], blank.assign(n=1), pd.concat([blank, blank])):
        assert finisher.transform(frame)["finished_class"].tolist() == [[]] * len(frame)
        assert list(finisher.transform(frame).columns)[:1] == ["text"]
    # annotated anew: nothing is lost by it
    assert list(model.transform(blank.copy())["class"]) == [[], []]


@pytest.mark.parametrize("label", [0, 1.5, None, ("a", "b"), datetime.date(2020, 1, 1), np.int64(3)])
def test_columns_that_pandas_calls_otherwise_than_by_a_text(label: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame([["Oil rose.", "Business"], ["The striker scored.", "Sports"]])
    frame.columns = pd.Index([label, 9], dtype=object, tupleize_cols=False)
    for name in (label, [label]):
        assert list(albertine.classify(frame, text_column=name)["label"]) == ["Business", "Sports"]
        assert list(albertine.classify(frame, text_column=name).columns) == [label, 9, "label", "score"]
        assert albertine.evaluate(frame, text_column=name, label_column=9).accuracy == 1.0
    result = albertine.train(
        frame, text_column=label, label_column=9, output=tmp_path / "model", epochs=1, freeze_encoder=True
    )
    assert result.labels == ["World", "Sports", "Business", "Sci/Tech"]


def test_what_is_no_name_of_a_column_is_told() -> None:
    frames = [
        pd.DataFrame({"text": ["a"], "label": ["b"]}),
        pl.DataFrame({"text": ["a"], "label": ["b"]}),
        pa.table({"text": ["a"], "label": ["b"]}),
    ]
    for frame in frames:
        for work in (albertine.classify, albertine.evaluate):
            with pytest.raises(ColumnError, match="^there is no column `0`; the columns are `text`, `label`$"):
                work(frame, text_column=0)
            with pytest.raises(TypeError, match="^text_column is None, not the name of a column$"):
                work(frame, text_column=None)
            with pytest.raises(TypeError, match=r"^text_column\[1\] is None, not the name of a column$"):
                work(frame, text_column=["text", None])
            with pytest.raises(albertine.ParamError, match=r"^text_column is \[\], and names no column$"):
                work(frame, text_column=[])
        with pytest.raises(TypeError, match=r"^label_column is \['label'\], not the name of a column$"):
            albertine.evaluate(frame, label_column=["label"])  # type: ignore[arg-type]
        for labels, message in (("World", "is the text 'World'"), (["a", None], r"\[1\] is None")):
            with pytest.raises(TypeError, match=f"^labels{message}|^labels {message}"):
                albertine.evaluate(frame, labels=labels)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="0 is not a text: write '0'$"):
        DocumentAssembler().setInputCol(0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="0 is not a text: write '0'$"):
        Tokenizer().setInputCols([0])  # type: ignore[list-item]


def test_parts_of_pandas_frames_are_no_matter(model: PipelineModel) -> None:
    frame = pd.DataFrame({"n": range(6), "text": TEXTS, "x": 1.0})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for part in (frame[1:4], frame[["text"]], frame[frame["n"] > 2], frame.iloc[:, 1:]):
            result = model.transform(part)
            pd.testing.assert_frame_equal(result[part.columns], part)
            result["added"] = 1
            result.loc[result.index[0], "text"] = "changed"
    assert list(frame.columns) == ["n", "text", "x"] and "changed" not in list(frame["text"])


# polars


def test_columns_of_every_polars_type_come_back(model: PipelineModel) -> None:
    day = datetime.datetime(2024, 1, 1)
    columns = {
        "text": pl.Series(TEXTS[:2]),
        "category": pl.Series(["x", None], dtype=pl.Categorical),
        "enum": pl.Series(["x", "y"], dtype=pl.Enum(["y", "x"])),
        "decimal": pl.Series([decimal.Decimal("1.5"), None], dtype=pl.Decimal(10, 2)),
        "duration": pl.Series([datetime.timedelta(1), None]),
        "time": pl.Series([datetime.time(1), None]),
        "date": pl.Series([day.date(), None]),
        "zone": pl.Series([day, None]).dt.replace_time_zone("Europe/Berlin"),
        "nanoseconds": pl.Series([day, None], dtype=pl.Datetime("ns")),
        "binary": pl.Series([b"a", None]),
        "null": pl.Series([None, None]),
        "array": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int64, 2)),
        "struct": pl.Series([{"a": 1, "b": None}, None]),
        "list": pl.Series([[1], None]),
        "lists": pl.Series([[["a"]], None]),
        "structs": pl.Series([[{"a": day}], None]),
        "small": pl.Series([1, None], dtype=pl.UInt8),
        "object": pl.Series([object(), 5], dtype=pl.Object),
    }
    for name in ("Int128", "UInt128", "Float16"):
        if hasattr(pl, name):
            columns[name] = pl.Series([1, None], dtype=getattr(pl, name))
            columns[f"lists of {name}"] = pl.Series(
                [[{"a": 1}], None], dtype=pl.List(pl.Struct({"a": getattr(pl, name)}))
            )
    frame = pl.DataFrame(columns)
    for part in (frame, frame.head(0), frame.lazy().collect()):
        result = model.transform(part)
        assert {name: result.schema[name] for name in part.columns} == dict(part.schema)
        assert result.columns == [*part.columns, "document", "token", "class"]
        assert result.select(part.columns).drop("object").equals(part.drop("object"))
        assert result["object"].to_list() == part["object"].to_list()
    assert albertine.classify(frame).columns == [*frame.columns, "label", "score"]


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum([text for text in TEXTS if text is not None]), pl.String])
def test_texts_of_every_polars_type(dtype: Any, model: PipelineModel) -> None:
    frame = pl.DataFrame({"text": pl.Series(TEXTS, dtype=dtype)})
    assert results(model.transform(frame), "class") == [[label] if label else [] for label in LABELS]
    chunked = pl.concat([frame.head(2), frame.tail(4)], rechunk=False)
    assert albertine.classify(chunked)["label"].to_list() == LABELS


def test_what_keeps_a_polars_column_from_being_texts_is_told(model: PipelineModel) -> None:
    for series, message in [
        (pl.Series([object()], dtype=pl.Object), "Object"),
        (pl.Series([decimal.Decimal(1)]), "Decimal"),
        (pl.Series([{"a": 1}]), "Struct"),
        (pl.Series([datetime.date(2024, 1, 1)]), "Date32"),
    ]:
        with pytest.raises(ColumnError, match=f"column `text` holds {message}.*, not text"):
            model.transform(pl.DataFrame({"text": series}))


def test_annotations_of_polars_survive_what_is_done_to_frames(model: PipelineModel) -> None:
    finisher = Finisher().setInputCols(["class"])
    annotated = model.transform(pl.DataFrame({"text": TEXTS}))
    expected = [[label] if label else [] for label in LABELS]
    for frame, rows in [
        (annotated.clone(), expected),
        (annotated.reverse(), expected[::-1]),
        (pl.concat([annotated, annotated]), expected * 2),
        (annotated.filter(pl.col("text") == ""), [[]]),
        (annotated.lazy().filter(pl.col("text").is_null()).collect(), [[]]),
    ]:
        assert finisher.transform(frame)["finished_class"].to_list() == rows
    scores = annotated.explode("class").select(pl.col("class").struct.field("result"))["result"]
    assert scores.drop_nulls().to_list() == [label for label in LABELS if label]


def test_the_names_that_the_work_needs_are_not_the_users(model: PipelineModel) -> None:
    for frame in (pd.DataFrame({"text": ["a"]}), pl.DataFrame({"text": ["a"]})):
        assert not [name for name in model.transform(frame).columns if name.startswith("_")]
    assert isinstance(AlbertForSequenceClassification.pretrained(), AlbertForSequenceClassification)
    assert isinstance(Tokenizer(), Tokenizer)


def test_a_model_that_is_another_at_the_same_path_is_loaded_again(saved_models: Path, tmp_path: Path) -> None:
    place = tmp_path / "model"
    shutil.copytree(saved_models / "huggingface", place)
    before = albertine.classify("Oil rose.", model=place)
    config = (place / "config.json").read_text()
    assert f'"{before.label}"' in config
    (place / "config.json").write_text(config.replace(f'"{before.label}"', '"Another"'))
    after = albertine.classify("Oil rose.", model=str(place))
    assert (after.label, after.score) == ("Another", before.score)
