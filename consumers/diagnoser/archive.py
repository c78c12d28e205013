"""An incident's windows as they are stored beside the log when it is confirmed and when it ends: who explains it needs nothing else."""

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ...detectors.diagnosis.incidents import Incident
from ...schemas.identity import content_hash

if TYPE_CHECKING:
    from .telling import Ran, Whose

#: Where they lie in the artifact store.
FOLDER = "incidents"
#: How such a content is to be read.
FORM = 1


class Archived(NamedTuple):
    """A content, and its name."""

    name: str
    content: bytes


def archived(whose: "Whose", incident: Incident, ran: "Ran") -> Archived:
    """The baseline's windows and those that were looked at, as `driftbus.detectors.diagnosis.sums.Sums` encodes them; the same of the same
    windows, under whatever configuration.

    The reference, by whose layout they are read, is named.
    """
    windows = [[one.first, one.last, one.start, one.end, one.written()] for one in ran.windows]
    baseline = [[one.first, one.last, one.start, one.end, one.written()] for one in ran.baseline]
    facts = [[list(one) for one in ran.case.evaluated], [list(one) for one in ran.case.coincident]]
    plain = {
        "form": FORM,
        "incident": incident.id,
        "whose": [whose.application, whose.stream, whose.model, whose.version, whose.reference],
        "run": ran.time,
        "baseline": baseline,
        "windows": windows,
        "evaluated": facts[0],
        "coincident": facts[1],
    }
    content = msgspec.msgpack.encode(plain, order="sorted")
    return Archived(content_hash(content), content)
