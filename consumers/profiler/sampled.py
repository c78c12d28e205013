"""Of a pane's flagged rows a few for people to look at: those that are nearly the same as one told count with it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ...schemas.messages.ood import OodSample
from ...schemas.messages.pane import Pane
from ...schemas.text import CATEGORY, fitted
from ..reference.scored import Compared
from .unlike import Kept

#: Of a pane, and in its sketch.
MOST_TOLD = 5


def samples(pane: Pane, subjects: Sequence[Compared], kept: Sequence[Kept]) -> Iterator[OodSample]:
    """Those of the smallest hashes, of each subject at most `MOST_TOLD`."""
    for number, subject in enumerate(subjects):
        own = [one for one in kept if one.flagged.subject == number]
        if own:
            yield from _of_subject(pane, subject, own)


def _of_subject(pane: Pane, subject: Compared, kept: Sequence[Kept]) -> Iterator[OodSample]:
    leaders = Counter(subject.leaders([one.content for one in kept]))
    told = sorted(leaders.items())[:MOST_TOLD]
    shown = subject.shown([kept[place].content for place, _ in told])
    for (place, alike), one in zip(told, shown, strict=True):
        flagged, content = kept[place]
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
            of=subject.profile.of,
            p=round(one.p, 6),
            predicted=None if content.predicted is None else fitted(content.predicted, CATEGORY),
            alike=alike,
            flagged=len(kept),
            nearest=one.nearest,
            text=flagged.text,
        )
