"""A piece of evidence as it is aligned: of all kinds together, each under the name of its kind."""

from typing import NamedTuple

from ...schemas.messages.evidence import Evidence
from ...schemas.messages.pane import Pane

Fact = Pane | Evidence


class Exhibit(NamedTuple):
    """A fact, and what an aligner asks of it."""

    topic: str
    topic_id: str
    partition: int
    first: int
    bucket: int
    id: str
    fact: Fact

    @classmethod
    def of(cls, fact: Fact) -> "Exhibit":
        """Kinds of one topic go forward each by itself: what is said again of one of them is known by its own runs."""
        topic = f"{fact.of}/{fact.stream}/{fact.topic}"
        return cls(topic, fact.topic_id, fact.partition, fact.first, fact.bucket, fact.id, fact)
