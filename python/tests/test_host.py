"""The package as a guest in a Python process: Ctrl-C, threads, forks, import."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest

import albertine
from albertine.base import LightPipeline, PipelineModel

posix = pytest.mark.skipif(os.name != "posix", reason="signals and forks are of POSIX systems")
linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted by Linux's /proc")

#: Work that takes minutes, each kind of it under a name; ``begun`` is printed when it is about to begin.
LONG = '''
import signal, sys, time
import pyarrow as pa
import albertine
from albertine.annotator import AlbertForSequenceClassification, Tokenizer
from albertine.base import DocumentAssembler, LightPipeline, PipelineModel

# Ctrl-C may be off in whatever runs the tests
signal.signal(signal.SIGINT, signal.default_int_handler)
document = DocumentAssembler().setInputCol("text").setOutputCol("document")
token = Tokenizer().setInputCols(["document"]).setOutputCol("token").fit(None)
model = PipelineModel([document, token, AlbertForSequenceClassification.pretrained()])
texts = [" ".join(f"word{row * 100 + place}" for place in range(100)) for row in range(20_000)]
table = pa.table({"text": texts})

def endless():
    for number in range(10**9):
        yield pa.record_batch({"text": [f"{number} {text}" for text in texts[:1000]]})

def work():
    if sys.argv[1] == "list":
        albertine.classify(texts)
    elif sys.argv[1] == "table":
        model.transform(table)
    elif sys.argv[1] == "pandas":
        model.transform(table.to_pandas())
    elif sys.argv[1] == "polars":
        import polars as pl
        model.transform(pl.from_arrow(table))
    elif sys.argv[1] == "reader":
        for batch in model.transform(pa.RecordBatchReader.from_batches(table.schema, endless())):
            pass
    elif sys.argv[1] == "light":
        LightPipeline(model).annotate(texts)

albertine.classify("warm")
print("begun", flush=True)
try:
    work()
    print("finished")
except KeyboardInterrupt:
    print("interrupted", time.time(), albertine.classify("The striker scored twice in the final.").label, flush=True)
'''


@posix
@pytest.mark.parametrize("kind", ["list", "table", "pandas", "polars", "reader", "light"])
def test_ctrl_c_ends_work_and_the_process_goes_on(kind: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", LONG, kind], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        time.sleep(0.7)
        pressed = time.time()
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[0].split()
        assert said[0] == "interrupted" and said[2] == "Sports" and process.returncode == 0
        # a tenth of a second, and more for a machine that has other things to do
        assert float(said[1]) - pressed < 1
        print(f"{kind}: {float(said[1]) - pressed:.2f} s after Ctrl-C")
    finally:
        process.kill()
        process.wait()


def texts(count: int) -> list[str]:
    return [" ".join(f"word{row * 60 + place}" for place in range(60)) for row in range(count)]


def test_other_threads_run_while_work_is_done(model: PipelineModel) -> None:
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.01):
            ticks.append(time.monotonic())

    many = texts(600)
    ticker = threading.Thread(target=tick)
    ticker.start()
    since = time.monotonic()
    albertine.classify(many)
    took = time.monotonic() - since
    done.set()
    ticker.join()
    gaps = [after - before for before, after in zip([since, *ticks], [*ticks, since + took])]
    assert len(ticks) > 5
    assert max(gaps) < max(0.5, took / 2), "no long silence"


def test_threads_may_share_everything(model: PipelineModel) -> None:
    import pyarrow as pa

    many = texts(20)
    expected = [albertine.classify(text) for text in many]
    light, table = LightPipeline(model), pa.table({"text": many})
    annotated, transformed = light.annotate(many), model.transform(table)

    def work(number: int) -> bool:
        kind = number % 4
        if kind == 0:
            return albertine.classify(many) == expected
        if kind == 1:
            return light.annotate(many) == annotated
        if kind == 2:
            return bool(model.transform(table).equals(transformed))
        return [albertine.classify(text, threads=1 + number % 2) for text in many[:5]] == expected[:5]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(32)))


def test_one_reader_may_be_drained_by_several_threads(model: PipelineModel) -> None:
    import pyarrow as pa

    table = pa.table({"text": [f"number {row}" for row in range(1000)], "n": range(1000)})
    result = model.transform(pa.RecordBatchReader.from_batches(table.schema, iter(table.to_batches(max_chunksize=50))))
    lock, rows = threading.Lock(), []

    def drain(_: int) -> None:
        while True:
            with lock:
                try:
                    batch = result.read_next_batch()
                except StopIteration:
                    return
            rows.extend(batch.column("n").to_pylist())

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(drain, range(3)))
    assert sorted(rows) == list(range(1000))


def scores(text: str) -> albertine.Prediction:
    return albertine.classify(text, threads=2)


@posix
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_children_of_a_fork_work_and_give_the_same_scores() -> None:
    many = texts(20)
    # the pool of threads is there before the fork
    expected = albertine.classify(many, threads=2)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            os.write(write, b"same" if albertine.classify(many, threads=2) == expected else b"other")
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert pipe.read() == b"same"
    assert os.waitpid(child, 0)[1] == 0
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(scores, many) == expected
    assert albertine.classify(many, threads=2) == expected, "the parent works on"


@linux
def test_nothing_starts_a_thread_at_import(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    count = "len(os.listdir('/proc/self/task'))"
    program = f"import os; before = {count}; import albertine; print({count} - before); "
    assert python(program).stdout == "0\n"
    # nor is one left behind by work with one thread
    program += f"albertine.classify('a', threads=1); import time; time.sleep(0.2); print({count} - before)"
    assert python(program).stdout == "0\n0\n"


def test_import_is_light(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    program = """if True:
        import sys, time
        since = time.perf_counter()
        import albertine
        took = time.perf_counter() - since
        heavy = {"pyspark", "pandas", "numpy", "pyarrow", "polars"}
        print(sorted(heavy & set(sys.modules)), took)
        albertine.classify("Stocks fell.")
        albertine.classify(["Stocks fell.", None])
        print(sorted(heavy & set(sys.modules)))
        """
    first, second = python(program).stdout.splitlines()
    assert first.startswith("[] ") and second == "[]"
    assert float(first[3:]) < 1


def test_everything_named_can_be_had() -> None:
    import albertine.annotator
    import albertine.base

    assert set(albertine.__all__) <= set(dir(albertine)) and not {"Any", "TYPE_CHECKING"} & set(dir(albertine))
    for name in albertine.__all__:
        assert getattr(albertine, name) is not None
    assert albertine.Tokenizer is albertine.annotator.Tokenizer and albertine.Pipeline is albertine.base.Pipeline
    with pytest.raises(AttributeError, match="module 'albertine' has no attribute 'nothing'"):
        _ = albertine.nothing
    assert albertine.__version__[0].isdigit()


def test_talk_of_downloads_needs_no_stderr(
    python: Callable[..., subprocess.CompletedProcess[str]], hub: Any, saved_models: Path, tmp_path: Path
) -> None:
    """The program that fetches a model has closed its stderr, or has none."""
    name = "albert_tiny_sequence_classifier_news_en_5.5.3_3.0_1700000000000.zip"
    hub.answers[f"/{name}"] = 200, (saved_models / name).read_bytes()
    program = "import os, sys; {}; import albertine; print(albertine.classify('Oil is up.', model=sys.argv[1]).label is not None)"

    def run(before: str, cache: str) -> subprocess.CompletedProcess[str]:
        return python(
            program.format(before), f"{hub.url}/{name}", env={**os.environ, "ALBERTINE_CACHE": str(tmp_path / cache)}
        )

    for number, before in enumerate(["sys.stderr.close()", "os.close(2)", "sys.stderr = None"]):
        assert run(before, str(number)).stdout == "True\n", before
    said = run("pass", "told").stderr
    assert "download started this may take some time." in said and "[OK!]" in said
    fetched = len(hub.asked)
    assert run("pass", "told").stderr == "" and len(hub.asked) == fetched, "it is here now, and nothing is said"
