"""What a version has answered, as a part of its reference: of one whose job left no answers to rows that were held out."""

from typing import NamedTuple

from ....schemas.configuration import Configuration
from ....schemas.stored.reference import Reference
from ...bus.interface import Bus
from ..artifacts import ArtifactStore
from .job import OF_OUTPUTS, with_outputs
from .live_rows import of_rows
from .messages import ReadTo
from .source import reference_of


class Answered(NamedTuple):
    """What a version's rows say of its outputs."""

    reference: Reference  #: its own, with them
    outputs: tuple[str, ...]  #: none: no row has any, and the reference is as before
    rows: int


def answered(
    configuration: Configuration,
    before: Reference,
    bus: Bus,
    store: ArtifactStore,
    first: str,
    until: str | None,
    read_to: ReadTo | None = None,
) -> Answered:
    """With the outputs of the rows between two times; ``read_to``: of those in front of these offsets. What is known of features stays."""
    model, version = before.model, before.version
    found = reference_of(of_rows(configuration, model, first, until, OF_OUTPUTS), model, version, bus, store, read_to)
    outputs = tuple(field for field in found.fields if field.role != "feature")
    made = with_outputs(before, found.model_copy(update={"fields": outputs, "warnings": ()})) if outputs else before
    return Answered(made, tuple(field.name for field in outputs), found.rows)
