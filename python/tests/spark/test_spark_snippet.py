"""The published example with its import lines changed and nothing else, on every kind of table, with the model from a
hub."""

from __future__ import annotations

import functools
import shutil
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Iterator

import pytest

import albertine
from albertine.annotator import AlbertForSequenceClassification

PUBLISHED = "albert_base_sequence_classifier_ag_news"
ARCHIVE = f"{PUBLISHED}_en_3.4.0_3.0_1639648298937.zip"
#: A classifier that Spark NLP saved, tiny and with random weights.
SAVED = (
    Path(__file__).parents[3]
    / "testdata/spark_nlp/models/albert_tiny_sequence_classifier_news_en_5.5.3_3.0_1700000000000.zip"
)

IMPORTS = """
from albertine.base import DocumentAssembler
from albertine.annotator import Tokenizer, AlbertForSequenceClassification
"""

#: As it is published, white space at the ends of lines too.
EXAMPLE = """
document_assembler = DocumentAssembler() \\
.setInputCol('text') \\
.setOutputCol('document')

tokenizer = Tokenizer() \\
.setInputCols(['document']) \\
.setOutputCol('token')

sequenceClassifier = AlbertForSequenceClassification \\
.pretrained('albert_base_sequence_classifier_ag_news', 'en') \\
.setInputCols(['token', 'document']) \\
.setOutputCol('class') \\
.setCaseSensitive(False) \\
.setMaxSentenceLength(512)

pipeline = Pipeline(stages=[
document_assembler,\x20
tokenizer,
sequenceClassifier   \x20
])

example = spark.createDataFrame([['Disney Comics was a comic book publishing company operated by The Walt Disney Company which ran from 1990 to 1993.']]).toDF("text")
result = pipeline.fit(example).transform(example)
"""

TEXT = (
    "Disney Comics was a comic book publishing company operated by The Walt Disney Company which ran from 1990 to 1993."
)


class Hub:
    """A folder of archives behind an address on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        asked = self.asked

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                asked.append(self.path)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub without models, which is the only one, and an empty cache."""
    folder = tmp_path / "hub"
    folder.mkdir()
    found = Hub(folder)
    monkeypatch.setenv("ALBERTINE_HUB", found.address)
    monkeypatch.setenv("ALBERTINE_CACHE", str(tmp_path / "cache"))
    for name in ("ALBERTINE_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    # Spark NLP's own cache is looked at too
    monkeypatch.setenv("HOME", str(tmp_path))
    yield found
    found.stop()


def publish_built_in(hub: Hub, model_directory: Path) -> None:
    with zipfile.ZipFile(hub.folder / ARCHIVE, "w") as archive:
        for path in sorted(model_directory.iterdir()):
            archive.write(path, path.name)


def run(pipeline: str, spark: Any, example: str = EXAMPLE) -> dict[str, Any]:
    names: dict[str, Any] = {"spark": spark}
    exec(pipeline + IMPORTS + example, names)
    return names


@pytest.mark.parametrize("pipeline", ["from pyspark.ml import Pipeline", "from albertine.base import Pipeline"])
def test_the_published_example_on_spark(
    spark: Any, hub: Hub, model_directory: Path, pipeline: str, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_built_in(hub, model_directory)
    result = run(pipeline, spark)["result"]
    result.select("class.result").show()
    assert "[Business]" in capsys.readouterr().out
    assert hub.asked == [f"/{ARCHIVE}"]
    hub.stop()
    assert run(pipeline, spark)["result"].select("class.result").collect() == [(["Business"],)]


def test_the_published_example_with_what_spark_nlp_saved(spark: Any, hub: Hub, tmp_path: Path) -> None:
    shutil.copy(SAVED, hub.folder / ARCHIVE)
    # the fixture has positions for no more pieces
    names = run("from pyspark.ml import Pipeline", spark, EXAMPLE.replace("512", "128"))
    (row,) = names["result"].collect()
    (annotation,) = row["class"]
    assert names["sequenceClassifier"].getEncoding() == "token"
    light = albertine.LightPipeline(names["pipeline"].fit(names["example"]))
    (expected,) = light.fullAnnotate(TEXT)[0]["class"]
    assert (annotation.result, dict(annotation.metadata)) == (expected.result, expected.metadata)
    assert set(annotation.metadata) == {"sentence", "World", "Sports", "Business", "Sci/Tech"}
    assert (annotation.begin, annotation.end) == (0, len(TEXT) - 1)


def tables() -> list[Any]:
    import pyarrow

    found: list[Any] = [pytest.param(lambda texts: pyarrow.table({"text": texts}), id="pyarrow")]
    for name in ("pandas", "polars"):
        library = pytest.importorskip(name) if _is_there(name) else None
        reason = pytest.mark.skipif(library is None, reason=f"{name} is not installed")
        found.append(
            pytest.param(lambda texts, library=library: library.DataFrame({"text": texts}), id=name, marks=reason)
        )
    return found


def _is_there(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


@pytest.mark.parametrize("table", tables())
def test_the_published_stages_on_other_tables(hub: Hub, model_directory: Path, table: Any) -> None:
    publish_built_in(hub, model_directory)
    names: dict[str, Any] = {}
    exec("from albertine.base import Pipeline" + IMPORTS + EXAMPLE.partition("example =")[0], names)
    example = table([TEXT, None])
    result = names["pipeline"].fit(example).transform(example)
    assert type(result) is type(example)
    first, second = (
        (list(row) for row in result["class"].to_list())
        if hasattr(result["class"], "to_list")
        else result["class"].to_pylist()
    )
    assert [annotation["result"] for annotation in first] == ["Business"]
    assert second == []


def test_without_a_name_the_built_in_model_is_given_without_a_hub(hub: Hub) -> None:
    model = AlbertForSequenceClassification.pretrained()
    assert model.getClasses() == ["World", "Sports", "Business", "Sci/Tech"]
    assert hub.asked == []


def test_a_published_name_offline_says_how_to_get_it(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALBERTINE_OFFLINE", "1")
    assert AlbertForSequenceClassification.pretrained().getClasses()
    with pytest.raises(albertine.ModelNotFound) as raised:
        AlbertForSequenceClassification.pretrained(PUBLISHED, "en")
    assert str(raised.value) == (
        f"`{PUBLISHED}` is not on this machine, and network access is disabled; download it once without ALBERTINE_OFFLINE and "
        f"HF_HUB_OFFLINE, or add a folder that contains {ARCHIVE} to ALBERTINE_HUB, or give its path; the model `ag_news` is built in"
    )
    assert hub.asked == []


def test_a_published_name_that_no_place_has_says_how_to_get_it(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (hub.address, str(hub.folder)):
        monkeypatch.setenv("ALBERTINE_HUB", place)
        with pytest.raises(albertine.ModelNotFound) as raised:
            AlbertForSequenceClassification.pretrained(PUBLISHED, "en")
        assert str(raised.value) == (
            f"`{ARCHIVE}` was not found in {place}; ALBERTINE_HUB lists the folders and URLs that are searched for published "
            "models, and a downloaded archive can be given by its path; the model `ag_news` is built in"
        )


def test_an_archive_in_a_folder_is_enough(hub: Hub, model_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_built_in(hub, model_directory)
    monkeypatch.setenv("ALBERTINE_HUB", str(hub.folder))
    monkeypatch.setenv("ALBERTINE_OFFLINE", "1")
    assert AlbertForSequenceClassification.pretrained(PUBLISHED, "en").getClasses()[2] == "Business"
    assert AlbertForSequenceClassification.pretrained(str(hub.folder / ARCHIVE)).getClasses()[2] == "Business"
