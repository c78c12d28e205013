"""Of panes' flagged rows a few for people to look at: those that are nearly the same as one told count with it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...schemas.messages.ood import OodSample
from ...schemas.messages.pane import MOST_FLAGGED, Pane
from ...schemas.text import CATEGORY, fitted
from ..reference.scored import Compared, Shown
from .unlike import Kept

#: Of a pane, and in its sketch.
MOST_TOLD = 5
#: Panes that are looked at together, of whatever runs: a product of few rows costs several times as much a row.
_PANES = 2_000 // MOST_FLAGGED


class Flagged(NamedTuple):
    """A pane's flagged rows that were kept, and what they are compared by."""

    pane: Pane
    subjects: Sequence[Compared]
    kept: Sequence[Kept]


class _Own(NamedTuple):
    """Of one subject."""

    pane: Pane
    number: int  #: of the subject, among the reference's
    subject: Compared
    kept: Sequence[Kept]


def samples(runs: Sequence[Sequence[Flagged]]) -> list[list[OodSample]]:
    """Of each run those of the smallest hashes, of each pane and subject at most `MOST_TOLD`, pane by pane."""
    found: list[list[OodSample]] = [[] for _ in runs]
    flagged = [(number, one) for number, run in enumerate(runs) for one in run]
    for first in range(0, len(flagged), _PANES):
        owns = [(number, own) for number, one in flagged[first : first + _PANES] for own in _by_subject(one)]
        for (number, own), shown in zip(owns, _shown([own for _, own in owns]), strict=True):
            found[number] += _told(own, shown)
    return found


def _by_subject(flagged: Flagged) -> Iterator[_Own]:
    for number, subject in enumerate(flagged.subjects):
        if kept := [one for one in flagged.kept if one.flagged.subject == number]:
            yield _Own(flagged.pane, number, subject, kept)


def _shown(owns: Sequence[_Own]) -> list[list[Shown]]:
    """Of each, in their order; what one subject of a reference is compared with is asked for at once."""
    alike: dict[tuple[str | None, int], list[int]] = {}
    for place, own in enumerate(owns):
        alike.setdefault((own.pane.reference, own.number), []).append(place)
    found: dict[int, list[Shown]] = {}
    for places in alike.values():
        contents = [[one.content for one in owns[place].kept] for place in places]
        found |= zip(places, owns[places[0]].subject.shown(contents, MOST_TOLD), strict=True)
    return [found[place] for place in range(len(owns))]


def _told(own: _Own, shown: Sequence[Shown]) -> Iterator[OodSample]:
    pane = own.pane
    for one in shown:
        flagged, content = own.kept[one.place]
        yield OodSample(
            stream=pane.stream,
            topic=pane.topic,
            topic_id=pane.topic_id,
            partition=pane.partition,
            offset=flagged.offset,
            bucket=pane.bucket,
            model=pane.model,
            version=pane.version,
            reference=pane.reference or "",
            of=own.subject.profile.of,
            p=round(one.p, 6),
            predicted=None if content.predicted is None else fitted(content.predicted, CATEGORY),
            alike=one.alike,
            flagged=len(own.kept),
            nearest=one.nearest,
            text=flagged.text,
        )
