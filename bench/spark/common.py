"""What the measurements on Spark have in common: a session, a pipeline, texts, memory."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet

import albertine
from albertine.annotator import AlbertForSequenceClassification, Tokenizer
from albertine.base import DocumentAssembler, PipelineModel


def session(master: str, **settings: str) -> Any:
    """A Spark session whose executors run this Python and find this ``albertine``; one for a process."""
    import pyspark
    from pyspark.sql import SparkSession

    os.environ["SPARK_HOME"] = str(_home(Path(pyspark.__file__).parent))
    os.environ["PYSPARK_PYTHON"] = sys.executable
    path = str(Path(albertine.__file__).parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join([path, *filter(None, [os.environ.get("PYTHONPATH")])])
    chosen = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.executorEnv.PYTHONPATH": os.environ["PYTHONPATH"],
        **settings,
    }
    builder = SparkSession.builder.master(master).appName("albertine")
    for name, value in chosen.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def _home(installed: Path) -> Path:
    """Spark's folder, in which clusters of one machine keep the files of executors, as one that goes with this process."""
    folder = Path(tempfile.mkdtemp(prefix="albertine-spark-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for entry in installed.iterdir():
        if entry.name != "work":
            (folder / entry.name).symlink_to(entry)
    return folder


def pipeline(model: str, precision: str = "f32") -> PipelineModel:
    """Documents, tokens and classes of a column ``text``; ``model`` is a name or a path."""
    document = DocumentAssembler().setInputCol("text").setOutputCol("document")
    token = Tokenizer().setInputCols(["document"]).setOutputCol("token").fit(None)
    classes = AlbertForSequenceClassification.pretrained(model, precision=precision)
    # as long as the command reads them; a stage of Spark NLP stops at 128 pieces
    classes.setInputCols(["token", "document"]).setOutputCol("class").setMaxSentenceLength(512)
    return PipelineModel([document, token, classes])


def texts(path: Path, column: str = "text", rows: int | None = None) -> pa.Table:
    """The first rows of a CSV or Parquet file, as ``row`` (their number) and ``text``."""
    if path.suffix == ".parquet":
        table = parquet.read_table(path, columns=[column])
    else:
        options = csv.ConvertOptions(include_columns=[column], column_types={column: pa.string()})
        table = csv.read_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=options)
    table = table.slice(0, rows).combine_chunks()
    return pa.table({"row": pa.array(range(len(table)), pa.int64()), "text": table[column]})


def executors(spark: Any) -> list[Any]:
    """What Spark knows of its executors, dead ones too, and not of the driver; Java objects."""
    found = spark.sparkContext._jsc.sc().statusStore().executorList(False)
    every = [found.apply(index) for index in range(found.size())]
    return [executor for executor in every if executor.id() != "driver"]


def processes() -> dict[int, tuple[int, str]]:
    """The processes of this machine: parent and command line of each. Linux has them as files."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue  # it has ended meanwhile
            found[int(folder.name)] = (parent, command)
    return found


def executor_processes(spark: Any) -> dict[str, int]:
    """The process of each living executor of a cluster on this machine, by the executor's id."""
    application = spark.sparkContext.applicationId
    found = {}
    for pid, (_, command) in processes().items():
        words = command.split(" ")
        if "CoarseGrainedExecutorBackend" in command and application in words and "--executor-id" in words:
            found[words[words.index("--executor-id") + 1]] = pid
    return found


def python_workers(executor: int) -> list[int]:
    """The Python worker processes of an executor: the children of the daemon that it started."""
    every = processes()
    daemons = [pid for pid, (parent, command) in every.items() if parent == executor and "pyspark.daemon" in command]
    return [pid for pid, (parent, _) in every.items() if parent in daemons]


def jvm(spark: Any) -> int:
    """The process of the driver's JVM, which is the executor too where the master is local."""
    return int(spark._jvm.java.lang.ProcessHandle.current().pid())


def memory(pid: int) -> dict[str, float]:
    """Memory of a process in megabytes: now and at most, and of what it has now the part that no other process shares."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    parts = {line.split(":")[0]: int(line.split()[1]) for line in rollup}
    own = parts["Private_Clean"] + parts["Private_Dirty"]
    return {"now": int(status["VmRSS"].split()[0]) / 1024, "most": int(status["VmHWM"].split()[0]) / 1024, "own": own / 1024}


def processor_seconds(pid: int) -> float:
    """The time that a process has had on processors: unlike the clock's, it says something on a machine that others use as well."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Watch(threading.Thread):
    """Looks at the memory of executors and of their Python workers ten times a second, and keeps the most of each process."""

    def __init__(self, executors: dict[str, int]) -> None:
        super().__init__(daemon=True)
        self._executors = executors
        self._done = threading.Event()
        self.jvm: dict[int, dict[str, float]] = {}
        self.workers: dict[int, dict[str, float]] = {}

    def run(self) -> None:
        while not self._done.wait(0.1):
            for executor in self._executors.values():
                self._look(executor, self.jvm)
                for worker in python_workers(executor):
                    self._look(worker, self.workers)

    def _look(self, pid: int, most: dict[int, dict[str, float]]) -> None:
        try:
            found = memory(pid)
        except (OSError, KeyError):
            return  # it has ended meanwhile
        before = most.get(pid, found)
        most[pid] = {name: max(value, before[name]) for name, value in found.items()}

    def stop(self) -> dict[str, Any]:
        """Ends; gives the most megabytes of an executor's JVM and of a Python worker, and the number of workers."""
        self._done.set()
        self.join()

        def most(found: dict[int, dict[str, float]], name: str) -> int:
            return round(max((each[name] for each in found.values()), default=0))

        return {
            "jvm_mb": most(self.jvm, "most"),
            "worker_mb": most(self.workers, "most"),
            "worker_own_mb": most(self.workers, "own"),
            "workers": len(self.workers),
        }
