"""What is summed of a model's outcomes beside what always is: groups of its features, and metrics of a user's own."""

from collections.abc import Iterator

from ....detectors.outcomes.grouping import Grouping
from ....schemas.configuration import Configuration
from ....schemas.stored.reference import Reference
from ...process.plugins import UnusablePlugin, metrics_of
from .finding import Finding


def own_metrics(configuration: Configuration) -> Iterator[Finding]:
    """Whether they can be loaded, and do not fail on ordinary rows."""
    for name, model in configuration.models.items():
        if not model.outcomes.metrics:
            continue
        try:
            found = metrics_of(configuration, name)
        except UnusablePlugin as error:
            yield Finding("wrong", str(error))
            continue
        yield Finding("ok", f"models.{name}.outcomes.metrics: {', '.join(metric.name for metric in found)}")


def grouped_features(configuration: Configuration, reference: Reference) -> Iterator[Finding]:
    """By which features' groups the outcomes of a version are summed; which it has not."""
    chosen = configuration.model(reference.model).grouped
    if not chosen:
        return
    grouping = Grouping(reference.fields, chosen)
    who, there = f"{reference.model}/{reference.version}", [feature.name for feature in grouping.features]
    yield Finding("ok" if there else "note", f"{who}: outcomes are summed by groups of {', '.join(there) or 'no feature'}")
    lacking = [] if isinstance(chosen, int) else [name for name in chosen if name not in there]
    if lacking:
        key = f"models.{reference.model}.outcomes.features"
        yield Finding("note", f"{key}: {', '.join(lacking)}: no numbers or categories of the reference of {who}, so without groups")
