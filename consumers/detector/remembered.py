"""What a fold of the detector remembers, as it is written and as it is read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...detectors.episodes.step import State, fits
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.pane import ARRIVALS, PREDICTIONS, Pane
from ...schemas.stored.snapshot import FORM, PartitionState
from ..streams.align import Aligner, pending_offsets
from ..streams.buckets import buckets
from ..streams.lanes import Lane
from .familiarity import is_one
from .keys import StateKey
from .lengths import PaneLengths, changed_panes
from .notes import Notes
from .silence import Silences
from .unexpected import UnexpectedFields
from .unreadable import Unreadable

if TYPE_CHECKING:
    from .fold import Fold


def snapshot(fold: "Fold", position: int) -> tuple[PartitionState, dict[str, bytes]]:
    """Everything that must be remembered at summaries offset ``position``, the states by their keys."""
    numbers = {str(lane): aligner.numbers() for lane, aligner in fold.lanes().items()}
    states = {str(key): state.encoded() for key, state in fold.states.items()} | fold.familiarity.states()
    kept: dict[str, Any] = {  # plain data
        "since": {str(key): since for key, since in fold.since.items()},
        "unmonitored": sorted(fold.unmonitored),
        "unexpected": fold.unexpected.plain(),
        "lengths": fold.lengths.plain(),
        "panes": {name: str(stream.pane) for name, stream in fold.configuration.streams.items()},
        "silences": fold.silences.plain(),
        "unreadable": fold.unreadable.plain(),
        "retired": fold.silences.plainly_retired(),
        "outcomes": {name: one.plain() for name, one in fold.outcomes.items()},
        "concept": {name: one.concept.plain() for name, one in fold.outcomes.items()},
        "familiarity": fold.familiarity.plain(),
        "answers": fold.answers.plain(),
        "asking": {str(lane): one.plain() for lane, one in fold.askings()},
        "online": {name: one.online.plain(one.own) for name, one in fold.outcomes.items()},
        "notes": fold.notes.plain(),
        "compares": None if fold.recorded is None else fold.recorded.compares,
    }
    pending = pending_offsets(numbers.values())
    return PartitionState(form=FORM, position=position, states=tuple(states), aligners=numbers, pending=pending, fold=kept), states


def restore(
    fold: "Fold", state: PartitionState, states: Mapping[str, bytes], panes: dict[int, Pane], answers: Mapping[int, Evidence]
) -> None:
    """Make of a new fold the one that wrote it; ``panes`` and ``answers`` are what stands at the summaries offsets it lists as pending."""
    configuration = fold.configuration
    kept: dict[str, Any] = state.fold  # plain data, as `snapshot` wrote it
    if fold.recorded is not None:
        fold.recorded.compares = kept.get("compares")
    fold.notes = Notes.restored(kept.get("notes", {}))
    for asks, asking in fold.askings():
        asking.restore(kept.get("asking", {}).get(str(asks), []))
    fold.panes = changed_panes(configuration, kept.get("panes", {}))
    for lane, aligner in list(fold.aligners.items()):
        if str(lane) in state.aligners:
            tiling = buckets(fold.panes[lane.stream]) if lane.stream in fold.panes else aligner.buckets
            again = Aligner.restored(tiling, aligner.patience, state.aligners[str(lane)], panes)
            topics = configuration.streams[lane.stream].topics
            again.partitions = {key: heard for key, heard in again.partitions.items() if key[0] in topics}
            fold.aligners[lane] = again
    for name, one in fold.outcomes.items():
        if (own := str(Lane(name, ARRIVALS))) in state.aligners:
            one.aligner = Aligner.restored(one.aligner.buckets, one.aligner.patience, state.aligners[own], panes)
        one.restore(kept.get("outcomes", {}).get(name, []))
        one.concept.restore(kept.get("concept", {}).get(name, []))
        one.online.restore(kept.get("online", {}).get(name, []), one.as_now)
    for name, plain in kept.get("concept", {}).items():
        fold.unlabelled.keep(name, plain)
    fold.answers.restore(kept.get("answers", {}), state.aligners, answers)
    fold.unmonitored = {tuple(name) for name in kept["unmonitored"] if not isinstance(name, str)}
    fold.unreadable = Unreadable.restored(configuration, kept.get("unreadable", {}))
    for stream, waiting in fold.unreadable.waiting.items():
        for bucket in waiting:
            fold.aligners[Lane(stream, PREDICTIONS)].await_(bucket)
    fold.unexpected = UnexpectedFields.restored(configuration, kept.get("unexpected", ()))
    fold.lengths = PaneLengths.restored(configuration, kept.get("lengths", []))
    fold.silences = Silences.restored(configuration, kept.get("silences", []), kept.get("retired", []))
    unfamiliar = {text: content for text, content in states.items() if is_one(text)}
    for stream, length in fold.panes.items():
        fold.familiarity.retile(stream, length)
    fold.familiarity.restore(unfamiliar, kept.get("familiarity", {}), state.aligners, panes, kept.get("panes", {}))
    for text, content in states.items():
        if text in unfamiliar:
            continue
        key = StateKey.read(text)
        decoded = State.decoded(content)
        if key.stream not in configuration.streams:
            fold.gone.keep(key, decoded, kept.get("panes", {}).get(key.stream))
            continue
        fold.states[key], fold.since[key], fold.current[key[:3]] = decoded, kept["since"][text], key
        if not fits(fold.suite(key), decoded):
            pane = fold.panes.get(key.stream, configuration.streams[key.stream].pane)
            former = fold.suite(key).under(decoded.settings, str(pane))
            fold.former[key] = former if former and fits(former, decoded) else None
