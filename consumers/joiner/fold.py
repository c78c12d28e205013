"""One partition of the joins topic as a fold: blocks and progress in, outcome panes and progress out.

What is joined is never written: it is a function of the last two waits of the topic. A snapshot is a *mark*, an earlier place from which an
empty joiner folds on and is the joiner itself before it gets to where the snapshot was made (`driftbus.detectors.joining.joiner`).
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from ...detectors.joining.joiner import Joiner, Outcome, Settings
from ...detectors.outcomes.counting import Own
from ...detectors.outcomes.ledger import Ledger
from ...schemas.configuration import Configuration
from ...schemas.messages.block import Block
from ...schemas.messages.pane import ARRIVALS, REVISIONS, Pane
from ...schemas.messages.progress import InputPartition, Progress
from ...schemas.stored.outcomes import OutcomeBasis
from ...schemas.stored.snapshot import FORM, PartitionState
from ..streams.align import NEVER, Aligned, Aligner, pending_offsets
from ..streams.buckets import Every
from ..streams.spans import Spans
from .names import Names
from .rows import labels, predictions

#: Marks in a wait.
MARKS = 32


class CountedBy(Protocol):
    """How the outcomes of a version are counted."""

    def __call__(self, model: str, reference: str, labels: str) -> OutcomeBasis:
        """By model, reference (content hash) and labels."""
        ...

    def own(self, model: str, basis: OutcomeBasis) -> Own | None:
        """What a model's rows add to the columns of a user's own metrics."""
        ...


class Mark(NamedTuple):
    """A place from which a joiner may begin with nothing."""

    position: int  #: in the joins partition: the next offset to fold
    through: int  #: all is over up to here
    numbers: Mapping[str, Any]  # of the aligner, plain data


@dataclass
class Join:
    """One join in one partition."""

    name: str
    aligner: Aligner[Block]
    names: Names
    joiner: Joiner
    spans: Spans
    marks: deque[Mark] = field(default_factory=deque)


class Said(NamedTuple):
    """What is published: a pane of sums, or how far the join is complete. Which partition says it is for whoever writes it."""

    fact: Pane | Progress


class Fold:
    """The joins of one partition."""

    changed = False

    def __init__(self, configuration: Configuration, basis_of: CountedBy) -> None:
        self._configuration, self._basis_of = configuration, basis_of
        self._counted = {"joined": 0, "outcomes": 0}
        self._joins = {name: self._begun(name, None, {}) for name in configuration.labels}

    def _begun(self, name: str, mark: Mark | None, blocks: Mapping[int, Block]) -> Join:
        configuration, spans = self._configuration, Spans.of(self._configuration, name)
        names = Names(model for model, own in configuration.models.items() if own.labels == name)
        stream, tiling, about = configuration.read_as(name), Every(spans.pane), Every(spans.about)
        patience = stream.patience if stream.clock == "live" else None
        streams = *configuration.awaited_by(name), name
        if mark is None or not mark.numbers:
            aligner = Aligner[Block](tiling, patience, streams=streams)
        else:
            aligner = Aligner.restored(tiling, patience, dict(mark.numbers), blocks, streams)

        def basis_of(version: int, place: int) -> OutcomeBasis:
            return self._basis_of(names.model_of(version), names.place(place).reference, name)

        def own_of(version: int, basis: OutcomeBasis) -> Own | None:
            return self._basis_of.own(names.model_of(version), basis)

        ledger = Ledger(basis_of, lambda bucket: about.end(bucket - 1), own_of)
        settings = Settings(tiling, Every(spans.revise), spans.wait, spans.early, configuration.binned(name), spans.maturity)
        begin = None if mark is None or mark.through == -NEVER else mark.through
        return Join(name, aligner, names, Joiner(settings, ledger, begin), spans, deque([mark] if mark else []))

    def feed(self, offset: int, appended: int, fact: Block | Progress) -> list[Said]:
        """Take one record; returns what the steps that it makes ready come to."""
        said: list[Said] = []
        for join in self._joins.values():
            if not join.marks:
                join.marks.append(Mark(offset, -NEVER, {}))
            if offset < join.marks[0].position:
                continue  # restored from a later place than another join
            if isinstance(fact, Block):
                if fact.join == join.name:
                    join.aligner.feed(offset, appended, fact)
            elif fact.stream == join.name or fact.stream in self._configuration.awaited_by(join.name):
                if ready := join.aligner.feed(offset, appended, fact):
                    said += [Said(pane) for aligned in ready for pane in self._evaluated(join, aligned)]
                    said.append(Said(_progress(join, ready[-1])))
                _mark(join, offset + 1)
        return said

    def due(self, now: int) -> list[Said]:
        """Nothing: what is due is told by completeness."""
        return []

    def resumed(self) -> list[Said]:
        """Nothing."""
        return []

    def totals(self) -> Mapping[str, int]:
        """Rows joined, panes of sums."""
        return self._counted

    def snapshot(self, position: int) -> tuple[PartitionState, dict[str, bytes]]:
        """The youngest marks that are old enough: of several joins what lies behind the first of them is folded again."""
        marks = {name: join.marks[0] for name, join in self._joins.items() if join.marks}
        numbers = {name: dict(mark.numbers) for name, mark in marks.items() if mark.numbers}
        places = {name: [mark.position, mark.through] for name, mark in marks.items()}
        first = min((mark.position for mark in marks.values()), default=position)
        pending = pending_offsets(numbers.values())
        return PartitionState(form=FORM, position=first, states=(), aligners=numbers, pending=pending, fold={"marks": places}), {}

    @classmethod
    def restored(cls, configuration: Configuration, basis_of: CountedBy, state: PartitionState, blocks: Mapping[int, Block]) -> "Fold":
        """The fold that wrote `snapshot`, at its marks; ``blocks`` are those at the offsets that it lists as pending."""
        fold = cls(configuration, basis_of)
        places: dict[str, list[int]] = state.fold.get("marks", {})  # plain data, as `snapshot` wrote it
        for name, (position, through) in places.items():
            if name in fold._joins:
                fold._joins[name] = fold._begun(name, Mark(position, through, state.aligners.get(name, {})), blocks)
        return fold

    def _evaluated(self, join: Join, aligned: Aligned[Block]) -> list[Pane]:
        blocks = [pending.pane for pending in aligned.panes]
        if aligned.ended:
            found = join.joiner.ended(aligned.end)
        elif blocks:
            bins = self._configuration.binned(join.name)
            rows = predictions(blocks, join.names, lambda model, reference: self._basis_of(model, reference, join.name), bins)
            found = join.joiner.take(aligned.end, rows, labels(blocks, join.names))
            self._counted["joined"] += sum(block.rows for block in blocks)
        else:
            found = join.joiner.passed(aligned.end)
        self._counted["outcomes"] += len(found)
        return sorted((self._pane(join, outcome) for outcome in found), key=_order)

    def _pane(self, join: Join, outcome: Outcome) -> Pane:
        """Its offsets are the bucket: what is the same in every schedule, and never falls."""
        whose = join.names.whose(outcome.version, outcome.place)
        grouping, own = "", tuple[str, ...]()
        if outcome.about is not None and whose.reference:
            basis = self._basis_of(whose.model, whose.reference, join.name)
            grouping, own = basis.grouping, basis.own
        return Pane(
            stream=join.name,
            topic="",
            topic_id="",
            partition=0,
            first=max(outcome.bucket, 0),
            last=max(outcome.bucket, 0),
            bucket=outcome.bucket,
            about=outcome.bucket if outcome.about is None else outcome.about,
            model=whose.model,
            version=whose.version,
            segment=whose.segment,
            reference=whose.reference or None,
            since=whose.since if whose.reference else None,
            rows=0,
            counts=outcome.sums,
            of=ARRIVALS if outcome.about is None else REVISIONS,
            grouping=grouping,
            own=own,
        )


def _progress(join: Join, aligned: Aligned[Block]) -> Progress:
    source = InputPartition(topic="", topic_id="", partition=0)
    return Progress(stream=join.name, source=source, through=aligned.end, ended=aligned.ended, of=ARRIVALS)


def _order(pane: Pane) -> tuple[int, str, int, str, str, str, int, str]:
    """Whatever the codes."""
    return pane.bucket, pane.of, pane.about, pane.model, pane.version, pane.reference or "", pane.since or 0, pane.segment or ""


def _mark(join: Join, position: int) -> None:
    """Remember this place, if the last one is long enough ago, and forget those that no snapshot needs."""
    through = join.aligner.evaluated
    if through == -NEVER or through - join.marks[-1].through < max(join.spans.wait // MARKS, join.spans.pane):
        return
    join.marks.append(Mark(position, through, join.aligner.numbers()))
    while len(join.marks) > 1 and join.marks[1].through <= through - join.spans.memory:
        join.marks.popleft()
