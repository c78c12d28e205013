"""What detectors remember, under the configuration as it is now: what would refuse to go on, and what would be left behind."""

from collections import Counter
from collections.abc import Iterator

from ....detectors.episodes.state import State
from ....schemas.configuration import Configuration
from ....schemas.unusable import Unusable
from ...bus import snapshots
from ...bus.interface import Bus
from ...detector.detector import ROLE as DETECTOR
from ...detector.familiarity import is_one
from ...detector.keys import StateKey
from ...detector.lengths import changed_panes
from .finding import Finding


def remembered(bus: Bus, configuration: Configuration) -> Iterator[Finding]:
    """Of all partitions together, so that each mistake is told once."""
    topics = configuration.topics
    described = bus.describe([topics.snapshots]).get(topics.snapshots)
    refused, left = dict[str, None](), Counter[tuple[str, str]]()
    for partition in range(described.partitions if described else 0):
        last = snapshots.read(bus, configuration, DETECTOR, partition).last
        if last is None:
            continue
        for stream, pane in last.state.fold.get("panes", {}).items():
            try:
                changed_panes(configuration, {stream: pane})
            except Unusable as error:
                refused[str(error)] = None
        for text, content in last.states.items():
            if is_one(text):
                continue  # of the lane that compares queries: its predictions' state tells it
            key = StateKey.read(text)
            if key.stream not in configuration.streams:
                left[key.stream, key.model] += len(State.decoded(content).episodes)
    yield from (Finding("wrong", text) for text in refused)
    for (stream, model), episodes in sorted(left.items()):
        if episodes:
            text = f"streams.{stream}: is no longer there, and {episodes:,} episodes of {model} are open"
            yield Finding("note", f"{text}: they resolve as reconfigured when a detector starts, unless the last one was killed")
