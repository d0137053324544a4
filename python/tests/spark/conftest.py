"""One Spark session for all tests of this folder, with two cores of this machine."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest

import albertine

#: Where Python finds the package under test, here and in Spark's workers.
PACKAGE = str(Path(albertine.__file__).parents[1])


def environment() -> dict[str, str]:
    """What Spark's workers need to run this Python with this package."""
    return {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable, "PYTHONPATH": PACKAGE, "SPARK_LOCAL_IP": "127.0.0.1"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            # PySpark leaves its sockets to the garbage collector
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning:pyspark"))


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


@pytest.fixture
def setting(spark: Any) -> Iterator[Any]:
    """Sets a setting of the session for one test."""
    names = []

    def set_to(name: str, value: str) -> None:
        names.append(name)
        spark.conf.set(name, value)

    yield set_to
    for name in names:
        spark.conf.unset(name)


@pytest.fixture(scope="session")
def model_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in model as a directory on disk."""
    from albertine import _albertine

    path = tmp_path_factory.mktemp("model") / "ag_news"
    _albertine.Classifier.load("ag_news").save(path)
    return path
