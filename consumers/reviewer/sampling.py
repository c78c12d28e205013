"""One partition of the summaries as a fold: candidates, notes of episodes and progress in, requests out, slot by slot.

A slot is drawn from when every input partition is complete through its end, and so is what the detector says of it (`lanes_of`): of what it
noted through the slot's start the segments that drift then are known. What comes for one that was drawn from counts in the next, which then
says that it is not complete; with a live clock so does one for which the detector was waited in vain (`patience`). A slot is known no
better than any part of it, with rows or without (`Doubts`).

By the predictions' own lanes alone, not by those of labels: these may come days later, and nobody is asked about what is so long over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ...schemas.configuration import Configuration
from ...schemas.messages.candidates import Candidates
from ...schemas.messages.episode import EPISODE, EpisodeNote
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.pane import PREDICTIONS
from ...schemas.messages.progress import InputPartition, Progress
from ...schemas.messages.review import ReviewRequest, ReviewSlot
from ...schemas.stored.snapshot import FORM, PartitionState
from ..streams.align import Aligned, Aligner, pending_offsets
from ..streams.buckets import Every, buckets
from ..streams.doubts import Doubts, Standing
from ..streams.lanes import lanes_of
from ..streams.slots import Slots
from .drifting import Drifting
from .facts import Fact, Said
from .pool import Pool
from .recorded import Recorded

#: What is aligned.
Noted = Candidates | Evidence
#: Slots without a row, one behind the other, that are said of a model: of a week of ten minutes each.
MOST_EMPTY = 1_008


@dataclass
class Asked:
    """What is remembered of one model."""

    said: int | None = None  #: the end of the last slot that was drawn from, or would have been
    empty: int = 0  #: slots without a row since the last one with any
    pools: dict[int, Pool] = field(default_factory=dict)  #: by the ends of their slots
    drifting: Drifting = field(default_factory=Drifting)

    def retiled(self, before: Slots, slots: Slots | None) -> None:
        """From now on by other slots: rows of one that is open are drawn in that in which it ends."""
        if slots is None or slots.tiling == before.tiling:
            return
        pools, self.pools = self.pools, {}
        for end, pool in sorted(pools.items()):
            self.pools.setdefault(max(slots.tiling.end(end - 1), slots.tiling.end(self.said or 0)), Pool()).merge(pool, slots)


class Sampling:
    """The models of one partition."""

    changed = False

    def __init__(self, configuration: Configuration, recorded: Recorded) -> None:
        self._configuration, self._recorded = configuration, recorded
        self._slots = {name: found for name, model in configuration.models.items() if (found := slots_of(configuration, name))}
        self._aligners = {
            stream: Aligner[Noted](buckets(own.pane), own.patience if own.clock == "live" else None, streams=tuple(self._awaited(stream)))
            for stream, own in configuration.streams.items()
            if any(configuration.stream_of(name) == stream for name in self._slots)
        }
        self._asked: dict[str, Asked] = {}
        self._doubts = {stream: Doubts() for stream in self._aligners}
        self._through: dict[str, int] = {}  # by stream, how far it is known what there is
        self._counted = {"slots": 0, "cases": 0, "cases_differing": 0}

    def situated(self, place: InputPartition, append_time: bool) -> None:
        """Where the next records stand."""
        self._recorded.situated(place.partition)

    def feed(self, offset: int, appended: int, fact: Fact) -> list[Said]:
        """Take one record; returns the requests of the slots that it completes."""
        if not isinstance(fact, Noted | Progress) or (aligner := self._aligners.get(stream := fact.stream)) is None:
            return []
        if isinstance(fact, Progress) and fact.of == EPISODE:
            fact = fact.model_copy(update={"stream": fact.source.topic})  # each lane by itself
            if not aligner.awaits(fact):
                return []
        elif isinstance(fact, Progress):
            topics = self._configuration.streams[stream].topics
            if fact.of != PREDICTIONS or fact.source.topic not in topics:
                return []
            fact = fact.model_copy(update={"topics": tuple(topic for topic in fact.topics if topic.topic in topics)})
        elif fact.model not in self._slots or not (isinstance(fact, Candidates) or self._is_note(fact)):
            return []
        return self._written(stream, aligner, aligner.feed(offset, appended, fact))

    def _awaited(self, stream: str) -> dict[str, tuple[str, ...]]:
        """What must be complete: the stream's topics, and each of its lanes in the place of one."""
        lanes = {lane.source.topic: (lane.source.topic,) for lane in lanes_of(self._configuration, stream)}
        return {stream: self._configuration.streams[stream].topics, **lanes}

    def _is_note(self, fact: Evidence) -> bool:
        """Whether it is a note of a lane that is awaited."""
        return fact.of == EPISODE and fact.topic in self._awaited(fact.stream)

    def _written(self, stream: str, aligner: Aligner[Noted], ready: Sequence[Aligned[Noted]]) -> list[Said]:
        drawn = [one for aligned in ready for one in self._evaluated(stream, aligner, aligned)]
        return [one for one in drawn if self._writes(one)]

    def _writes(self, one: ReviewRequest | ReviewSlot) -> bool:
        """Whether it is written; where a recording says who was asked, it is only compared."""
        writes = self._recorded.writes(one)
        self._counted["cases_differing"] += not writes and isinstance(one, ReviewRequest) and self._recorded.differs(one)
        self._counted["slots" if isinstance(one, ReviewSlot) else "cases"] += writes
        return writes

    def _evaluated(self, stream: str, aligner: Aligner[Noted], aligned: Aligned[Noted]) -> Iterator[ReviewRequest | ReviewSlot]:
        """A bucket's candidates go into their slots; those slots are drawn from that are over."""
        self._note(stream, aligned)
        over = aligner.buckets.start(aligned.end - 1) if aligned.panes else aligned.end
        yield from self._drawn(stream, over)
        notes = [pending.pane for pending in aligned.panes if isinstance(pending.pane, Evidence)]
        found = [pending.pane for pending in aligned.panes if isinstance(pending.pane, Candidates)]
        for note in notes:
            drifting = self._asked.setdefault(note.model, Asked()).drifting
            drifting.note(aligned.end, EpisodeNote.model_validate(note.fact))
        for name in sorted({one.model for one in found}):
            slots, asked = self._slots[name], self._asked.setdefault(name, Asked())
            end = slots.tiling.end(aligned.end - 1)
            if asked.said is not None:
                end = max(end, slots.tiling.end(asked.said))  # late, and counted in the next
            pool = asked.pools.setdefault(end, Pool())
            pool.complete &= aligned.complete
            pool.clock_decided |= aligned.clock_decided
            for one in found:
                if one.model == name:
                    pool.add(one, slots)
        if aligned.panes:
            yield from self._drawn(stream, aligned.end)
        self._doubts[stream].forget(min((slots.tiling.start(aligned.end) for slots in self._slots.values()), default=aligned.end))

    def _note(self, stream: str, aligned: Aligned[Noted]) -> None:
        """How well a bucket is known, or all that was passed: and what lies between no better than what is said behind it."""
        start = self._through.get(stream, aligned.start if aligned.panes else aligned.end)
        self._through[stream] = max(aligned.end, start)
        if start < aligned.end or aligned.panes:
            start = min(start, aligned.start) if aligned.panes else start
            self._doubts[stream].note(Standing(start, aligned.end, aligned.complete, aligned.clock_decided))

    def _drawn(self, stream: str, over: int) -> Iterator[ReviewRequest | ReviewSlot]:
        """The slots that end by then, model by model."""
        for name, asked in sorted(self._asked.items()):
            slots = self._slots.get(name)
            if slots is None or self._configuration.stream_of(name) != stream:
                continue
            while True:
                if asked.empty >= MOST_EMPTY or asked.said is None:  # on to the next one with rows
                    end = min(asked.pools, default=over + 1)
                else:
                    end = slots.tiling.end(asked.said)
                if end > over:
                    break
                pool, start = asked.pools.pop(end, None), max(slots.tiling.start(end - 1), asked.said or 0)
                asked.said, asked.empty = end, 0 if pool else asked.empty + 1
                pool, known = pool or Pool(), self._doubts[stream].of(start, end)
                pool.complete &= known.complete
                pool.clock_decided |= known.clock_decided
                yield from pool.drawn(self._configuration.application, name, (start, end), slots, asked.drifting.at(start))

    def due(self, now: int) -> list[Said]:
        """Nothing: what is over is told by completeness."""
        return []

    def resumed(self) -> list[Said]:
        """What the configuration no longer reads holds nobody up."""
        for name, asked in self._asked.items():
            asked.retiled(self._slots[name], slots_of(self._configuration, name))
        self._slots = {name: found for name in self._slots if (found := slots_of(self._configuration, name))}
        ready = [(stream, aligner, aligner.regrouped(self._awaited(stream))) for stream, aligner in self._aligners.items()]
        return [one for regrouped in ready for one in self._written(*regrouped)]

    def totals(self) -> Mapping[str, int]:
        """Slots drawn from, cases, and of a replay the cases that the recording does not hold."""
        return self._counted

    def snapshot(self, position: int) -> tuple[PartitionState, dict[str, bytes]]:
        """The slots that are open."""
        numbers = {stream: aligner.numbers() for stream, aligner in self._aligners.items()}
        parts = {name: msgspec.msgpack.encode(_plain(asked, self._slots.get(name))) for name, asked in self._asked.items()}
        return (
            PartitionState(
                form=FORM,
                position=position,
                states=tuple(parts),
                aligners=numbers,
                pending=pending_offsets(numbers.values()),
                fold={
                    "compares": self._recorded.compares,
                    "doubts": {stream: doubts.plain() for stream, doubts in self._doubts.items()},
                    "through": self._through,
                },
            ),
            parts,
        )

    @classmethod
    def restored(
        cls,
        configuration: Configuration,
        recorded: Recorded,
        state: PartitionState,
        parts: Mapping[str, bytes],
        facts: Mapping[int, Noted],
    ) -> "Sampling":
        """The fold that wrote `snapshot`; ``facts``: what stands at the offsets that it lists as pending."""
        recorded.compares = state.fold.get("compares")
        fold = cls(configuration, recorded)
        for stream, numbers in state.aligners.items():
            if stream in fold._aligners:
                own, tiling = fold._aligners[stream], buckets(configuration.streams[stream].pane)
                fold._aligners[stream] = Aligner.restored(tiling, own.patience, numbers, facts, own.streams)
                fold._doubts[stream] = Doubts.restored(state.fold.get("doubts", {}).get(stream, ([], [])))  # unknown to former releases
        fold._through = {name: end for name, end in state.fold.get("through", {}).items() if name in fold._aligners}
        for name, packed in parts.items():
            if name in fold._slots:
                plain = msgspec.msgpack.decode(packed)
                fold._asked[name] = _restored(plain)
                if length := plain.get("slot"):  # until `resumed`: what was published was drawn by these
                    fold._slots[name] = Slots(fold._slots[name].settings, Every(length))
        return fold


def slots_of(configuration: Configuration, model: str) -> Slots | None:
    """The slots of a model; None: nobody is asked about it."""
    return Slots.of(configuration.models[model], configuration.streams[configuration.stream_of(model)].pane)


def _plain(asked: Asked, slots: Slots | None) -> dict[str, Any]:  # plain data
    pools = [[end, pool.plain()] for end, pool in asked.pools.items()]
    length = slots.tiling.length if slots is not None and isinstance(slots.tiling, Every) else None
    return {"slot": length, "said": asked.said, "empty": asked.empty, "pools": pools, "drifting": asked.drifting.plain()}


def _restored(plain: dict[str, Any]) -> Asked:
    pools = {end: Pool.restored(pool) for end, pool in plain["pools"]}
    return Asked(plain["said"], plain["empty"], pools, Drifting.restored(plain["drifting"]))
