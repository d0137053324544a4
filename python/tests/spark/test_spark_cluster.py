"""Two executor processes of their own: the same labels and bits as without Spark, whatever happens to an executor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyspark", reason="PySpark is not installed")

import pyarrow as pa
import pyarrow.parquet as parquet
from spark_cases import headlines

import albertine

SCRIPT = Path(__file__).parents[3] / "bench" / "spark" / "cluster.py"


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="processes are looked up in /proc, which only Linux has"
)
def test_a_cluster_gives_what_classify_gives(
    tmp_path: Path, model_directory: Path, spark_environment: dict[str, str]
) -> None:
    texts: list[str | None] = [*headlines(5_997), None, "", "  "]
    parquet.write_table(pa.table({"text": texts}), tmp_path / "in.parquet")
    expected = albertine.classify(pa.table({"text": texts}), all_scores=True)
    parquet.write_table(expected, tmp_path / "expected.parquet")
    jobs = ["ag_news", f"{model_directory},broadcast,kill-executor", f"{model_directory},path,kill-worker"]
    command = [
        sys.executable,
        str(SCRIPT),
        str(tmp_path / "in.parquet"),
        "--expected",
        str(tmp_path / "expected.parquet"),
    ]
    command += [word for job in jobs for word in ("--job", job)]
    out = subprocess.run(command, env=spark_environment, capture_output=True, text=True, check=False, timeout=400)
    assert out.returncode == 0, out.stdout + out.stderr[-4000:]
    first, killed, hurt = map(json.loads, out.stdout.splitlines())
    for report in (first, killed, hurt):
        assert report["same"] and report["each_once"]
        assert (report["rows"], report["written"], report["nulls"]) == (6_000, 6_000, 3)
    # both executors worked
    assert sorted(first["tasks"]) == ["0", "1"] and all(first["tasks"].values())
    assert len(killed["killed"]) == 1
    assert killed["lost"] == [killed["killed"][0]["executor"]]
    assert killed["killed"][0]["tasks_done"] < killed["killed"][0]["of"]
    assert len(hurt["killed"]) == 1
