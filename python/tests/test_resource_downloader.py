"""`ResourceDownloader`: lists as Spark NLP prints them, downloads, the cache."""

from __future__ import annotations

import http.server
import shutil
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest

import albertine
from albertine.annotator import AlbertForSequenceClassification, TokenizerModel
from albertine.base import PipelineModel
from albertine.pretrained import PretrainedPipeline, ResourceDownloader

MODELS = Path(__file__).resolve().parents[2] / "testdata" / "spark_nlp" / "models"
PUBLISHED = "albert_base_sequence_classifier_ag_news"
ARCHIVE = f"{PUBLISHED}_en_3.4.0_3.0_1639648298937.zip"
TINY = "albert_tiny_sequence_classifier_news_en_3.4.4_3.0_1700000000000.zip"
PIPELINE = "albert_tiny_sequence_classifier_news_pipeline"

#: An index as Spark NLP has it, with a pipeline, another language, a newer version and what is of no use here.
INDEX = """\
{"name":"albert_news","language":"de","libVersion":{"parts":[5,1,0]},"sparkVersion":{"parts":[3,0]},"readyToUse":true,"time":"2023-01-01T00:00:00.000Z","isZipped":true,"category":"ml","checksum":"","annotator":"AlbertForSequenceClassification"}
{"name":"albert_news","language":"de","libVersion":{"parts":[3,4,0]},"sparkVersion":{"parts":[3,0]},"readyToUse":true,"time":"2022-01-01T00:00:00.000Z","isZipped":true,"category":"ml","checksum":"","annotator":"AlbertForSequenceClassification"}
{"name":"albert_hidden","language":"en","readyToUse":false,"time":"2022-01-01T00:00:00.000Z","category":"ml","annotator":"AlbertForSequenceClassification"}
{"name":"albert_news_pipeline","language":"en","libVersion":{"parts":[4,0,0]},"sparkVersion":{"parts":[3,0]},"readyToUse":true,"time":"2022-01-01T00:00:00.000Z","isZipped":true,"category":"pl","checksum":"","annotator":"PipelineModel"}
{"name":"bert_news","language":"en","libVersion":{"parts":[4,0,0]},"sparkVersion":{"parts":[3,0]},"readyToUse":true,"time":"2022-01-01T00:00:00.000Z","isZipped":true,"category":"ml","checksum":"","annotator":"BertForSequenceClassification"}
{"name":"roberta_news","language":"en","readyToUse":true,"time":"2022-01-01T00:00:00.000Z","category":"ml","annotator":"RoBertaForSequenceClassification"}
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no home, and a folder of archives as the only place that models come from."""
    (tmp_path / "hub").mkdir()
    for name, value in {
        "ALBERTINE_CACHE": tmp_path / "cache",
        "ALBERTINE_HUB": tmp_path / "hub",
        "HOME": tmp_path,
    }.items():
        monkeypatch.setenv(name, str(value))
    return tmp_path / "cache"


