"""A Spark session, and the version of this package, as ``sparknlp`` has them."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any, Mapping, Optional

from albertine import _albertine
from albertine.errors import ParamError

__all__ = ["start", "version"]


def start(
    gpu: bool = False,
    apple_silicon: bool = False,
    aarch64: bool = False,
    memory: str = "16G",
    cache_folder: str = "",
    log_folder: str = "",
    cluster_tmp_dir: str = "",
    params: Optional[Mapping[str, str]] = None,
    real_time_output: bool = False,
    output_level: int = 1,
    skip_sparknlp_maven: bool = False,
) -> Any:
    """A Spark session on this machine with all its cores, with ``sparknlp.start``'s arguments.

    Nothing here needs more than a plain session, so that any other ``SparkSession`` will do as well; pandas, polars and
    pyarrow need none at all.

    Args:
        gpu: accepted, as are ``apple_silicon`` and ``aarch64``, of which one at most: there is one package for all of
            them.
        memory: the most memory that the driver's JVM takes.
        cache_folder: where models are kept, as the environment variable ``ALBERTINE_CACHE``.
        log_folder: accepted, as are ``cluster_tmp_dir``, ``real_time_output``, ``output_level`` and
            ``skip_sparknlp_maven``: no logs are written, and no jar is needed.
        params: further settings of Spark, by name.

    Returns:
        The ``pyspark.sql.SparkSession``: the one that there is, with a warning that it keeps its settings, or a new
        one.

    Raises:
        albertine.ParamError: more than one kind of hardware.
        ImportError: PySpark is not installed.
    """
    if sum((gpu, apple_silicon, aarch64)) > 1:
        raise ParamError("at most one of gpu, apple_silicon and aarch64 can be true")
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ImportError(
            "start() makes a Spark session, and PySpark is not installed: pip install 'albertine[spark]'. "
            "Frames of pandas, polars and pyarrow need no session and no start()"
        ) from error
    if cache_folder:
        os.environ["ALBERTINE_CACHE"] = cache_folder
    if SparkSession.getActiveSession() is not None:
        warnings.warn("a Spark session already exists, so some settings may have no effect", stacklevel=2)
    # workers are to run the Python that has this package
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {"spark.driver.memory": memory, "spark.driver.maxResultSize": "0", **(params or {})}
    builder = SparkSession.builder.appName("Albertine").master("local[*]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def version() -> str:
    """The version of this package.

    >>> import albertine
    >>> albertine.version() == albertine.__version__
    True
    """
    return _albertine.VERSION
