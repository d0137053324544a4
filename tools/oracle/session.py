"""A local Spark session with Spark NLP's jars, and annotation columns as compact lists."""

import os
import sys
from pathlib import Path

# The jars lie beside the virtual environment that runs this, as setup.sh lays them.
JARS = Path(os.environ.get("ORACLE_JARS", Path(sys.prefix).parent / "jars"))


def session(memory: str = "4g", **settings):
    """The session, with further settings of Spark; everything runs on two cores of this machine and without a network."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    jars = sorted(JARS.glob("*.jar"))
    if not jars:
        raise SystemExit(f"{JARS}: no jars; run tools/oracle/setup.sh, or set ORACLE_JARS")
    # In front of Spark's own jars, because both bring protobuf and TensorFlow needs the newer one.
    path = ":".join(map(str, jars))
    builder = (
        SparkSession.builder.master("local[2]").appName("oracle")
        .config("spark.driver.memory", memory)
        .config("spark.driver.extraClassPath", path)
        .config("spark.driver.maxResultSize", "0")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
        .config("spark.kryoserializer.buffer.max", "1000M")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
    )
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def message(error: Exception) -> str:
    """What an error of the JVM or of Python says to the user: its class, and the first line of its message."""
    java = getattr(error, "java_exception", None)
    if java is not None:
        while java.getCause() is not None:
            java = java.getCause()
        return f"{java.getClass().getName()}: {java.getMessage()}"
    # What PySpark turned into an error of its own.
    cause = getattr(error, "_origin", None) or getattr(error, "cause", None)
    if cause is not None and hasattr(cause, "getClass"):
        return f"{cause.getClass().getName()}: {cause.getMessage()}"
    return f"{type(error).__name__}: {error}"


def rows(text: str, annotations: list) -> list:
    """Annotations as `[begin, end, sentence]`, and `result` behind where it is not that slice of `text`.

    Begin and end count UTF-16 units and are inclusive. Whatever else an annotation holds would be lost here, so it must not be there.
    """
    units = text.encode("utf-16-le", "surrogatepass")
    out = []
    for annotation in annotations:
        if set(annotation.metadata) != {"sentence"} or annotation.embeddings:
            raise SystemExit(f"{annotation}: has more than the sentence")
        row = [annotation.begin, annotation.end, int(annotation.metadata["sentence"])]
        slice_ = units[2 * annotation.begin : 2 * annotation.end + 2]
        if annotation.result.encode("utf-16-le", "surrogatepass") != slice_:
            row.append(annotation.result)
        out.append(row)
    return out