@pytest.fixture
def server(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server on loopback as the only place that models come from."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(tmp_path / "hub"))

        def log_message(self, *arguments: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    shutil.copy(MODELS / TINY, tmp_path / "hub" / ARCHIVE)
    address = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setenv("ALBERTINE_HUB", address)
    yield address
    server.shutdown()
    thread.join()
    server.server_close()


def test_public_models_are_a_table(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ResourceDownloader.showPublicModels("AlbertForSequenceClassification", "en")
    assert capsys.readouterr().out == """\
+-----------------------------------------+------+----------+
| Model                                   | lang | version  |
+-----------------------------------------+------+----------+
| ag_news                                 | en   | built in |
| albert_base_sequence_classifier_ag_news | en   | 3.4.0    |
| albert_base_sequence_classifier_imdb    | en   | 3.4.0    |
+-----------------------------------------+------+----------+
"""


def models(capsys: pytest.CaptureFixture[str], *arguments: Any) -> list[list[str]]:
    ResourceDownloader.showPublicModels(*arguments)
    lines = capsys.readouterr().out.splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")][1:]


def test_models_are_picked_by_annotator_language_and_version(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache.mkdir()
    (cache / "index.jsonl").write_text(INDEX)
    built_in = ["ag_news", "en", "built in"]
    published = [[PUBLISHED, "en", "3.4.0"], ["albert_base_sequence_classifier_imdb", "en", "3.4.0"]]
    german = [["albert_news", "de", "5.1.0"], ["albert_news", "de", "3.4.0"]]
    bert = ["bert_news", "en", "4.0.0"]
    shown = models(capsys)
    assert [row for row in shown if row != bert] == [built_in, *published, *german]
    assert shown.count(bert) == 1
    assert models(capsys, "albertforsequenceclassification") == [built_in, *published, *german]
    assert models(capsys, "BertForSequenceClassification") == [bert]
    assert models(capsys, "RoBertaForSequenceClassification") == []
    assert models(capsys, None, "de") == german
    assert models(capsys, None, "fr") == []
    assert models(capsys, None, "de", "3.4.0") == german[1:]
    assert models(capsys, None, "de", "3.4") == []
    assert models(capsys, None, "en", "3.3.9") == [built_in]
    with pytest.raises(albertine.ParamError, match="newest"):
        ResourceDownloader.showPublicModels(None, None, "newest")
    ResourceDownloader.showPublicPipelines()
    assert capsys.readouterr().out == """\
+----------------------+------+---------+
| Pipeline             | lang | version |
+----------------------+------+---------+
| albert_news_pipeline | en   | 4.0.0   |
+----------------------+------+---------+
"""


def test_empty_lists_and_annotators(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ResourceDownloader.showPublicPipelines("de", "5.0.0")
    assert capsys.readouterr().out == """\
+----------+------+---------+
| Pipeline | lang | version |
+----------+------+---------+
"""
    ResourceDownloader.showUnCategorizedResources()
    assert "| Resource | lang | version |" in capsys.readouterr().out
    ResourceDownloader.showAvailableAnnotators()
    assert capsys.readouterr().out == "AlbertForSequenceClassification\n"


def test_a_model_is_downloaded_once_and_removed(server: str, cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = ResourceDownloader.downloadModel(AlbertForSequenceClassification, PUBLISHED, "en")
    assert isinstance(model, AlbertForSequenceClassification)
    talk = capfd.readouterr().err
    assert f"{PUBLISHED} download started this may take some time." in talk and "[OK!]" in talk
    (archive,) = cache.rglob("*.zip")
    assert archive.name == ARCHIVE
    ResourceDownloader.downloadModel(AlbertForSequenceClassification, PUBLISHED, "en")
    assert capfd.readouterr().err == ""
    ResourceDownloader.clearCache(PUBLISHED, "en")
    assert not list(cache.rglob("*.zip"))
    # what is not there, or not in the cache, is no reason to fail
    ResourceDownloader.clearCache(PUBLISHED, "en")
    ResourceDownloader.clearCache("ag_news", "en")
    ResourceDownloader.clearCache("nothing")


def test_another_place_can_be_named(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    shutil.copy(MODELS / TINY, tmp_path / "mirror" / ARCHIVE)
    found = ResourceDownloader.downloadModel(AlbertForSequenceClassification, PUBLISHED, "en", str(tmp_path / "mirror"))
    assert found.getClasses()
    assert ResourceDownloader.downloadModel(TokenizerModel, "token_rules", "en").getOutputCol()


def test_a_pipeline_is_downloaded(cache: Path, tmp_path: Path) -> None:
    shutil.copy(MODELS / f"{PIPELINE}_en_5.5.3_3.0_1700000000000.zip", tmp_path / "hub")
    pipeline = ResourceDownloader.downloadPipeline(PIPELINE, "en")
    assert isinstance(pipeline, PipelineModel)
    assert len(pipeline.stages) == len(PretrainedPipeline(PIPELINE, "en").model.stages)
    with pytest.raises(albertine.PipelineError):
        ResourceDownloader.downloadPipeline("ag_news", "en")


def test_a_pipeline_comes_from_another_place(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    shutil.copy(MODELS / f"{PIPELINE}_en_5.5.3_3.0_1700000000000.zip", tmp_path / "mirror")
    with pytest.raises(albertine.ModelNotFound):
        ResourceDownloader.downloadPipeline(PIPELINE, "en")
    for place in (tmp_path / "mirror", str(tmp_path / "mirror")):
        found = [
            ResourceDownloader.downloadPipeline(PIPELINE, "en", place),
            PretrainedPipeline(PIPELINE, "en", place).model,
        ]
        assert [len(model.stages) for model in found] == [3, 3]
    for work in (PretrainedPipeline, ResourceDownloader.downloadPipeline):
        with pytest.raises(albertine.ModelNotFound, match="there is no model named `nothing`"):
            work("nothing", "en", str(tmp_path / "mirror"))
        with pytest.raises(albertine.PipelineError, match="ag_news is not a saved pipeline: it is a model"):
            work("ag_news", "en", str(tmp_path / "mirror"))


def test_an_archive_is_downloaded_directly(server: str, cache: Path) -> None:
    # as the models hub has it: an address of the bucket is the archive of that name, wherever models come from
    for name in (ARCHIVE, f"s3://auxdata.johnsnowlabs.com/public/models/{ARCHIVE}"):
        path = ResourceDownloader.downloadModelDirectly(name)
        assert path is not None and path.name == ARCHIVE and path.is_file()
        assert AlbertForSequenceClassification.pretrained(PUBLISHED, "en").getClasses()
        ResourceDownloader.clearCache(PUBLISHED)
    assert ResourceDownloader.downloadModelDirectly(PUBLISHED) == path
    assert ResourceDownloader.downloadModelDirectly("ag_news") is None
    # any other address is fetched from where it is
    other = Path(str(cache.parent / "hub")) / "other.zip"
    shutil.copy(MODELS / TINY, other)
    path = ResourceDownloader.downloadModelDirectly(f"{server}other.zip")
    assert path is not None and AlbertForSequenceClassification.load(path).getClasses()


def test_what_is_not_there_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(albertine.ModelNotFound, match="the nearest are"):
        ResourceDownloader.downloadModel(AlbertForSequenceClassification, "albert_base", "en")
    with pytest.raises(albertine.ModelNotFound, match="ALBERTINE_HUB lists the folders"):
        ResourceDownloader.downloadModelDirectly(ARCHIVE)
    monkeypatch.setenv("ALBERTINE_OFFLINE", "1")
    with pytest.raises(albertine.ModelNotFound, match="network access is disabled"):
        ResourceDownloader.downloadModelDirectly("s3://auxdata.johnsnowlabs.com/public/models/some_en_3.4.0_3.0_1.zip")
    with pytest.raises(albertine.ModelNotFound, match="public/models/some_en_3.4.0_3.0_1.zip"):
        ResourceDownloader.downloadModelDirectly("some_en_3.4.0_3.0_1.zip")
