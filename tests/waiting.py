"""How tests wait for what another thread or process does."""

import time
from collections.abc import Callable


def until(look: Callable[[], bool], within_s: float = 30.0) -> None:
    """Look again and again until something holds; of what does not come, the test is told."""
    ends = time.monotonic() + within_s
    while not look():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.02)
