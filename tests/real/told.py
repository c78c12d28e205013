"""All episodes of a data set, a line each: ``python -m tests.real.told glucose cars flights weather``; ``-u``: without tempering."""

import sys
import tempfile
from pathlib import Path

from driftbus.consumers.replay.event_line import changes
from driftbus.consumers.replay.picture import DrawnEpisode

from .replaying import replayed, untempered
from .worlds import WORLDS


def line(episode: DrawnEpisode) -> str:
    """From when to when, how severe, what."""
    signals = list(episode.last.signals)
    until = episode.last.bucket[1] if episode.resolved else "-"
    parts = (
        episode.first.bucket[1],
        until,
        episode.last.severity,
        changes(signals, sizes=True),
    )
    return "  ".join(part for part in parts if part)


def main(chosen: list[str]) -> None:
    """Tell the worlds chosen, or all."""
    changed = untempered if "-u" in chosen else None
    for name in [name for name in WORLDS if name in chosen] or WORLDS:
        with tempfile.TemporaryDirectory() as folder:
            episodes = replayed(WORLDS[name](Path(folder)), Path(folder), changed)
        print(f"\n{name}: {len(episodes)} episodes")
        print("\n".join(map(line, episodes)))


if __name__ == "__main__":
    main(sys.argv[1:])
