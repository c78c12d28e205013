"""What a run looks at: one version's windows and facts as a `Case`, and which window is at which place of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ...detectors.diagnosis.drawn import drawn
from ...detectors.diagnosis.evidence import Case
from ...detectors.diagnosis.evidence import Window as Evidence
from ...detectors.diagnosis.windows import NEWEST, Span, Window
from ...schemas.configuration import Model
from ...schemas.messages.pane import AGREEMENT, OOD, REVISIONS
from .kinds import GOLDEN
from .known import Known
from .watched import Watched

#: How kinds of evidence are called where they are missing.
_CALLED: Mapping[str, str] = {REVISIONS: "arrivals"}
#: By section of a model's settings, what is missing where it is not there.
_SECTIONS: Mapping[str, str] = {"labels": "arrivals", "agreement": AGREEMENT}
#: Of values; they stand in panes of predictions.
AGES = "ages"
#: Why a kind is missing.
NOT_CONFIGURED, NOT_READ, LATE = "not configured", "not read", "late"


class Looked(NamedTuple):
    """A case, and the windows that findings point into."""

    case: Case
    windows: Sequence[Window]  #: older ones, then those that are monitored


def looked_at(
    watched: Watched, time: int, known: Known, settings: Model, amiss: Sequence[Span], left_out: Sequence[Span], late: Collection[str]
) -> Looked:
    """What there is at the end of a grain.

    Parameters
    ----------
    time
        That end: what is said to be done later has not been done yet.
    amiss
        When something was not as it should be.
    left_out
        When incidents were that are over.
    late
        Kinds of evidence that are waited for no more.
    """
    windows, reading = watched.windows, watched.reading
    older = [one for length in reversed(windows.older) for one in length]
    monitored = [one for one in windows.newest[-NEWEST:] if not any(one.within(span) for span in left_out)]
    baseline, settled = _baseline(watched, amiss)
    case = Case(
        fields=reading.fields,
        groups=reading.groups,
        binary=reading.binary,
        baseline=baseline,
        monitored=[watched.seen(one) for one in monitored],
        ladder=[_for_outcomes(watched.seen(one)) for one in older],
        evaluated=known.evaluations(watched.home.version),
        coincident=[one for one in known.coincident if one.time <= time],
        usual=reading.usual,
        by_rows=reading.by_rows,
        standing=windows.stands,
        settled=settled,
        absent=_absent(watched, settings, late),
    )
    return Looked(case, [*older, *monitored])


def _baseline(watched: Watched, amiss: Sequence[Span]) -> tuple[list[Evidence], frozenset[str]]:
    """Windows of production, else drawn ones; with these, of fields whose own values are amiss no more, production's."""
    windows = watched.windows
    if windows.stands:
        return [watched.seen(one) for one in windows.baseline], frozenset()
    drawn = watched.drawn(lambda: _drawn(watched))
    own = {field.name: {one.first for one in windows.of_field(field.name, amiss)} for field in watched.reading.fields}
    settled = frozenset(name for name, numbers in own.items() if numbers)
    if not settled:
        return drawn, settled
    there = [(one, {name for name in settled if one.first in own[name]}) for one in windows.newest]
    kept = [_of_fields(watched.seen(one), names) for one, names in there if names]
    of_all = [replace(one, scored=0, outliers=0, masked=0, cured={}) for one in kept]  # it is told of rows, not of fields
    return [*(_of_fields(one, own.keys() - settled) for one in drawn), *of_all], settled


def _of_fields(window: Evidence, names: Collection[str]) -> Evidence:
    """What a window says of some fields alone."""
    pairs = window.agreeing
    return replace(
        window,
        values={name: own for name, own in window.values.items() if name in names},
        agreeing=None if pairs is None else {name: own for name, own in pairs.items() if name in names},
        outcomes=None,
        counted=None,
    )


def _drawn(watched: Watched) -> list[Evidence]:
    reading = watched.reading
    return drawn(watched.reference, reading.fields, compared=reading.subject is not None, pairs=reading.paired)


def _for_outcomes(window: Evidence) -> Evidence:
    return replace(window, values={}, counted=None)


def _absent(watched: Watched, settings: Model, late: Collection[str]) -> dict[str, str]:
    """Kinds without evidence, and why."""
    missing = {
        OOD: settings.ood is None or watched.reading.subject is None,
        REVISIONS: settings.labels is None,
        GOLDEN: settings.golden is None,
        AGREEMENT: settings.agreement is None,
        AGES: not watched.reading.aged,
    }
    found = {_CALLED.get(kind, kind): NOT_CONFIGURED for kind, so in missing.items() if so}
    found |= {_SECTIONS[section]: NOT_READ for section in sorted(settings.unread)}
    found |= {_CALLED.get(kind, kind): LATE for kind in sorted(late)}
    return found
