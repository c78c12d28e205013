"""One partition of the joins topic as a fold: blocks and progress in, outcome panes and progress out.

What is joined is never written: it is a function of the last two waits of the topic. A snapshot is a *mark*, an earlier place from which an
empty joiner folds on and is the joiner itself before it gets to where the snapshot was made (`driftbus.detectors.joining.joiner`).
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...detectors.joining.joiner import Joiner, Outcome
from ...schemas.configuration import Configuration
from ...schemas.messages.block import Block
from ...schemas.messages.contest import Contest
from ...schemas.messages.examples import Examples
from ...schemas.messages.pane import Pane
from ...schemas.messages.progress import InputPartition, Progress
from ...schemas.messages.review import ReviewLabel
from ...schemas.stored.snapshot import FORM, PartitionState
from ..streams.align import AGAIN, NEVER, Aligned, Aligner, pending_offsets
from ..streams.buckets import Every
from ..streams.doubts import Doubts, Span, Standing, standings
from ..streams.spans import Spans
from .answered import Answered, Heard
from .blocks import Blocks, Kept
from .contested import Contested, contested
from .counted import CountedBy
from .kinds import Kind
from .marks import Mark, mark, packed, unpacked
from .names import Names
from .of_features import OfFeatures
from .of_labels import OfLabels
from .reads import Reads, topics_of
from .steps import Step, together
from .whole import Whole, sampled

#: The blocks that wait in a partition, of which `situated` says which it is.
BlocksOf = Callable[[int], Blocks]


@dataclass
class Join:
    """One join in one partition."""

    name: str
    reads: Reads
    aligner: Aligner[Kept]
    names: Names
    kind: Kind
    joiner: Joiner
    spans: Spans
    answered: Answered
    whole: Whole
    contested: Contested
    doubts: Doubts = field(default_factory=Doubts)
    marks: deque[Mark] = field(default_factory=deque)


class Said(NamedTuple):
    """What is published: a pane of sums, how far the join is complete, what labels say of a case that reviewers answered, how two
    versions compare, or examples.

    Which partition says it is for whoever writes it.
    """

    fact: Pane | Progress | ReviewLabel | Examples | Contest


class Fold:
    """The joins of one partition."""

    def __init__(self, configuration: Configuration, basis_of: CountedBy, blocks_of: BlocksOf) -> None:
        self._configuration, self._basis_of, self._blocks_of = configuration, basis_of, blocks_of
        self._counted = {"joined": 0, "outcomes": 0}
        self._blocks: Blocks | None = None
        self._position = 0
        self._joins = {name: self._begun(name, None, {}, Reads([(0, topics_of(configuration, name))])) for name in configuration.joins}

    def _begun(self, name: str, begin: Mark | None, kept: Mapping[int, Kept], reads: Reads) -> Join:
        configuration, spans = self._configuration, Spans.of(self._configuration, name)
        names = Names(model for model, own in configuration.models.items() if name in own.joins)
        stream, tiling = configuration.read_as(name), Every(spans.pane)
        patience = stream.patience if stream.clock == "live" else None
        streams = tuple(reads.now)
        if begin is None or not begin.numbers:
            aligner = Aligner[Kept](tiling, patience, streams=streams)
        else:
            aligner = Aligner.restored(tiling, patience, unpacked(begin.numbers), kept, streams)
        of = configuration, name, spans, names, self._basis_of
        kind: Kind = OfFeatures(*of) if name in configuration.features else OfLabels(*of)
        through = None if begin is None or begin.through == -NEVER else begin.through
        answered, revise = Answered(), kind.settings.revise
        heard = Heard(kind.ledger, answered, names.version_of, lambda step: revise.end(step - 1))
        whole = Whole(heard, name, sampled(configuration, name), names.version_of)
        compared = Contested(whole, configuration, name, contested(configuration, name), names.version_of, spans)
        joiner = Joiner(kind.settings, compared, through)
        compared.matching = joiner.matching
        return Join(name, reads, aligner, names, kind, joiner, spans, answered, whole, compared, marks=deque([begin] if begin else []))

    def situated(self, place: InputPartition, append_time: bool) -> None:
        """Where the next records stand. Their times are the log's."""
        if self._blocks is None:
            self._blocks = self._blocks_of(place.partition)
            for join in self._joins.values():
                for bucket, waiting in join.aligner.pending.items():
                    for one in waiting:
                        self._blocks.await_(one.offset, bucket)

    def feed(self, offset: int, appended: int, fact: Block | Kept | Progress) -> list[Said]:
        """Take one record; returns what the steps that it makes ready come to."""
        self._position = offset + 1
        said: list[Said] = []
        for join in self._joins.values():
            if not join.marks:
                join.marks.append(Mark(offset, -NEVER, b""))
            if offset < join.marks[0].position:
                continue  # restored from a later place than another join
            begin, at = join.aligner.passed, join.aligner.at
            if join.reads.due(offset) and (ready := join.aligner.regrouped(join.reads.now)):
                said += self._stepped(join, begin, at, ready)
            if isinstance(fact, Progress):
                if (progress := join.reads.heard(fact)) is not None:
                    begin, at = join.aligner.passed, join.aligner.at
                    if ready := join.aligner.feed(offset, appended, progress):
                        said += self._stepped(join, begin, at, ready)
                    mark(join.marks, join.aligner, join.spans, offset + 1)
            elif isinstance(fact, Block) and fact.join == join.name and fact.side == "reviews":
                hi, lo = join.answered.note(fact)
                known = max(join.aligner.passed, fact.bucket)
                join.answered.look(join.joiner.matching.known(hi, lo), join.names.version_of, known)
            elif isinstance(fact, Block) and fact.join == join.name:
                assert self._blocks is not None  # a fold is told before it is fed
                kept = Kept.of(fact)
                if not join.aligner.repeated(kept):  # else nobody would ever take its rows
                    self._blocks.put(offset, fact)
                join.aligner.feed(offset, appended, kept)
            said += map(Said, join.answered.told())
        return said

    def due(self, now: int) -> list[Said]:
        """Nothing: what is due is told by completeness."""
        return []

    @property
    def changed(self) -> bool:
        """Topics are read that were not, or some no more."""
        return any(join.reads.last != topics_of(self._configuration, name) for name, join in self._joins.items())

    def resumed(self) -> list[Said]:
        """Go on by the configuration: from the next record on."""
        for name, join in self._joins.items():
            if join.reads.last != (topics := topics_of(self._configuration, name)):
                join.reads.change(self._position, topics)
        return []

    def totals(self) -> Mapping[str, int]:
        """Rows joined, panes of sums."""
        return self._counted

    def snapshot(self, position: int) -> tuple[PartitionState, dict[str, bytes]]:
        """The youngest marks that are old enough: of several joins what lies behind the first of them is folded again."""
        marks = {name: join.marks[0] for name, join in self._joins.items() if join.marks}
        numbers = {name: unpacked(one.numbers) for name, one in marks.items() if one.numbers}
        places = {name: [one.position, one.through] for name, one in marks.items()}
        reads = {name: self._joins[name].reads.plain(one.position) for name, one in marks.items()}
        first = min((one.position for one in marks.values()), default=position)
        pending = pending_offsets(numbers.values())
        return PartitionState(
            form=FORM, position=first, states=(), aligners=numbers, pending=pending, fold={"marks": places, "reads": reads}
        ), {}

    @classmethod
    def restored(
        cls, configuration: Configuration, basis_of: CountedBy, blocks_of: BlocksOf, state: PartitionState, kept: Mapping[int, Kept]
    ) -> "Fold":
        """The fold that wrote `snapshot`, at its marks; ``kept`` are the blocks at the offsets that it lists as pending."""
        fold = cls(configuration, basis_of, blocks_of)
        places: dict[str, list[int]] = state.fold.get("marks", {})  # plain data, as `snapshot` wrote it
        kept_reads: dict[str, list[Any]] = state.fold.get("reads", {})  # unknown to former releases
        for name, (position, through) in places.items():
            if name in fold._joins:
                numbers = packed(state.aligners[name]) if name in state.aligners else b""
                reads = Reads.restored(kept_reads[name], position) if name in kept_reads else fold._joins[name].reads
                fold._joins[name] = fold._begun(name, Mark(position, through, numbers), kept, reads)
                fold._position = max(fold._position, position)
        return fold

    def _stepped(self, join: Join, begin: int, at: int, ready: Sequence[Aligned[Kept]]) -> Iterator[Said]:
        """What steps come to, and behind it how far all is over, and how well that is known. ``at``: what was told last; time may have gone
        back to it, and what follows it is yet to be told.
        """
        partly: list[Span] = []
        end, decided = ready[-1].end, join.aligner.decided
        join.doubts.forget(min(begin, at) - max(join.spans.revise, join.spans.told_of))
        for part in standings(begin, end, (), decided):
            join.doubts.note(part)
        for steps in together(self._step(aligned) for aligned in ready):
            first = steps[0]
            if not first.complete:
                partly.append((first.aligned.start if first.aligned.panes else begin, first.aligned.end))
                join.doubts.note(Standing(*partly[-1], complete=False))
            yield from map(Said, self._evaluated(join, steps))
            of_blocks = [step.aligned.end for step in steps for _ in step.blocks]
            again = steps[-1].aligned.again * AGAIN
            yield from map(Said, join.whole.told([block for step in steps for block in step.blocks], of_blocks, again))
        if not ready[-1].ended:  # an interval that ends with the last step's bucket is over, too: nobody takes what is told behind progress
            step = Standing(ready[-1].start, end, first.complete, ready[-1].clock_decided)
            yield from map(Said, self._panes(join, join.joiner.passed(end), step, ready[-1].again))
            yield from map(Said, join.whole.told((), (), ready[-1].again * AGAIN))
        yield from map(Said, join.contested.told(end, ready[-1].again * AGAIN, ended=ready[-1].ended))
        if join.names.forget(end - join.spans.memory):
            join.kind.ledger.keep(join.names.known)
        join.answered.forget(end - join.spans.memory)
        known = list(standings(begin, end, partly, decided))
        for part in known:
            yield Said(_progress(join, part, ended=ready[-1].ended and part is known[-1]))

    def _step(self, aligned: Aligned[Kept]) -> Step:
        """With its blocks: those of the next need not be at hand yet."""
        blocks = self._blocks.take([pending.offset for pending in aligned.panes]) if self._blocks and aligned.panes else []
        return Step(aligned, blocks, aligned.complete and len(blocks) == len(aligned.panes))

    def _evaluated(self, join: Join, steps: Sequence[Step]) -> list[Pane]:
        """Of one step, or of some that are known alike."""
        last = steps[-1].aligned
        ends, blocks = [step.aligned.end for step in steps], [block for step in steps for block in step.blocks]
        if last.ended:
            found = join.joiner.ended(last.end)
        elif blocks:
            of_blocks = [step.aligned.end for step in steps for _ in step.blocks]
            found = join.joiner.take_all(ends, *join.kind.taken(blocks, of_blocks, last.end))
            self._counted["joined"] += sum(block.rows for block in blocks)
        else:
            found = join.joiner.passed(last.end)
        known = Standing(steps[0].aligned.start, last.end, steps[0].complete, last.clock_decided)
        return self._panes(join, found, known, last.again)

    def _panes(self, join: Join, found: Sequence[Outcome], step: Standing, again: int) -> list[Pane]:
        self._counted["outcomes"] += len(found)
        return sorted((self._pane(join, outcome, step, again) for outcome in found), key=_order)

    def _pane(self, join: Join, outcome: Outcome, step: Standing, again: int) -> Pane:
        """Its offsets are the bucket, and how often time had gone back: what is the same in every schedule, and never falls. A revision is
        of all steps of its interval; with a maturity an arrival is of all in which something came to it.
        """
        place = max(outcome.bucket, 0) + again * AGAIN
        whose = join.names.whose(outcome.version, outcome.place)
        behind = join.spans.revise if outcome.about is not None else join.spans.told_of
        known = join.doubts.of(outcome.bucket - behind, outcome.bucket) if behind else step
        return Pane(
            stream=join.name,
            topic="",
            topic_id="",
            partition=0,
            first=place,
            last=place,
            bucket=outcome.bucket,
            about=outcome.bucket if outcome.about is None else outcome.about,
            model=whose.model,
            version=whose.version,
            segment=whose.segment,
            reference=whose.reference or None,
            since=whose.since if whose.reference else None,
            rows=0,
            complete=known.complete,
            clock_decided=known.clock_decided,
            **join.kind.told(outcome, whose),
        )


def _progress(join: Join, known: Standing, *, ended: bool) -> Progress:
    return Progress(
        stream=join.name,
        source=InputPartition(topic="", topic_id="", partition=0),
        through=known.end,
        ended=ended,
        by_clock=known.clock_decided,
        complete=known.complete,
        of=join.kind.of,
    )


def _order(pane: Pane) -> tuple[int, str, int, str, str, str, int, str]:
    """Whatever the codes."""
    return pane.bucket, pane.of, pane.about, pane.model, pane.version, pane.reference or "", pane.since or 0, pane.segment or ""
