"""What a learner is to remember: rows that wait for their labels."""

from collections.abc import Iterator

from ....schemas.configuration import Configuration
from ....schemas.configuration.learner import MOST_WAITING
from ....schemas.stored.reference import Reference
from ...streams.spans import Spans
from .finding import Finding


def learns(configuration: Configuration, reference: Reference) -> Iterator[Finding]:
    """Of one model version that has ``learner:``."""
    settings, name = configuration.model(reference.model), f"models.{reference.model}"
    rate = settings.rate or reference.rate
    if settings.learner is None or settings.labels is None or settings.examples is None or rate is None:
        return
    sample = min(settings.examples.sample, configuration.labels[settings.labels].sample)
    wait = settings.learner.wait or Spans.of(configuration, settings.labels).wait
    waiting = rate * wait / 1000 * sample
    if waiting > MOST_WAITING:
        most = f"{sample * MOST_WAITING / waiting:.2g}"
        yield Finding("note", f"{name}.examples.sample: some {waiting:,.0f} rows wait for their labels, in every snapshot; write {most}")
    else:
        yield Finding("ok", f"{name}.learner: some {waiting:,.0f} rows wait for their labels")
