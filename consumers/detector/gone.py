"""Episodes of streams that the configuration no longer has: resolved, as `reconfigured`, when a detector goes on without them.

*Trap.* What a stream's former detector published behind its last snapshot is not known without the stream's settings: where anything of the
stream lies there (the detector was killed, not stopped), its episodes are left as they are.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from ...detectors.episodes.decided import Decided
from ...detectors.episodes.state import State
from ...detectors.episodes.step import close
from ...schemas.configuration import PaneLength, pane_length
from ...schemas.messages.drift import DriftEvent
from ...schemas.unusable import Unusable
from ..reference.artifacts import ArtifactError
from .placing import placed

#: Of the fold: stream, or labels, model, and what else tells states apart.
Key = TypeVar("Key", bound=tuple[str, ...])
_log = logging.getLogger(__name__)


class _Left(NamedTuple):
    """A state with episodes, and the panes of its stream."""

    state: State
    pane: PaneLength


@dataclass
class Gone(Generic[Key]):
    """States of streams that are gone, by stream and `StateKey`."""

    left: dict[str, dict[Key, _Left]] = field(default_factory=dict)

    def keep(self, key: Key, state: State, pane: str | None) -> None:
        """Take note of a restored state, as long as an episode of it is open."""
        if state.episodes and pane is not None:
            self.left.setdefault(key[0], {})[key] = _Left(state, pane_length(pane))

    def forget(self, stream: str) -> None:
        """A record of it lies behind the snapshot: what it led to, nobody knows."""
        self.left.pop(stream, None)

    def resolved(self, suite_of: Callable[[Key], Decided]) -> Iterator[tuple[int, DriftEvent]]:
        """Resolve them once, in the last bucket of each, with its end."""
        for stream in sorted(self.left):
            for key, (state, pane) in sorted(self.left.pop(stream).items()):
                last = state.windows.runs[-1]
                try:
                    events = close(suite_of(key), state, (last.start, last.end), "reconfigured")
                except (Unusable, ArtifactError) as error:
                    _log.warning("streams.%s is gone, and %d episodes of %s stay open: %s", stream, len(state.episodes), key[1], error)
                    continue
                yield from ((last.end, placed(event, pane)) for event in events)
