"""What the tests of Spark share: settings for one test, a model that is not inside the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import pytest


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
