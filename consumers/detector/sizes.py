"""Whether a pane can be summed with others of its reference: all have the sizes of its layout."""

from collections.abc import Callable

from ...detectors.counting.layout import Layout
from ...schemas.messages.pane import Pane
from ..bus.own import Unreadable

#: References whose sizes are remembered.
_MOST = 4_096


class Sizes:
    """Of panes, by reference: how many counts, and how many sums. One that is not monitored has none."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int]] = {}

    def of(self, reference: str, layout: Callable[[], Layout]) -> tuple[int, int]:
        """How many counts and sums make a pane of that reference; its layout is asked for once."""
        if not reference:
            return 0, 0
        if reference not in self._known:
            if len(self._known) >= _MOST:
                self._known.clear()
            plan = layout()
            self._known[reference] = plan.size, plan.wide
        return self._known[reference]

    def check(self, pane: Pane, layout: Callable[[], Layout]) -> None:
        """Raise `Unreadable` for a pane that does not fit, or a part of one."""
        size = pane.counts_at + len(pane.counts), pane.sums_at + len(pane.sums)
        expected = self.of(pane.reference or "", layout)
        if size != expected if pane.parts == 1 else size[0] > expected[0] or size[1] > expected[1]:
            msg = f"a pane of {size[0]} counts and {size[1]} sums, where its reference makes {expected[0]} and {expected[1]}"
            raise Unreadable(msg)
