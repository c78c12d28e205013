"""A baseline of outcomes as it comes: a fold over the first labels of a model version in production, in the order of their steps."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.integers import packed, unpacked
from ...schemas.stored.baseline import OutcomeBaseline
from ..named.units import rows_of
from ..outcomes.delays import DELAY_BINS, bins_of, covering, quantile
from ..profiling.dependence import Dependence
from .arrivals import Arrivals, errors_of
from .losses import large_from, middles
from .steps import StepSums

Counts = NDArray[np.int64]

#: Labels that a baseline is made of.
WANTED = 5_000
#: It grows to so many times as many: in 5,000 labels of one baseline in 60 rates that move by .04 over 1,000 leave no trace. Where they
#: hang together, or hardly any are wrong (or right), it grows to twice as many again, and so on, until they count as so large a part of
#: those wanted, were these independent, and so many are wrong; but to no more than so many times as many.
GROWN, INDEPENDENT, RARER, LONGEST = 2, 0.9, 30, 8
#: What is counted begins anew as long as more than 1 % of it took longer than half the version was old when it came: labels that take long
#: are still missing then, and those that come are no fair sample. So it begins when the version is some two times as old as the delay
#: within which 99 % of labels come, as far as anybody can know who has seen none that took longer than the version is old.
QUANTILE, OLDER = 0.99, 2
#: It is asked of no fewer labels.
FEWEST = 500
#: A step is told to the measure of dependence by no more labels than these.
_MOST_OF_STEP = 1 << 15
#: What a label is: right or wrong.
_ERROR = np.array([[0.0], [1.0]])


@dataclass
class Gathering:
    """What is remembered of a version whose baseline is not complete. It grows no further than a few pages, however many labels come.

    Within a step nobody knows the order of labels: for the measure of dependence they are taken in one that is drawn, by convention. That
    labels of one step hang together is seen in the steps' sums.
    """

    model: str
    version: str
    cells: int
    edges: tuple[int, ...] | None = None  #: of a model of numbers: between the bins of its losses, in fixed point
    unit: float = 1.0  #: of fixed point, in that of the outcome
    since: int | None = None  #: labels of steps that start before are not counted; None: as the delays say
    wanted: int = WANTED
    times: int = GROWN  #: it grows to so many times as many
    born: int | None = None  #: when the first prediction was made of which a label is known, as far as delays tell
    first: int | None = None  #: when the first step that is counted began, and the last one ended
    last: int = 0
    late: int = 0  #: labels that took longer than half the version was old
    rows: Counts = field(init=False)
    errors: Counts = field(init=False)
    losses: Counts = field(init=False)
    absolute: int = 0
    delays: Counts = field(init=False)
    dependence: Dependence = field(init=False)
    steps: StepSums = field(init=False)

    def __post_init__(self) -> None:
        times = self.times
        self._begin()
        self.times = times

    def _begin(self) -> None:
        """Nothing is counted."""
        self.rows, self.errors = np.zeros((2, self.cells), dtype=np.int64)
        self.losses = np.zeros((self.cells, 0 if self.edges is None else len(self.edges) + 1), dtype=np.int64)
        self.delays = np.zeros(DELAY_BINS, dtype=np.int64)
        self.first, self.last, self.late, self.absolute, self.times = None, 0, 0, 0, GROWN
        self.dependence, self.steps = Dependence(self._units), StepSums()

    @property
    def _units(self) -> NDArray[np.float64]:
        """What a label is to the measure of dependence; of a loss its bin, which is its logarithm, and itself, in which a few count."""
        if self.edges is None:
            return _ERROR
        return np.stack((np.arange(len(self.edges) + 1, dtype=np.float64), middles(self.edges) / 2.0**20), axis=1)

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
        """Ms within which 99 % of the labels came; None: nobody told delays."""
        return covering(self.delays, QUANTILE)

    def add(self, step: Arrivals) -> None:
        """The next step."""
        if self.complete or int(step.rows.sum()) == 0 or (self.since is not None and step.start < self.since):
            return
        self.first, self.last = step.start if self.first is None else self.first, step.end
        self.rows, self.errors = self.rows + step.rows, self.errors + step.errors
        if self.edges is not None:
            self.losses, self.absolute = self.losses + step.losses, self.absolute + step.absolute
        counts = self._by_kind(step.rows, step.errors, step.losses)
        places = np.arange(len(counts), dtype=np.int64)
        self.steps.add(int(counts.sum()), sum(count * place for place, count in enumerate(counts.tolist())))
        drawn = rows_of(counts, places.astype(np.float64), int(self.rows.sum()), _MOST_OF_STEP)
        self.dependence.add(drawn.astype(np.int64))
        while self.complete and self.times < LONGEST and not self._known():
            self.times *= 2
        if len(step.delays):
            self._age(step)

    def _known(self) -> bool:
        """Whether the labels tell how often errors come."""
        counts = self._by_kind(self.rows, self.errors, self.losses)
        known = int(counts.sum()) >= INDEPENDENT * self.wanted * self.tau()
        return known and (self.edges is not None or int(counts.min()) >= RARER)

    def tau(self) -> float:
        """How many labels count as one independent label, at most."""
        counts = self._by_kind(self.rows, self.errors, self.losses)
        places, n = np.arange(len(counts)), max(int(counts.sum()), 1)
        mean = float((places * (counts / n)).sum())
        of_steps = self.steps.tau(float(((places - mean) ** 2 * (counts / n)).sum()))
        return max(of_steps, float(self.dependence.tau().max()))

    def _by_kind(self, rows: Counts, errors: Counts, losses: Counts) -> Counts:
        """Rows by the bin of the loss; else the right ones, and the wrong ones."""
        return np.array([(rows - errors).sum(), errors.sum()]) if self.edges is None else losses.sum(axis=0)

    def _age(self, step: Arrivals) -> None:
        """Begin anew where the labels that come are still no fair sample."""
        made = step.start - (quantile(step.delays, 1.0) or 0)
        self.born = made if self.born is None else min(self.born, made)
        self.delays = self.delays + step.delays
        half = int(bins_of(np.array([(step.end - self.born) // OLDER]))[0])
        self.late += int(step.delays[half + 1 :].sum())
        counted = int(self.delays.sum())
        if self.since is None and counted >= min(FEWEST, self.wanted) and self.late > (1 - QUANTILE) * counted:
            self._begin()

    def baseline(self) -> OutcomeBaseline:
        """What has been counted, complete or not."""
        counts = self._by_kind(self.rows, self.errors, self.losses)
        large = None if self.edges is None else large_from(self.losses).tolist()
        return OutcomeBaseline(
            model=self.model,
            version=self.version,
            first=self.first or 0,
            last=self.last,
            rows=tuple(self.rows.tolist()),
            errors=tuple((self.errors if large is None else errors_of(self.losses, large)).tolist()),
            losses=() if large is None else tuple(counts.tolist()),
            edges=self.edges or (),
            large=tuple(large or ()),
            absolute=self.absolute,
            unit=self.unit,
            tau=round(1000 * self.tau()),
            delay=self.delay,
        )

    def encoded(self) -> bytes:
        """Plain numbers and texts, as msgpack; restoring them continues exactly."""
        plain = {
            "names": [self.model, self.version],
            "form": [self.cells, self.edges, self.unit, self.since, self.wanted, self.times],
            "times": [self.born, self.first, self.last, self.late],
            "absolute": str(self.absolute),  # it may leave 64 bits
            "counts": [packed(each) for each in (self.rows, self.errors, self.losses.ravel(), self.delays)],
            "dependence": self.dependence.encoded(),
            "steps": self.steps.encoded(),
        }
        return msgspec.msgpack.encode(plain)

    @classmethod
    def decoded(cls, content: bytes) -> "Gathering":
        """What `encoded` wrote."""
        plain: dict[str, Any] = msgspec.msgpack.decode(content)  # plain numbers of differing types, written by `encoded`
        model, version = plain["names"]
        cells, edges, unit, since, wanted, times = plain["form"]
        self = cls(model, version, cells, None if edges is None else tuple(edges), unit, since, wanted, times)
        self.born, self.first, self.last, self.late = plain["times"]
        self.absolute = int(plain["absolute"])
        self.rows, self.errors, losses, self.delays = map(unpacked, plain["counts"])
        self.losses = losses.reshape(self.losses.shape)
        self.dependence = Dependence.decoded(self._units, plain["dependence"])
        self.steps = StepSums.decoded(plain["steps"])
        return self
