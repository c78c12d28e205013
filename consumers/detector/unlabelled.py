"""Episodes of outcomes whose labels a model no longer has: resolved, as `reconfigured`, when a detector goes on without them.

*Trap.* That of `gone`: where arrivals lie behind the last snapshot of their former detector, what it published of them is not known without
the labels' settings, and the model's episodes are left as they are.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ...detectors.concept import OutcomeSuite
from ...detectors.episodes.step import State
from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent
from ...schemas.stored.baseline import OutcomeBaseline
from .concept import labelled
from .gone import Gone
from .watched import suite_of

#: Labels, model, version.
_Key = tuple[str, str, str]


class Unlabelled:
    """States of versions whose labels are gone."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._gone = Gone[_Key]()
        self._baselines: dict[_Key, tuple[bytes, str]] = {}

    def keep(self, labels: str, plain: Iterable[list[Any]]) -> None:  # as `Concept.plain` wrote it
        """Take note of those among restored states that are."""
        for model, version, reference, _, _, _, baseline, state, *_ in plain:
            if state is not None and not labelled(self._configuration, labels, model):
                key = labels, model, version
                stream = self._configuration.streams[self._configuration.stream_of(model)]
                self._gone.keep(key, State.decoded(state), str(stream.pane))
                self._baselines[key] = baseline, reference

    def forget(self, labels: str, model: str) -> None:
        """Arrivals of it lie behind the snapshot: what they led to, nobody knows."""
        states = self._gone.left.get(labels, {})
        for key in [key for key in states if key[1] == model]:
            del states[key]

    @property
    def left(self) -> bool:
        """Whether something is open."""
        return any(self._gone.left.values())

    def resolved(self) -> Iterator[tuple[int, DriftEvent]]:
        """Resolve them once, in the last step of each, with its end."""
        yield from self._gone.resolved(self._suite)

    def _suite(self, key: _Key) -> OutcomeSuite:
        baseline, reference = self._baselines[key]
        return suite_of(self._configuration, OutcomeBaseline.decoded(baseline), reference)
