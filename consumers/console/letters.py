"""Dead letters as people ask for them: listed, shown, and written back to the topic they came from."""

import heapq
from collections.abc import Iterator
from typing import NamedTuple

import pydantic

from ...schemas.cloud_events import Headers, attributes
from ...schemas.configuration import Configuration
from ...schemas.identity import content_hash
from ...schemas.messages.dead_letter import DeadLetter, Returned
from ..bus.addressing import addressed, source
from ..bus.interface import Bus, Output, TopicPartition
from ..decode.json import JSONDecoder
from .reading import Read, backwards, first_from

#: On a record that was written back: the place it had.
REPLAYED = "driftbus-replayed"
_PREFIX = "driftbus-"
#: The stream of letters about records of our own topics.
_OWN = "-"
#: How the reason of a record begins whose clock was wrong.
_OF_ITS_TIME = "timestamp "


class Letter(NamedTuple):
    """A letter on the dead-letter topic."""

    facts: DeadLetter
    value: bytes
    written: int  #: ms
    replayed: bool = False  #: its record has been written back

    @property
    def place(self) -> str:
        """Of the record it speaks of."""
        return self.facts.place


def letters(bus: Bus, configuration: Configuration) -> Iterator[Letter]:
    """Those of this application, the newest first. A letter that was published twice is one.

    The notes of all partitions are read before the first letter: where partitions were added, a note need not lie beside its letter.
    """
    notes = {said.get("id", "") for said, _ in _ours(bus, configuration, Returned.TYPE)}
    for letter in kept(bus, configuration):
        yield letter._replace(replayed=Returned(letter=letter.facts).id in notes)


def kept(bus: Bus, configuration: Configuration) -> Iterator[Letter]:
    """The same, none of them known to be written back: who stops early reads no more than that."""
    seen = set[str]()
    for _, record in _ours(bus, configuration, DeadLetter.TYPE):
        if (facts := _facts(record)) is not None and facts.id not in seen:
            seen.add(facts.id)
            yield Letter(facts, record.value or b"", record.timestamp)


def _ours(bus: Bus, configuration: Configuration, kind: str) -> Iterator[tuple[dict[str, str], Read]]:
    """Our records of a type on the dead-letter topic, with their attributes, the newest of all partitions first."""
    topic = configuration.topics.dead_letter
    described = bus.describe([topic]).get(topic)
    partitions = (backwards(bus, TopicPartition(topic, number)) for number in range(described.partitions if described else 0))
    for record in heapq.merge(*partitions, key=lambda one: -one.timestamp):
        said = attributes(record.headers)
        if said.get("source", "") == source(configuration.application) and said.get("type") == kind:
            yield said, record


def _facts(record: Read) -> DeadLetter | None:
    """What its headers say; None for a record that is no letter of this form."""
    named = {
        name.removeprefix(_PREFIX).replace("-", "_"): content.decode("utf-8", "replace")
        for name, content in record.headers
        if name.startswith(_PREFIX) and content is not None
    }
    try:
        return DeadLetter.model_validate(named)
    except pydantic.ValidationError:
        return None


class Way(NamedTuple):
    """How a letter's record goes back: the record, or why it cannot."""

    output: Output | None
    reason: str
    held: bool = True  #: its topic still has the record


def way_back(bus: Bus, configuration: Configuration, letter: Letter) -> Way:
    """The original bytes to the original partition, with the original time, key and headers as far as its topic still holds the record.

    Its topic is looked into only where nothing else keeps the letter here: `Way.held` is true of the others. It is told apart by the
    header ``driftbus-replayed``. A field's letter stays: its row was counted, and would be counted twice.
    """
    facts = letter.facts
    stream = configuration.streams.get(facts.stream)
    described = bus.describe([facts.topic]).get(facts.topic)
    if facts.stream == _OWN:
        return Way(None, f"it is a record of driftbus's own topic {facts.topic}, which driftbus alone writes")
    if facts.scope == "field":
        return Way(None, f"its row was counted, all but {facts.field}: it would be counted twice")
    if letter.replayed:
        return Way(None, "it has been written back already")
    if stream is None or facts.topic not in stream.topics:
        return Way(None, f"nothing reads {facts.topic} as stream {facts.stream} any more")
    if described is None or described.id != facts.topic_id:
        return Way(None, f"topic {facts.topic} has been deleted since" + ("" if described is None else ", and made again"))
    place = TopicPartition(facts.topic, facts.partition)
    if not 0 <= facts.partition < described.partitions:
        return Way(None, f"topic {facts.topic} has {described.partitions:,} partitions, and none of that number")
    original = _original(bus, place, letter)
    held = original is not None
    if original is None and facts.hash is not None:
        return Way(None, f"the letter holds only the head of its {facts.size:,} bytes, and the topic no longer holds the record", held)
    decoder = JSONDecoder(stream.mapping)
    if original is None and facts.withheld is not None:
        return Way(None, "the letter holds nothing of the record (personal data), and the topic no longer holds it", held)
    if original is None and (decoder.needs_keys or decoder.needs_headers):
        return Way(None, f"streams.{facts.stream}.mapping reads keys or headers, and the topic no longer holds the record", held)
    key, value = (original.key, original.value) if original else (None, letter.value)
    kept: Headers = tuple(one for one in original.headers if not one[0].startswith(_PREFIX)) if original else ()
    wrong_time = facts.reason.startswith(_OF_ITS_TIME)
    if wrong_time and stream.clock == "record":
        return Way(
            None, f"its time is wrong, and by clock: record nothing else says when it was; mend it, and write it to {place} anew", held
        )
    marked = (*kept, (REPLAYED, letter.place.encode()))
    output = Output(facts.topic, facts.partition, key, value, marked, None if wrong_time else facts.timestamp)
    return Way(output, f"back to {place}" + (", with the time now instead of its own" if wrong_time else ""), held)


def _original(bus: Bus, place: TopicPartition, letter: Letter) -> Read | None:
    """The record itself, where its topic still holds it."""
    first, end = bus.watermarks(place)
    offset = letter.facts.offset
    found = first_from(bus, place, offset, offset + 1) if first <= offset < end else None
    if found is None or found.offset != offset:
        return None
    value = found.value or b""
    if letter.facts.withheld is not None:
        return found if (len(value), found.timestamp) == (letter.facts.size, letter.facts.timestamp) else None
    same = content_hash(value) == letter.facts.hash if letter.facts.hash else value == letter.value
    return found if same else None


def returned(configuration: Configuration, letter: Letter) -> Output:
    """The note on the dead-letter topic that a letter's record was written back: in the transaction that writes it."""
    return addressed(configuration, configuration.topics.dead_letter, Returned(letter=letter.facts), None)
