"""What tests share: where fixtures are, stages with the built-in model, a Spark session, a Python of its own for what
would change this one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

import albertine
from albertine.annotator import AlbertForSequenceClassification, Tokenizer
from albertine.base import DocumentAssembler, PipelineModel

TESTDATA = Path(__file__).resolve().parents[2] / "testdata"


@pytest.fixture(scope="session")
def saved_models() -> Path:
    """Models, annotators and pipelines as Spark NLP saved them."""
    return TESTDATA / "spark_nlp" / "models"


@pytest.fixture
def stages() -> list[Any]:
    """The usual stages, fitted, with the built-in model: a test may set what it likes."""
    document = DocumentAssembler().setInputCol("text").setOutputCol("document")
    token = Tokenizer().setInputCols(["document"]).setOutputCol("token").fit(None)
    sequence = AlbertForSequenceClassification.pretrained().setInputCols(["token", "document"]).setOutputCol("class")
    return [document, token, sequence]


@pytest.fixture
def model(stages: list[Any]) -> PipelineModel:
    return PipelineModel(stages)


@pytest.fixture(scope="session")
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program in a Python of its own; what it prints comes back, and what goes wrong in it fails the test."""

    def run(program: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120, **options
        )
        assert done.returncode == 0, done.stderr
        return done

    return run


class Server:
    """A server on this machine: what it answers, by path, is a status and bytes; it knows nothing else. What was asked
    is kept."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                status, body = server.answers.get(self.path, (404, b""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """A server that is the hub for this process and those it starts, with an empty cache; the true ones are not
    asked."""
    server = Server()
    for name, value in {
        "ALBERTINE_CACHE": str(tmp_path / "cache"),
        "ALBERTINE_HUB": server.url,
        "HF_ENDPOINT": server.url,
        "HF_HUB_CACHE": str(tmp_path / "no cache"),
        "HOME": str(tmp_path / "home"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("ALBERTINE_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    assert os.environ["ALBERTINE_HUB"] == server.url
    yield server
    server.close()


# Spark

#: Where Python finds the package under test, here and in Spark's workers.
PACKAGE = str(Path(albertine.__file__).parents[1])


def environment() -> dict[str, str]:
    """What Spark's workers need to run this Python with this package."""
    return {
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYTHONPATH": PACKAGE,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def _needs_spark() -> None:
    pytest.importorskip("pyspark", reason="PySpark is not installed")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("there is no Java, which Spark needs")


@pytest.fixture(scope="session")
def spark_environment() -> Iterator[dict[str, str]]:
    """The environment of a process that starts a Spark session of its own."""
    _needs_spark()
    yield {**os.environ, **environment()}


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The one session of all tests, with two cores of this machine."""
    _needs_spark()
    from pyspark.sql import SparkSession

    patch = pytest.MonkeyPatch()
    for name, value in environment().items():
        patch.setenv(name, value)
    folder = tmp_path_factory.mktemp("spark")
    builder = SparkSession.builder.master("local[2]").appName("tests of albertine")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        # a file system that is not this machine's, as far as anybody can tell
        "spark.hadoop.fs.viewfs.mounttable.elsewhere.link./models": (folder / "models").as_uri(),
    }
    (folder / "models").mkdir()
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()
    patch.undo()
