"""Types and words: what type checkers and readers see of the package is what there is."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import os
import pkgutil
import pydoc
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import albertine
import albertine.annotation
import albertine.annotator
import albertine.base
import albertine.errors
import albertine.nlu
import albertine.pretrained
import albertine.session

PACKAGE = Path(albertine.__file__).parent
TESTS = Path(__file__).parent
#: What is installed is not checked, only followed: checked is what it was made of.
SOURCES = TESTS.parent / "albertine"
PYSPARK = importlib.util.find_spec("pyspark") is not None
needs_mypy = pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="types are checked by mypy")
MODULES = [
    albertine,
    albertine.annotation,
    albertine.annotator,
    albertine.base,
    albertine.errors,
    albertine.nlu,
    albertine.pretrained,
    albertine.session,
]
if PYSPARK:
    MODULES.append(importlib.import_module("albertine.functions"))

#: Lines that a type checker must not let by.
WRONG = """
import albertine
from albertine.annotator import AlbertForSequenceClassification, Tokenizer
from albertine.base import DocumentAssembler, LightPipeline, PipelineModel

albertine.classify("a", thread=1)  # wrong
albertine.classify("a", threads="many")  # wrong
albertine.classify("a", precision=8)  # wrong
albertine.classify(["a"]).label  # wrong
DocumentAssembler().setInputCol(5)  # wrong
Tokenizer().setMinLength("long")  # wrong
Tokenizer().setInputCols(["document"]).setCaseSensitiveExceptions("no")  # wrong
AlbertForSequenceClassification.pretrained(precision=8)  # wrong
LightPipeline(PipelineModel([])).annotate(5)  # wrong
LightPipeline(PipelineModel([])).annotate(["a"], ["b"])  # wrong
"""

#: The published snippet, as a type checker sees it beside PySpark's types.
SPARK = """
from pyspark.ml import Pipeline, PipelineModel
from pyspark.sql import DataFrame
from typing_extensions import assert_type
from albertine.annotator import AlbertForSequenceClassification, Tokenizer
from albertine.base import DocumentAssembler, Finisher, LightPipeline

def published(example: DataFrame) -> DataFrame:
    document = DocumentAssembler().setInputCol("text").setOutputCol("document")
    token = Tokenizer().setInputCols(["document"]).setOutputCol("token")
    sequence = AlbertForSequenceClassification.pretrained("albert_base_sequence_classifier_ag_news", "en") \\
        .setInputCols(["token", "document"]).setOutputCol("class").setCaseSensitive(False).setMaxSentenceLength(512)
    pipeline = Pipeline(stages=[document, token, sequence, Finisher().setInputCols(["class"])])
    assert_type(document.transform(example), DataFrame)
    model = pipeline.fit(example)
    assert_type(LightPipeline(model).annotate("a"), dict[str, list[str]])
    return model.transform(example)
"""


def mypy(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MYPYPATH": str(SOURCES.parent)}
    config = SOURCES.parent / "pyproject.toml"
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--config-file",
        str(config),
        *map(str, arguments),
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=300)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for mypy and its memory, which makes its later runs quick."""
    return tmp_path_factory.mktemp("typing")


@needs_mypy
def test_the_package_is_typed_strictly(scratch: Path) -> None:
    """With PySpark and without it: each environment of the tests has one or the other."""
    done = mypy(*sorted(SOURCES.glob("*.py")), cwd=scratch)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_mypy
def test_a_user_s_script_has_the_types_it_expects(scratch: Path) -> None:
    script = TESTS / "typing" / "user_script.py"
    done = mypy(script, cwd=scratch)
    assert done.returncode == 0, done.stdout + done.stderr
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert run.stdout == "done\n", run.stderr


@needs_mypy
def test_what_is_wrong_is_not_let_by(scratch: Path) -> None:
    (scratch / "wrong.py").write_text(WRONG, encoding="utf-8")
    done = mypy("wrong.py", cwd=scratch)
    found = {int(number) for number in re.findall(r"^wrong\.py:(\d+): error", done.stdout, re.MULTILINE)}
    expected = {number for number, line in enumerate(WRONG.splitlines(), 1) if line.endswith("# wrong")}
    assert found == expected, done.stdout + done.stderr


