"""One model version whose outcomes are watched, whoever tells them: it gathers a baseline in production, and is tested against it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...detectors.concept import Arrivals, Gathering, OutcomeSettings, OutcomeSuite
from ...detectors.concept.gathering import WANTED
from ...detectors.episodes.step import State, adapted, close, fits, start
from ...detectors.outcomes.values import UNIT
from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent
from ...schemas.stored.baseline import OutcomeBaseline
from ...schemas.stored.outcomes import OutcomeBasis
from .settings import configuration_hash

#: Its model, and its name.
Version = tuple[str, str]
#: Compiles the tests against a baseline.
Compile = Callable[[OutcomeBaseline], OutcomeSuite]
#: Milliseconds behind the last outcome of a version in which its state ends: it would stay for ever.
FORGOTTEN_AFTER = 90 * 86_400_000
#: No loss in fixed point, nor the sum of any two, is larger.
_MOST_LOSS = 2.0**31


@dataclass
class Watched:
    """It gathers its baseline, or it is watched, or both."""

    reference: str
    latest: int  #: the end of the last step with any outcome
    gathering: Gathering | None
    suite: OutcomeSuite | None = None
    state: State | None = None
    changed: bool = False  #: the state was made by other settings
    former: OutcomeSuite | None = None  #: by these; None: they are not known

    @property
    def tests(self) -> OutcomeSuite | None:
        """By which it is stepped; None: what was published of these steps was decided by settings that are not known."""
        return self.former if self.changed else self.suite

    @property
    def drifts(self) -> bool:
        """Whether an episode is open."""
        return self.state is not None and bool(self.state.episodes)

    def gathers(self, arrivals: Arrivals, compiled: Compile) -> bool:
        """Whether the step is part of a baseline before or behind which nothing is watched. What comes in an episode is part of none."""
        gathering = self.gathering
        if gathering is None or self.drifts:
            return False
        gathering.add(arrivals)
        if gathering.complete or (self.state is None and gathering.enough):
            self.suite = compiled(gathering.baseline())
            self.state, self.changed, self.former = start(self.suite, arrivals.end), False, None
            self.gathering = None if gathering.complete else gathering
            return True
        return self.state is None

    def restore(self, baseline: bytes | None, state: bytes | None, compiled: Compile) -> None:
        """From a snapshot. Where the settings are others, it is folded by those that it was made by, until `adapted`."""
        if baseline is None or state is None:
            return
        self.suite, self.state = compiled(OutcomeBaseline.decoded(baseline)), State.decoded(state)
        if not fits(self.suite, self.state):
            former = self.suite.under(self.state.settings)
            self.former = former if former is not None and fits(former, self.state) else None
            self.changed = True

    def adapted(self) -> list[DriftEvent]:
        """Go on by the settings that there are now; what that changes."""
        if not self.changed or self.suite is None or self.state is None:
            return []
        events: list[DriftEvent] = []
        if self.state.windows.runs:
            self.state, events = adapted(self.suite, self.state, self.former)
        else:
            self.state = start(self.suite, self.latest)
        self.former, self.changed = None, False
        return events

    def closed(self, bucket: tuple[int, int], reason: str) -> list[DriftEvent]:
        """Whatever is open ends with what it was seen in."""
        return [] if self.suite is None or self.state is None else close(self.suite, self.state, bucket, reason)

    def encoded(self) -> tuple[bytes | None, bytes | None, bytes | None]:
        """What is gathered, the baseline, and the state."""
        return (
            None if self.gathering is None else self.gathering.encoded(),
            None if self.suite is None else self.suite.baseline.encoded(),
            None if self.state is None else self.state.encoded(),
        )


def gathering_of(version: Version, basis: OutcomeBasis, cells: int, *, begin: int | None = None, wanted: int = WANTED) -> Gathering:
    """A baseline that begins: by this basis, of so many cells. ``begin``, ``wanted``: its `Gathering.since`, and labels."""
    if basis.task != "number":
        return Gathering(*version, cells, since=begin, wanted=wanted)
    unit = basis.scale / UNIT
    usable = unit > 0 and unit * _MOST_LOSS < np.inf
    return Gathering(*version, cells, edges=basis.losses, unit=unit if usable else 1.0, since=begin, wanted=wanted)


def suite_of(configuration: Configuration, baseline: OutcomeBaseline, reference: str, *, reviewed: bool = False) -> OutcomeSuite:
    """All that is tested of a version's outcomes against its baseline; ``reviewed``: of those that people know, else labels."""
    model, allowed = configuration.model(baseline.model), configuration.model(baseline.model).false_alarms
    seconds = allowed.per / 1000 if allowed.of == "time" else allowed.per / (baseline.rate or 1.0)
    own = {"by": "reviews"} if reviewed else {} if model.review is None else {"reviewed": True}
    settings = OutcomeSettings.model_validate(
        {
            "budget_seconds": seconds,
            "false_alarms": str(allowed),
            "elsewhere": sum(len(feature.detectors) for feature in model.features.values()),
            **own,
        }
    )
    return OutcomeSuite(
        baseline,
        settings,
        application=configuration.application,
        stream=configuration.stream_of(baseline.model),
        configuration_hash=configuration_hash(configuration),
        reference_hash=reference,
    )
