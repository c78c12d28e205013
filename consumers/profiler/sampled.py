"""Of a pane's flagged rows a few for people to look at: those that are nearly the same as one told count with it."""

from collections.abc import Iterator, Sequence

import numpy as np

from ...detectors.neighbours.nearest import NEIGHBOURS
from ...detectors.neighbours.vectors import LENGTH
from ...schemas.messages.ood import Near, OodSample
from ...schemas.messages.pane import Pane
from ...schemas.text import CATEGORY, fitted
from ..reference.familiar import Subject
from .unlike import Kept

#: Of a pane, and in its sketch.
MOST_TOLD = 5
#: Nearly the same are rows whose cosine is as large.
ALIKE = 0.9


def samples(pane: Pane, subjects: Sequence[Subject], kept: Sequence[Kept]) -> Iterator[OodSample]:
    """Those of the smallest hashes, of each subject at most `MOST_TOLD`."""
    for number, subject in enumerate(subjects):
        own = [one for one in kept if one.flagged.subject == number]
        if own:
            yield from _of_subject(pane, subject, own)


def _of_subject(pane: Pane, subject: Subject, kept: Sequence[Kept]) -> Iterator[OodSample]:
    queries = subject.queries([one.content for one in kept])
    vectors = queries.vectors[queries.firsts[:-1]].astype(np.float32)
    leaders: dict[int, int] = {}  # the first of those nearly the same, and how many there are
    for place in range(len(kept)):
        alike = next((one for one in leaders if float(vectors[one] @ vectors[place]) >= ALIKE * LENGTH * LENGTH), place)
        leaders[alike] = leaders.get(alike, 0) + 1
    told = list(leaders.items())[:MOST_TOLD]
    exact, products = subject.exact([kept[place].content for place, _ in told])
    for row, (place, alike) in enumerate(told):
        flagged, content = kept[place]
        near = [
            Near(int(example), round(float(product) / (LENGTH * LENGTH), 4))
            for example, product in zip(exact.nearest[row][:NEIGHBOURS].tolist(), products[row].tolist(), strict=True)
            if example >= 0
        ]
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
            p=round(float(exact.p[row]), 6),
            predicted=None if content.predicted is None else fitted(content.predicted, CATEGORY),
            alike=alike,
            flagged=len(kept),
            nearest=tuple(near),
            text=flagged.text,
        )
