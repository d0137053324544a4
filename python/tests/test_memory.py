"""A stream of any length goes through in the memory of a few windows of it."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any, Callable, Iterator

import pyarrow as pa
import pytest

import albertine
from albertine.base import Finisher, PipelineModel

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from Linux's /proc")

ROWS = 1_000_000
BATCH = 10_000
MEBIBYTE = 1 << 20


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def batches() -> Iterator[pa.RecordBatch]:
    """Short texts, of which a few come again and again: a window works once on those that are equal."""
    words = ["oil", "match", "probe", "vote", "shares", "coach", "chip", "treaty"]
    for start in range(0, ROWS, BATCH):
        texts = [f"The {words[row % 8]} of day {row % 40}." for row in range(start, start + BATCH)]
        yield pa.record_batch({"text": texts, "n": range(start, start + BATCH)})


def classified(stream: pa.RecordBatchReader, _: PipelineModel) -> Any:
    return albertine.classify(stream)


def annotated(stream: pa.RecordBatchReader, model: PipelineModel) -> Any:
    return PipelineModel([*model.stages, Finisher().setInputCols(["class"])]).transform(stream)


@pytest.mark.parametrize("work", [classified, annotated])
def test_a_million_rows_leave_memory_as_it_is(work: Callable[..., Any], model: PipelineModel) -> None:
    stream = pa.RecordBatchReader.from_batches(pa.schema([("text", pa.string()), ("n", pa.int64())]), batches())
    rows, seen = 0, []
    for number, batch in enumerate(work(stream, model)):
        assert batch.column("n")[0].as_py() == rows
        rows += batch.num_rows
        if number % 10 == 0:
            seen.append((rows, resident()))
    assert rows == ROWS
    gc.collect()
    warm = max(size for row, size in seen if row <= ROWS // 5)
    most = max(size for _, size in seen)
    print(f"{work.__name__}: {warm / MEBIBYTE:.0f} MiB after a fifth of the rows, {most / MEBIBYTE:.0f} MiB at most")
    assert most - warm < 50 * MEBIBYTE
