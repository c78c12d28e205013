"""Asks a function of Python with rows and the version."""

import time

from ...schemas.configuration.golden import PythonCallable
from ..calls.function import FunctionProcess
from .asking import Batch, Replies

#: Of the process, within one attempt: a function that kills it is not asked for ever.
MOST_STARTS = 3


class PythonCaller:
    """Rows and version go in, a list of as many answers comes out."""

    def __init__(self, settings: PythonCallable, within_s: float) -> None:
        self._ends = time.monotonic() + within_s
        self._function = FunctionProcess(settings.function, most_starts=MOST_STARTS)

    def ask(self, batch: Batch, deadline: float) -> Replies:
        """What the function returns; of an attempt that is over, nothing."""
        by = min(deadline, self._ends)
        self._function.start(by)
        answers = self._function.call([[row.features for row in batch.rows], batch.asked.version], len(batch.rows), by)
        return Replies(answers, [None] * len(answers))

    def cut(self) -> None:
        """Kill it, and whatever it has started: whoever waits for its answer is told by the end of the pipe."""
        self._function.cut()

    def close(self) -> None:
        """It is gone, and nothing of it left."""
        self._function.close()
