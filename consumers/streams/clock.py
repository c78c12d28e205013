"""The only lawful clock of a fold: the append time of the topic that it folds."""

from dataclasses import dataclass

#: It advances by so much per record at the most, so that an outage of all writers makes nothing overdue.
STRIDE = 20_000


@dataclass
class AppendClock:
    """Milliseconds since a fold began, told by its records' append times: a function of the log, which never goes back."""

    now: int = 0
    appended: int | None = None

    def tick(self, appended: int) -> int:
        """The time at a record.

        >>> clock = AppendClock()
        >>> clock.tick(1_000), clock.tick(3_000), clock.tick(2_000), clock.tick(4_000_000)
        (0, 2000, 2000, 22000)
        """
        if self.appended is not None:
            self.now += min(max(0, appended - self.appended), STRIDE)
        self.appended = appended if self.appended is None else max(self.appended, appended)
        return self.now
