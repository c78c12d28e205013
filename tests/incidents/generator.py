"""An incident's specification to what its streams carry: faults are injected where they happen, so that evidence is made, never scripted.

World -> source of a feature -> online serving -> model. All chance is seeded by the incident's name, in the order in which the public suite
draws it.
"""

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from .faults import at_source, in_serving, weights, world
from .models import Deployed, deployed
from .rows import WINDOWS, Column, Incident, Rows
from .truth import truth_of

Floats = NDArray[np.float64]
Spec = dict[str, Any]  # as the suite's files have it

#: Rows a window; shares of rows that are null, paired, differ by the noise of the join; minutes; windows between evaluations.
_ROWS, _NULL, _PAIRED, _NOISE, _AGE, _EVALUATED = 500, 0.03, 0.3, (0.003, 0.015), (5.0, 60.0), 4
#: Windows after which labels come, if nothing is said.
LATE = 2
#: Windows of a cycle of the traffic's mix, and how far it swings.
_CYCLE, _SEASON = 12, 0.15


def generated(spec: Spec) -> Incident:
    """All that happens; on one thread, for on several the small predictions take ten times as long."""
    with threadpool_limits(1):
        return _Generator(spec).incident()


class _Generator:
    def __init__(self, spec: Spec) -> None:
        self.spec, self.faults = spec, spec["faults"]
        self.draw = draw = np.random.default_rng(zlib.crc32(spec["id"].encode()) + spec["seed"])
        self.deployed: Deployed = deployed(spec["dataset"], spec["model_seed"])
        self.table = self.deployed.table
        self.names = [*self.table.numeric, *self.table.categorical]
        chosen = draw.choice(self.names, 2, replace=False)
        self.null = {str(name): draw.uniform(0, _NULL) for name in chosen}
        noise = spec.get("pair_noise", 1.0)
        self.noise = {name: noise * draw.uniform(*_NOISE) for name in self.names}
        self.age = {source: draw.uniform(*_AGE) for source in sorted(set(self.table.sources.values()))}
        seed = spec["seed"] + 7
        self.broken = {
            number: self.deployed.broken(fault["kind"], seed) for number, fault in enumerate(self.faults) if fault["layer"] == "model"
        }
        released = [fault["onset"] for fault in self.faults if fault.get("deploy")]
        self.released = [*released, *spec.get("deploys", [])]
        self.losses: dict[int, float] = {}
        self.end = WINDOWS + spec.get("further", 0)  #: windows for which the world goes on, until late labels have come

    def incident(self) -> Incident:
        """Window after window, then the scores of all that one model answered."""
        windows = [self._window(number) for number in range(-WINDOWS, self.end)]
        return Incident(
            self.spec, self.deployed.reference, windows, self._evaluated(), [-WINDOWS, *self.released], truth_of(self.spec, self.deployed)
        )

    def _strength(self, fault: Spec, number: int) -> float:
        """0 before it and after it, 1 in full."""
        begun, ramp = fault["onset"], fault.get("ramp", 0)
        if number < max(begun, 0) or number >= fault.get("until", self.end):
            return 0.0
        return 1.0 if not ramp else min(1.0, (number - begun + 1) / ramp)

    def _model(self, number: int) -> Callable[[dict[str, Column]], Floats]:
        live: Callable[[dict[str, Column]], Floats] = self.deployed.model
        for place, fault in enumerate(self.faults):
            if fault["layer"] == "model" and number >= fault["onset"]:
                live = self.broken[place]
        return live

    def _evaluated(self) -> list[tuple[int, float]]:
        if self.spec.get("no_golden"):
            return []
        golden, truth = self.deployed.columns(self.deployed.golden), self.table.outcomes[self.deployed.golden]
        losses: dict[int, float] = {}
        found = []
        for number in range(-WINDOWS, self.end):
            if (number + WINDOWS) % _EVALUATED and number not in self.released:
                continue
            live = self._model(number)
            if id(live) not in losses:
                losses[id(live)] = float(((truth - live(golden)) ** 2).mean())
            found.append((number, losses[id(live)]))
        return found

    def _window(self, number: int) -> Rows:
        draw, spec, pool = self.draw, self.spec, self.deployed.pool
        strengths = [(fault, self._strength(fault, number)) for fault in self.faults]
        active = [(fault, strength) for fault, strength in strengths if strength > 0]
        swing = 2 * spec.get("season", _SEASON) * np.sin(2 * np.pi * number / _CYCLE)
        mix = np.where(self.table.segment[pool] == 1, 1 + swing, 1 - swing).clip(0.05) * weights(self.deployed, active)
        volume = spec.get("volume", 1.0) if number >= 0 else 1.0
        n = int(max(60, spec.get("rows", _ROWS) * volume * draw.uniform(0.85, 1.15)))
        rows = draw.choice(pool, n, p=mix / mix.sum())
        novel = next((fault["share"] * strength for fault, strength in reversed(active) if fault["kind"] == "novel"), 0.0)
        if novel:
            new = draw.random(n) < novel
            rows[new] = draw.choice(np.flatnonzero(self.table.novel), new.sum())
        served = {name: column.copy() for name, column in self.deployed.columns(rows).items()}
        outcomes = world(self.deployed, active, served, self.table.outcomes[rows].copy(), draw)
        at_source(self.deployed, active, served, draw)
        return self._served(number, strengths, served, outcomes)

    def _served(self, number: int, strengths: list[tuple[Spec, float]], served: dict[str, Column], outcomes: Floats) -> Rows:
        """What serving makes of true values, and what comes of it."""
        draw, n, spec = self.draw, len(outcomes), self.spec
        ages = {name: draw.gamma(4, self.age[self.table.sources[name]] / 4, n) for name in self.names}
        truth = {name: column.copy() for name, column in served.items()}
        for name, share in self.null.items():
            gone = draw.random(n) < share
            _absent(served[name], gone)
            _absent(truth[name], gone)  # what is null where all is well is null offline, too
        for name in self.names:
            there = _there(served[name])
            wrong = (draw.random(n) < self.noise[name]) & there  # another row's value: the join is a moment off
            if wrong.any():
                served[name][wrong] = draw.choice(served[name][there], int(wrong.sum()))
        invalid = in_serving(
            self.deployed, [(fault, strength) for fault, strength in strengths if strength > 0], served, ages, number, draw
        )
        scores = self._model(number)(served)
        sampled = offline = None
        if not (number >= 0 and spec.get("no_pairs")):
            sampled = np.flatnonzero(draw.random(n) < _PAIRED)
            offline = {name: truth[name][sampled] for name in self.names}
        labelled = not ((number >= 0 and spec.get("no_labels")) or number >= self.end - spec.get("label_delay", LATE))
        return Rows(
            number,
            {name: served[name] for name in self.names},
            scores,
            invalid,
            outcomes if labelled else None,
            None if spec.get("no_age") else ages,
            sampled,
            offline,
        )


def _there(column: Column) -> NDArray[np.bool_]:
    if column.dtype == object:
        return np.array([value is not None for value in column], dtype=np.bool_)
    return np.isfinite(np.asarray(column, dtype=np.float64))


def _absent(column: Column, rows: NDArray[np.bool_]) -> None:
    column[rows] = None if column.dtype == object else np.nan
