"""What tests share: where fixtures are, stages with the built-in model, a Python of its own for what would change this one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

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
