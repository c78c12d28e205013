"""Which cases people are asked about, and whether they would see anything of them."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from ....schemas.configuration import Configuration
from ....schemas.stored.reference import Reference
from ...detector.answers import BASELINE
from ...profiler.candidates import PLAIN
from ...streams.slots import Slots
from .finding import Finding

#: In ms.
_DAY = 86_400_000


def cases(configuration: Configuration, reference: Reference) -> Iterator[Finding]:
    """Of one model version that has ``review:``."""
    settings = configuration.model(reference.model)
    slots = Slots.of(settings, configuration.streams[configuration.stream_of(reference.model)].pane)
    if settings.review is None or slots is None:
        return
    key, features = f"models.{reference.model}.review", [one for one in reference.fields if one.role == "feature"]
    show = settings.review.show
    seen = [one.name for one in features if (one.type in PLAIN if show is None else any(fnmatchcase(one.name, part) for part in show))]
    text = f"{key}: {settings.review.budget}, at most {slots.most[0]:,} in a slot; reviewers see {', '.join(seen) or 'nothing'}"
    yield Finding("ok" if seen else "note", text)
    uniform = settings.review.budget.due(_DAY) * settings.review.uniform
    if uniform:
        tested = f"errors that people find are tested behind {BASELINE:,} answers to uniform draws"
        yield Finding("ok", f"{key}: {tested}: some {max(BASELINE / uniform, 1):,.0f} days, if all are answered")
    else:
        yield Finding("note", f"{key}.uniform is 0: nothing is drawn uniformly, so errors that people find are not tested")
    if hidden := [one.name for one in features if show is None and one.type == "text"]:
        yield Finding("note", f"{key}: texts are not shown unless {key}.show names them; then they are stored: {', '.join(hidden)}")
