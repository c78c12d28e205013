"""A baseline of outcomes as it comes: a fold over the first labels of a model version in production, in the order of their steps."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.integers import packed, unpacked
from ...schemas.stored.baseline import OutcomeBaseline
from ..named.units import rows_of
from ..outcomes.grid import ENDS, GRID, MIDDLES
from ..profiling.dependence import Dependence
from .arrivals import Arrivals
from .steps import StepSums

Counts = NDArray[np.int64]

#: Labels that a baseline is made of.
WANTED = 5_000
#: It grows to so many times as many: in 5,000 labels of one baseline in 60 rates that move by .04 over 1,000 leave no trace. Where they
#: hang together, or hardly any are wrong (or right), it grows to twice as many again, and so on, until they count as so large a part of
#: those wanted, were these independent, and so many are wrong; but to no more than so many times as many.
GROWN, INDEPENDENT, RARER, LONGEST = 2, 0.9, 30, 8
#: What is counted begins when the version is so many times as old as the delay that 99 % of the labels have come within. So far only labels
#: came that are no later than it is old: at once their largest delay would seem to have passed.
SETTLED, QUANTILE, FEWEST_DELAYS = 2, 0.99, 100
#: A step is told to the measure of dependence by no more labels than these.
_MOST_OF_STEP = 1 << 15
#: What a label is: right or wrong; of a loss its bin, which is its logarithm, and itself, in which a few large ones count.
_ERROR = np.array([[0.0], [1.0]])
_LOSS = np.stack((np.arange(GRID, dtype=np.float64), MIDDLES / 2.0**20), axis=1)


@dataclass
class Gathering:
    """What is remembered of a version whose baseline is not complete. It grows no further than a few pages, however many labels come.

    Within a step nobody knows the order of labels: for the measure of dependence they are taken in one that is drawn, by convention. That
    labels of one step hang together is seen in the steps' sums.
    """

    model: str
    version: str
    cells: int
    numeric: bool = False  #: losses are counted, too
    since: int | None = None  #: labels of steps that start before are not counted; None: as the delays say
    wanted: int = WANTED
    times: int = GROWN  #: it grows to so many times as many
    seen: int | None = None  #: when the first step of all began
    first: int | None = None  #: when the first step that is counted began, and the last one ended
    last: int = 0
    rows: Counts = field(init=False)
    errors: Counts = field(init=False)
    losses: Counts = field(init=False)
    delays: Counts = field(init=False)
    dependence: Dependence = field(init=False)
    steps: StepSums = field(default_factory=StepSums)

    def __post_init__(self) -> None:
        self.rows, self.errors = np.zeros((2, self.cells), dtype=np.int64)
        self.losses = np.zeros(GRID if self.numeric else 0, dtype=np.int64)
        self.delays = np.zeros(GRID, dtype=np.int64)
        self.dependence = Dependence(_LOSS if self.numeric else _ERROR)

    @property
    def enough(self) -> bool:
        """Whether there are labels enough to watch what comes behind."""
        return int(self.rows.sum()) >= self.wanted

    @property
    def complete(self) -> bool:
        """Whether they tell how often errors come, as far as they ever will; further ones change nothing."""
        return int(self.rows.sum()) >= self.wanted * self.times

    @property
    def delay(self) -> int | None:
        """Ms within which 99 % of the labels came so far; None: nobody told delays."""
        behind = np.cumsum(self.delays)
        return int(ENDS[np.searchsorted(behind, QUANTILE * behind[-1])]) if behind[-1] else None

    def add(self, step: Arrivals) -> None:
        """The next step."""
        if self.complete:
            return
        self.seen = step.start if self.seen is None else self.seen
        if len(step.delays):
            self.delays = self.delays + step.delays
        if int(step.rows.sum()) == 0 or not self._settled(step.start):
            return
        self.first, self.last = step.start if self.first is None else self.first, step.end
        self.rows, self.errors = self.rows + step.rows, self.errors + step.errors
        if self.numeric:
            self.losses = self.losses + step.losses
        counts = step.losses if self.numeric else np.array([(step.rows - step.errors).sum(), step.errors.sum()])
        places = np.arange(len(counts), dtype=np.int64)
        self.steps.add(int(counts.sum()), sum(count * place for place, count in enumerate(counts.tolist())))
        drawn = rows_of(counts, places.astype(np.float64), int(self.rows.sum()), _MOST_OF_STEP)
        self.dependence.add(drawn.astype(np.int64))
        while self.complete and self.times < LONGEST and not self._known():
            self.times *= 2

    def _counts(self) -> Counts:
        return self.losses if self.numeric else np.array([(self.rows - self.errors).sum(), self.errors.sum()])

    def _known(self) -> bool:
        """Whether the labels tell how often errors come."""
        counts = self._counts()
        return int(counts.sum()) >= INDEPENDENT * self.wanted * self.tau() and (self.numeric or int(counts.min()) >= RARER)

    def tau(self) -> float:
        """How many labels count as one independent label, at most."""
        counts = self._counts()
        places, n = np.arange(len(counts)), max(int(counts.sum()), 1)
        mean = float((places * (counts / n)).sum())
        of_steps = self.steps.tau(float(((places - mean) ** 2 * (counts / n)).sum()))
        return max(of_steps, float(self.dependence.tau().max()))

    def _settled(self, time: int) -> bool:
        if self.since is not None:
            return time >= self.since
        delay = self.delay
        if delay is None or self.first is not None or self.seen is None:
            return True
        return int(self.delays.sum()) >= FEWEST_DELAYS and time - self.seen >= SETTLED * delay

    def baseline(self) -> OutcomeBaseline:
        """What has been counted, complete or not."""
        return OutcomeBaseline(
            model=self.model,
            version=self.version,
            first=self.first or 0,
            last=self.last,
            rows=tuple(self.rows.tolist()),
            errors=tuple(self.errors.tolist()),
            losses=tuple(self.losses.tolist()),
            tau=round(1000 * self.tau()),
            delay=self.delay,
        )

    def encoded(self) -> bytes:
        """Plain numbers and texts, as msgpack; restoring them continues exactly."""
        plain = {
            "names": [self.model, self.version],
            "form": [self.cells, self.numeric, self.since, self.wanted, self.times],
            "times": [self.seen, self.first, self.last],
            "counts": [packed(each) for each in (self.rows, self.errors, self.losses, self.delays)],
            "dependence": self.dependence.encoded(),
            "steps": self.steps.encoded(),
        }
        return msgspec.msgpack.encode(plain)

    @classmethod
    def decoded(cls, content: bytes) -> "Gathering":
        """What `encoded` wrote."""
        plain: dict[str, Any] = msgspec.msgpack.decode(content)  # plain numbers of differing types, written by `encoded`
        self = cls(*plain["names"], *plain["form"])
        self.seen, self.first, self.last = plain["times"]
        self.rows, self.errors, self.losses, self.delays = map(unpacked, plain["counts"])
        self.dependence = Dependence.decoded(_LOSS if self.numeric else _ERROR, plain["dependence"])
        self.steps = StepSums.decoded(plain["steps"])
        return self
