"""Of which new versions nothing that they answer is watched: why, and what is done about it, by itself or by a person."""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from ...schemas.configuration import Configuration
from ..reference.announce import Announcements
from ..reference.artifacts import ArtifactError, ArtifactStore
from ..reference.outputs import FEWEST, answers, by_hand, come_by_themselves, of_their_jobs, outputs_in
from .deployments import Known


class Unanswered(NamedTuple):
    """A version whose job left no answers to rows that were held out."""

    model: str
    version: str
    why: str


def unanswered(configuration: Configuration, announced: Announcements, known: list[Known], store: ArtifactStore) -> Iterator[Unanswered]:
    """Those that are watched. Who only looks at topics may not see artifacts: of what cannot be read nothing is said."""
    for held in of_their_jobs(announced, (one.event for one in known)):
        model, version = held.model, held.version
        if held.reference is None or model not in configuration.models or not answers(configuration, model):
            continue
        with suppress(ArtifactError):
            if outputs_in(store.reference(held.reference)):
                continue
            place = configuration.streams[configuration.stream_of(model)].pane.place
            by_itself = f"from {FEWEST:,} of its rows since {place(held.since)} on they are"
            then = by_itself if come_by_themselves(configuration, model) else by_hand(configuration, model, version)
            yield Unanswered(model, version, f"not watched: its job left no answers; {then}")
