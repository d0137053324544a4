"""`start` and `version`, each session in a Python of its own."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import albertine
from albertine.session import start


def python(program: str, **variables: str) -> str:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYSPARK_PYTHON", "ALBERTINE_CACHE")
    }
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**environment, **variables}, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_version_is_the_package_s() -> None:
    assert albertine.version() == albertine.__version__
    assert albertine.version().split(".")[0].isdigit()


def test_the_arguments_are_those_of_spark_nlp() -> None:
    found = {name: parameter.default for name, parameter in inspect.signature(start).parameters.items()}
    assert found == {
        "gpu": False,
        "apple_silicon": False,
        "aarch64": False,
        "memory": "16G",
        "cache_folder": "",
        "log_folder": "",
        "cluster_tmp_dir": "",
        "params": None,
        "real_time_output": False,
        "output_level": 1,
        "skip_sparknlp_maven": False,
    }


@pytest.mark.parametrize("flags", [{"gpu": True, "aarch64": True}, {"apple_silicon": True, "aarch64": True}])
def test_one_kind_of_hardware_at_most(flags: dict[str, bool]) -> None:
    with pytest.raises(ValueError, match="at most one of gpu, apple_silicon and aarch64") as error:
        albertine.start(**flags)
    assert isinstance(error.value, albertine.ParamError)


def test_without_pyspark_it_is_told_what_needs_none() -> None:
    program = """
import sys
sys.modules["pyspark"] = None
import albertine
try:
    albertine.start()
except ImportError as error:
    print(error)
"""
    printed = python(program)
    assert "PySpark is not installed: pip install 'albertine[spark]'" in printed
    assert "pandas, polars and pyarrow need no session and no start()" in printed


def test_a_session_is_started_once_and_works(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="PySpark is not installed")
    program = f"""
import os, sys, warnings
import albertine
session = albertine.start(
    gpu=True, memory="1G", cache_folder={str(tmp_path)!r}, log_folder="logs", cluster_tmp_dir="tmp",
    params={{"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.sql.shuffle.partitions": "3"}},
    real_time_output=True, output_level=0, skip_sparknlp_maven=True,
)
print(session.sparkContext.master, session.sparkContext.appName)
print(session.conf.get("spark.driver.memory"), session.conf.get("spark.sql.shuffle.partitions"))
print(os.environ["ALBERTINE_CACHE"], os.environ["PYSPARK_PYTHON"] == sys.executable)
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter("always")
    print(albertine.start() is session)
print([str(warning.message) for warning in found if "session" in str(warning.message)])
frame = session.createDataFrame([("Arsenal won on Sunday.",)], "text string")
print(albertine.load("ag_news").predict(frame)["classified_sequence"].tolist())
session.stop()
"""
    assert python(program).splitlines() == [
        "local[*] Albertine",
        "1G 3",
        f"{tmp_path} True",
        "True",
        "['a Spark session already exists, so some settings may have no effect']",
        "['Sports']",
    ]
