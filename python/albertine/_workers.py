"""The Python that runs Spark's tasks: which one it is, and what it says if it lacks this package."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, Callable, Iterator

__all__ = ["Shipped", "python_of_tasks"]

#: How users name the Python of the tasks: a variable of the driver's environment, which PySpark reads, and a setting of
#: the session, which it leaves to ``spark-submit``.
_VARIABLE = "PYSPARK_PYTHON"
_SETTING = "spark.pyspark.python"


@contextlib.contextmanager
def python_of_tasks(session: Any) -> Iterator[None]:
    """Functions that are handed to Spark inside run in the Python that the user named; if none was, and the tasks run
    on this machine, in that of the driver. PySpark would take the ``python3`` of the path, which is another one unless
    the driver's environment is activated: in notebooks and IDEs it seldom is."""
    context = None if session is None or not hasattr(session, "_jsc") else session.sparkContext
    python = (
        None
        if context is None or os.environ.get(_VARIABLE)
        else session.conf.get(_SETTING, None) or _of_driver(context)
    )
    if python is None or context is None:
        yield
        return
    usual, context.pythonExec = context.pythonExec, python
    try:
        yield
    finally:
        context.pythonExec = usual


def _of_driver(context: Any) -> str | None:
    """The Python of the driver, if the tasks are on its machine. In a program that embeds Python it is that program,
    which is none."""
    is_python = os.path.basename(sys.executable or "").lower().startswith(("python", "pypy"))
    return sys.executable if is_python and context.master.startswith("local") else None


class Shipped:
    """A function for Python workers. It arrives in those without this package too, which say what to do then."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self.__name__ = getattr(function, "__name__", type(function).__name__)

    def __call__(self, argument: Any) -> Any:
        return self._function(argument)

    def __reduce__(self) -> tuple[Any, ...]:
        from pyspark import cloudpickle

        # a function within a function is pickled as it is, and not by its name; it must not need anything of this
        # module
        def unpickled(content: bytes) -> Any:
            import pickle
            import platform
            import sys

            try:
                return pickle.loads(content)
            except ModuleNotFoundError as error:
                if error.name != "albertine":
                    raise
                raise ModuleNotFoundError(
                    f"albertine is not installed for the Python of Spark's tasks, {sys.executable} on "
                    f"{platform.node()}: set PYSPARK_PYTHON "
                    "or spark.pyspark.python to one that has it before the session starts; albertine.start() does so "
                    "for a session on "
                    "one machine",
                    name="albertine",
                ) from None

        # at this moment, in which Spark counts the broadcasts that are inside
        pickler: Any = cloudpickle
        return unpickled, (pickler.dumps(self._function),)
