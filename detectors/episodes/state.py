"""What the detector remembers of one model version."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...schemas.integers import packed, unpacked
from ..betting.mixture import Mixture
from ..counting.unseen import Names
from .at_work import Memory
from .episode import Episode
from .trailing import Past
from .windows import MergedBuckets, Offsets, Windows


@dataclass
class State:
    """What the detector remembers of one model version."""

    fingerprint: str
    settings: str  #: those that it was made under, as `Suite.written`; "": by a version that did not say
    small: int  #: how many of the numbers of a vector are small
    mixture: Mixture
    windows: Windows
    episodes: list[Episode]
    past: Past
    named: list[Memory]
    unseen: Names = field(default_factory=dict)  #: new categories of late

    def encoded(self) -> bytes:
        """Plain numbers and texts, as msgpack; restoring them continues exactly."""
        mixture = self.mixture
        runs = [[run.length, run.start, run.end, _packed(run.counts, self.small), run.offsets] for run in self.windows.runs]
        now = self.windows.runs[-1].end if runs else 0
        plain = {
            "fingerprint": self.fingerprint,
            "settings": self.settings,
            "small": self.small,
            "r": mixture.r.astype("<f8").tobytes(),
            "cusum": mixture.cusum.astype("<f8").tobytes(),
            "now": now,
            "onset": packed(mixture.onset - now),
            "tested": np.packbits(mixture.tested).tobytes(),
            "signals": len(mixture.tested),
            "runs": runs,
            "episodes": [episode.encoded() for episode in self.episodes],
            "past": self.past.encoded(),
            "unseen": self.unseen,
            "named": [[memory.since, memory.state] for memory in self.named],
        }
        return msgspec.msgpack.encode(plain)

    @classmethod
    def decoded(cls, content: bytes) -> "State":
        """What `encoded` wrote."""
        plain: dict[str, Any] = msgspec.msgpack.decode(content)  # plain numbers of differing types, written by `encoded`
        mixture = Mixture(
            _floats(plain["r"]),
            _floats(plain["cusum"]),
            unpacked(plain["onset"]) + plain["now"],
            np.unpackbits(np.frombuffer(plain["tested"], np.uint8), count=plain["signals"]).astype(np.bool_),
        )
        runs = [
            MergedBuckets(length, begin, end, np.concatenate([unpacked(part) for part in counts]), tuple(Offsets(*one) for one in offsets))
            for length, begin, end, counts, offsets in plain["runs"]
        ]
        episodes = [Episode.decoded(form) for form in plain["episodes"]]
        named = [Memory(*memory) for memory in plain["named"]]
        return cls(
            plain["fingerprint"],
            plain.get("settings", ""),
            plain["small"],
            mixture,
            Windows(runs),
            episodes,
            Past.decoded(plain["past"]),
            named,
            plain["unseen"],
        )


def _packed(vector: NDArray[np.int64], small: int) -> list[Any]:  # of two packed vectors
    """Small numbers and large ones apart: each is as wide as its largest."""
    return [packed(vector[:small]), packed(vector[small:])]


def _floats(content: bytes) -> NDArray[np.float64]:
    return np.frombuffer(content, dtype="<f8").astype(np.float64)
