"""Dead letters as people ask for them: listed, shown, and written back to the topic they came from."""

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
    replayed: bool  #: its record has been written back

    @property
    def place(self) -> str:
        """Of the record it speaks of."""
        return self.facts.place


def letters(bus: Bus, configuration: Configuration) -> Iterator[Letter]:
    """Those of this application, the newest first. A letter that was published twice is one."""
    topic = configuration.topics.dead_letter
    described = bus.describe([topic]).get(topic)
    seen, returned = set[str](), set[str]()
    for number in range(described.partitions if described else 0):
        for record in backwards(bus, TopicPartition(topic, number)):
            said = attributes(record.headers)
            if said.get("source", "") != source(configuration.application):
                continue
            if said.get("type") == Returned.TYPE:
                returned.add(said.get("subject", ""))
            elif said.get("type") == DeadLetter.TYPE and (facts := _facts(record)) is not None and facts.id not in seen:
                seen.add(facts.id)
                yield Letter(facts, record.value or b"", record.timestamp, facts.place in returned)


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


def way_back(bus: Bus, configuration: Configuration, letter: Letter) -> Way:
    """The original bytes to the original partition, with the original time, key and headers as far as its topic still holds the record.

    It is told apart by the header ``driftbus-replayed``. A field's letter stays: its row was counted, and would be counted twice.
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
    original = _original(bus, place, letter)
    if original is None and facts.hash is not None:
        return Way(None, f"the letter holds only the head of its {facts.size:,} bytes, and the topic no longer holds the record")
    decoder = JSONDecoder(stream.mapping)
    if original is None and (decoder.needs_keys or decoder.needs_headers):
        return Way(None, f"streams.{facts.stream}.mapping reads keys or headers, and the topic no longer holds the record")
    key, value = (original.key, original.value) if original else (None, letter.value)
    kept: Headers = tuple(one for one in original.headers if not one[0].startswith(_PREFIX)) if original else ()
    wrong_time = facts.reason.startswith(_OF_ITS_TIME)
    if wrong_time and stream.clock == "record":
        return Way(None, f"its time is wrong, and by clock: record nothing else says when it was; mend it, and write it to {place} anew")
    marked = (*kept, (REPLAYED, letter.place.encode()))
    output = Output(facts.topic, facts.partition, key, value, marked, None if wrong_time else facts.timestamp)
    return Way(output, f"back to {place}" + (", with the time now instead of its own" if wrong_time else ""))


def _original(bus: Bus, place: TopicPartition, letter: Letter) -> Read | None:
    """The record itself, where its topic still holds it."""
    first, end = bus.watermarks(place)
    offset = letter.facts.offset
    found = first_from(bus, place, offset, offset + 1) if first <= offset < end else None
    if found is None or found.offset != offset:
        return None
    value = found.value or b""
    same = content_hash(value) == letter.facts.hash if letter.facts.hash else value == letter.value
    return found if same else None


def returned(configuration: Configuration, letter: Letter) -> Output:
    """The note on the dead-letter topic that a letter's record was written back: in the transaction that writes it."""
    return addressed(configuration, configuration.topics.dead_letter, Returned(letter=letter.facts), None)
