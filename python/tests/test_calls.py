"""What belongs to a call is its own: the texts that it cut, and whether it was interrupted."""

from __future__ import annotations

import _thread
import itertools
import signal
import threading
import warnings
from typing import Any, Callable, Iterator

import pyarrow as pa
import pytest

import albertine
from albertine import TruncationWarning
from albertine.base import PipelineModel

SCHEMA = pa.schema({"text": pa.string()})
#: More rows than the first window has, so that it is done before the next batch is asked for.
ROWS = 300


def batch(number: int, cut: int) -> pa.RecordBatch:
    """Rows of which the first ``cut`` are too long."""
    texts = [f"Oil {number} {row} rose. {'and fell ' * (300 if row < cut else 0)}" for row in range(ROWS)]
    return pa.record_batch({"text": texts}, SCHEMA)


def told(warned: list[warnings.WarningMessage]) -> list[int]:
    """How many texts each warning says were cut."""
    return sorted(int(str(warning.message).split()[0]) for warning in warned if warning.category is TruncationWarning)


def ways(model: PipelineModel) -> dict[str, Callable[[Any], Any]]:
    return {"classify": lambda table: albertine.classify(table, max_sentence_length=128), "pipeline": model.transform}


@pytest.mark.parametrize("way", ["classify", "pipeline"])
def test_calls_at_the_same_time_have_counts_of_their_own(way: str, model: PipelineModel) -> None:
    work = ways(model)[way]
    # one model for all of them
    work(batch(0, 0))
    both = threading.Barrier(2, timeout=60)

    def batches(cut: int) -> Iterator[pa.RecordBatch]:
        yield batch(0, cut)
        # each has begun before one ends
        both.wait()
        yield batch(1, cut)

    def call(cut: int) -> None:
        rows.append(work(pa.RecordBatchReader.from_batches(SCHEMA, batches(cut))).read_all().num_rows)

    rows: list[int] = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        threads = [threading.Thread(target=call, args=(cut,)) for cut in (2, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert rows == [2 * ROWS] * 2
    assert told(warned) == [4, 10]


@pytest.mark.parametrize("way", ["classify", "pipeline"])
def test_one_call_is_interrupted_and_another_goes_on(
    way: str, model: PipelineModel, request: pytest.FixtureRequest
) -> None:
    work = ways(model)[way]
    work(batch(0, 0))
    interrupted = threading.Event()
    begun = threading.Barrier(2, timeout=60)
    asked = itertools.count()
    stopped_at: list[int] = []

    def endless() -> Iterator[pa.RecordBatch]:
        # a window is at most one of these
        large = pa.concat_batches([batch(number, 0) for number in range(28)])
        while True:
            number = next(asked)
            if number == 1:
                begun.wait()
                # as Ctrl-C does it, soon, when the window is in work
                stopped_at.append(number)
                threading.Timer(0.05, _thread.interrupt_main).start()
            yield large

    def slow() -> Iterator[pa.RecordBatch]:
        yield batch(0, 3)
        begun.wait()
        assert interrupted.wait(60)
        yield batch(1, 3)

    rows: list[int] = []

    def other() -> None:
        rows.append(work(pa.RecordBatchReader.from_batches(SCHEMA, slow())).read_all().num_rows)

    # a shell has what it starts in the background ignore Ctrl-C
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, handler))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        thread = threading.Thread(target=other)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            for _ in work(pa.RecordBatchReader.from_batches(SCHEMA, endless())):
                pass
        # the window that was in work, and what the next one may have begun to read
        assert next(asked) <= stopped_at[0] + 3
        interrupted.set()
        thread.join()
    assert rows == [2 * ROWS] and told(warned) == [6]
