"""What models have used of their budgets of false alarms."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...schemas.configuration import ROW_MS, Configuration
from ..reference.announce import Announcements
from ..replay.picture import moment
from .episodes import ToldEpisode

#: A time that no announced reference lies behind.
_IN_THE_END = 2**62
#: Opens episodes by a fixed rule, which no budget covers.
_UNBUDGETED = "silence"


@dataclass(frozen=True)
class ModelStanding:
    """A monitored model version."""

    model: str
    version: str
    open: tuple[str, ...]  #: ids of its open episodes
    budget: str  #: as configured
    opened: int | None  #: episodes that opened within the budget's last period; None: a budget in rows of a stream with times


def models(configuration: Configuration, announced: Announcements, told: Sequence[ToldEpisode], now_ms: int) -> list[ModelStanding]:
    """Every model version with a reference, or with an open episode. Whether an episode was a false alarm only people know: all count."""
    holding = {(one.model, one.version) for one in announced.all() if _holds(announced, one.model, one.version)}
    speaking = {(one.last.model, one.last.version) for one in told if one.is_open}
    return [_of(configuration, name, version, told, now_ms) for name, version in sorted(holding | speaking)]


def _holds(announced: Announcements, model: str, version: str) -> bool:
    latest = announced.holding(model, version, _IN_THE_END)
    return latest is not None and latest.reference is not None


def _of(configuration: Configuration, model: str, version: str, told: Iterable[ToldEpisode], now_ms: int) -> ModelStanding:
    stream = configuration.streams[configuration.stream_of(model)]
    budget = configuration.model(model).false_alarms
    own = [one for one in told if (one.last.model, one.last.version) == (model, version)]
    in_rows = stream.pane.unit == "rows"
    period = budget.per * (ROW_MS if budget.of == "rows" else 1) if (budget.of == "rows") == in_rows else None
    times = [round(moment(one.first.bucket[1]).timestamp() * 1000) for one in own if one.first.detector != _UNBUDGETED]
    now = now_ms if stream.clock == "live" else max(times, default=0)
    return ModelStanding(
        model=model,
        version=version,
        open=tuple(one.id for one in own if one.is_open),
        budget=str(budget),
        opened=None if period is None else sum(now - period < time for time in times),
    )
