"""What a chaos run published, compared with what one undisturbed process publishes of the same log."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.kafka import KafkaBus
from driftbus.consumers.bus.recording import load_recording, write_recording
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import OOD, Pane

from ...streaming import Event
from ..determinism.outcome import Outcome, outcome
from ..determinism.world import TOPIC

#: Of a kind, so many differences are shown.
_SHOWN = 5


def clean(bus: KafkaBus, configuration: Configuration, folder: Path) -> Outcome:
    """The input and announcements that the run left, with their offsets and ids, through all consumers in one process in memory."""
    recording = folder / "recording.jsonl"
    write_recording(bus, [TOPIC, configuration.topics.models], recording)
    embedded = configuration.model_copy(update={"bus": "embedded", "embedded": ":memory:", "kafka": {}})
    with closing(EmbeddedBus(":memory:", embedded.application, "clean")) as memory:
        load_recording(memory, recording)
        create_topics(memory, embedded)
        with closing(Pipeline(memory, embedded)) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        return outcome(memory, embedded)


def differences(left: Outcome, expected: Outcome) -> list[str]:
    """Every way in which they differ, in words; none when all is equal: panes by value, events byte for byte, dead letters by id."""
    lines = list(_unequal("panes", Counter(map(_pane, left.panes)), Counter(map(_pane, expected.panes))))
    if not lines and left.panes != expected.panes:
        lines.append("panes: the same ones, with other values")
    lines += _unequal("dead letters", Counter(map(_id, left.letters)), Counter(map(_id, expected.letters)))
    for model in sorted(left.events.keys() | expected.events.keys()):
        lines += _unlike(f"events of {model}", left.events.get(model, []), expected.events.get(model, []))
    for what, found, wanted in (("candidates", left.candidates, expected.candidates), ("samples", left.samples, expected.samples)):
        if found != wanted:
            lines.append(f"{what}: {len(found)} for {len(wanted)}")
    for model in sorted(left.reviews.keys() | expected.reviews.keys()):
        lines += _unlike(f"reviews of {model}", left.reviews.get(model, []), expected.reviews.get(model, []))
    for model in sorted(left.events.keys() | left.again.keys()):
        lines += _unlike(f"events of {model}, the summaries folded again", left.events.get(model, []), left.again.get(model, []))
    counted = sum(pane.rows for _, value in left.panes if (pane := Pane.decoded(value)).of != OOD)
    whole = sum(dict(letter.headers)["driftbus-scope"] == b"record" for letter in left.letters)
    tombstones = sum(record.value is None for record in left.input)  # those of the input, and all end records
    if len(left.input) - tombstones != counted + whole:
        lines.append(f"{len(left.input) - tombstones:,} records; counted are {counted:,} rows and {whole:,} dead letters")
    return lines


def _pane(pane: tuple[bytes, bytes]) -> str:
    """Where it comes from."""
    one = Pane.decoded(pane[1])
    return f"{one.topic}[{one.partition}] offsets {one.first} to {one.last}, {one.model}, bucket {one.bucket} ({pane[0].decode()[:12]})"


def _id(event: Event) -> str:
    headers = dict(event.headers)
    return f"{headers['driftbus-partition'].decode()}/{headers['driftbus-offset'].decode()} ({headers['ce_id'].decode()[:12]})"


def _unequal(what: str, left: Counter[str], expected: Counter[str]) -> Iterator[str]:
    for word, surplus in (("too many", left - expected), ("missing", expected - left)):
        if surplus:
            yield f"{what}: {surplus.total():,} {word} of {expected.total():,}: " + "; ".join(islice(sorted(surplus), _SHOWN))


def _unlike(what: str, left: Sequence[Event], expected: Sequence[Event]) -> Iterator[str]:
    if left == expected:
        return
    at = next((i for i, (one, other) in enumerate(zip(left, expected, strict=False)) if one != other), min(len(left), len(expected)))
    yield f"{what}: {len(left)} for {len(expected)}, unlike from number {at} on: {_told(left, at)} for {_told(expected, at)}"


def _told(events: Sequence[Event], at: int) -> str:
    return events[at].value[:400].decode(errors="replace") if at < len(events) else "none"