@needs_mypy
@pytest.mark.skipif(not PYSPARK, reason="stages are PySpark's where it is installed")
def test_the_published_snippet_has_types(scratch: Path) -> None:
    (scratch / "published.py").write_text(SPARK, encoding="utf-8")
    done = mypy("published.py", cwd=scratch)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_mypy
def test_the_stub_is_the_native_half(scratch: Path) -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "albertine._albertine"]
    path = os.pathsep.join(part for part in (str(PACKAGE.parent), os.environ.get("PYTHONPATH")) if part)
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=scratch, env={**os.environ, "PYTHONPATH": path}, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists() and (PACKAGE / "_albertine.pyi").exists()


def test_sources_are_of_the_oldest_python_that_is_promised() -> None:
    for path in PACKAGE.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
        first = [node for node in tree.body if isinstance(node, ast.ImportFrom)][:1]
        assert first and first[0].module == "__future__", f"{path.name} begins with annotations as text"


# words


def public() -> list[Any]:
    """Every public class and function, and every public method of the classes that is ours."""
    found = {}
    for module in MODULES:
        for name in getattr(module, "__all__", []):
            thing = getattr(module, name)
            if not isinstance(thing, str):
                found[name] = thing
    for name, thing in list(found.items()):
        if inspect.isclass(thing):
            for member, value in inspect.getmembers(thing):
                inner = getattr(value, "__func__", value)
                if not member.startswith("_") and (getattr(inner, "__module__", None) or "").startswith("albertine."):
                    found[f"{name}.{member}"] = value
    return [pytest.param(thing, id=name) for name, thing in found.items()]


@pytest.mark.parametrize("thing", public())
def test_every_public_thing_says_what_it_is(thing: Any) -> None:
    words = inspect.getdoc(thing) or ""
    assert len(words.split()) > 2 and words.split("\n\n")[0].rstrip().endswith((".", ":")), words


def test_help_is_worth_reading() -> None:
    for cls, words in [
        (
            albertine.annotator.Tokenizer,
            ["Documents to tokens, by Spark NLP's rules", "targetPattern", ">>> ", "Raises:", "setExceptions"],
        ),
        (albertine.annotator.SentenceDetector, ["Documents to sentences", "setCustomBounds", ">>> "]),
        (
            albertine.annotator.AlbertForSequenceClassification,
            ["with an ALBERT model", "pretrained(", "ModelNotFound", ">>> ", "setPrecision"],
        ),
        (albertine.base.DocumentAssembler, ["Texts to documents", "setCleanupMode", ">>> "]),
        (albertine.base.Finisher, ["Annotations to plain columns", "setOutputAsArray"]),
        (albertine.base.PipelineModel, ["Returns:", "Raises:", "every row, in order"]),
        (albertine.base.LightPipeline, ["without a table", "fullAnnotate"]),
    ]:
        text = pydoc.render_doc(cls, renderer=pydoc.plaintext)
        for word in words:
            assert word in text, f"{cls.__name__}: {word}"


def test_every_setter_says_what_it_does() -> None:
    for module in (albertine.base, albertine.annotator):
        for name in module.__all__:
            for method, value in inspect.getmembers(getattr(module, name), inspect.isfunction):
                if re.match("set[A-Z]|add[A-Z]", method) and value.__module__.startswith("albertine."):
                    assert re.match("Sets|Adds", value.__doc__ or ""), f"{name}.{method}"


def test_modules_say_what_they_are_for() -> None:
    for module in pkgutil.iter_modules([str(PACKAGE)]):
        if not module.name.startswith("_albertine"):
            words = ast.get_docstring(ast.parse((PACKAGE / f"{module.name}.py").read_text(encoding="utf-8")))
            assert words and words.splitlines()[0].endswith((".", ":")), module.name
