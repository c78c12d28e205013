"""What users bring: detectors that can be asked for by name, by an entry point of an installed package, and metrics of their own."""

import importlib
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from ...detectors.named.built_in import BUILT_IN
from ...detectors.named.choice import Kinds
from ...detectors.named.interface import NamedDetector
from ...detectors.outcomes.own import OwnMetric, columns_of, tried
from ...schemas.configuration import Configuration, Model
from ...schemas.stored.outcomes import MOST_OWN, OutcomeBasis
from ...schemas.unusable import Unusable

#: Of entry points: ``name = "package.module:SettingsClass"``.
GROUP = "driftbus.detectors"


class UnusablePlugin(Unusable):
    """What a user brought that cannot be used, with the reason."""


def found_for(models: Iterable[Model]) -> Kinds:
    """Those that models may ask for. Packages are looked through only where a name is not one of driftbus's own."""
    asked = {name for model in models for settings in model.features.values() for name, _ in settings.detectors}
    return BUILT_IN if asked <= set(BUILT_IN) else found()


def found() -> Kinds:
    """All there are."""
    brought = {point.name: _loaded(point) for point in entry_points(group=GROUP)}
    return {**BUILT_IN, **brought}


def metrics_for(configuration: Configuration) -> dict[str, tuple[OwnMetric, ...]]:
    """The metrics of each model's own, tried on a few rows."""
    return {name: metrics_of(configuration, name) for name, model in configuration.models.items() if model.outcomes.metrics}


def metrics_of(configuration: Configuration, model: str) -> tuple[OwnMetric, ...]:
    """Those of one model. Raises `UnusablePlugin`."""
    return tuple(_metrics(configuration, model))


def _metrics(configuration: Configuration, model: str) -> Iterator[OwnMetric]:
    key, labels = f"models.{model}.outcomes.metrics", configuration.labels[configuration.models[model].labels or ""]
    found: list[OwnMetric] = []
    for named in configuration.models[model].outcomes.metrics:
        module, _, name = named.partition(":")
        try:
            metric = getattr(importlib.import_module(module), name)
        except Exception as error:  # whatever a user's module raises
            msg = f"{key}: {named} cannot be loaded: {type(error).__name__}: {error}; it is looked for as Python does: install its package"
            raise UnusablePlugin(msg) from error
        if not isinstance(metric, OwnMetric):
            msg = f"{key}: {named} is a {type(metric).__name__}, and no OwnMetric; see docs/labels.md"
            raise UnusablePlugin(msg)
        found.append(metric)
        if len({one.name for one in found}) < len(found) or len(columns_of(found)) > MOST_OWN:
            msg = f"{key}: {named}: another is called {metric.name}, or they have more than {MOST_OWN} columns together; change its name"
            raise UnusablePlugin(msg)
        classes = ("(none)",) if labels.outcome == "category" else ()
        try:
            tried(metric, OutcomeBasis(task=labels.outcome, classes=classes, own=metric.own))
        except Unusable as error:
            msg = f"{key}: {named}: {error}"
            raise UnusablePlugin(msg) from error
        yield metric


def _loaded(point: EntryPoint) -> type[NamedDetector]:
    package = point.dist.name if point.dist else "a package"
    if point.name in BUILT_IN:
        msg = f"detector {point.name} of {package}: driftbus has one of this name; give it another in its entry point"
        raise UnusablePlugin(msg)
    try:
        kind: Any = point.load()  # of whatever somebody wrote
    except (ImportError, AttributeError) as error:
        msg = f"detector {point.name} of {package} cannot be loaded from {point.value}: {error}; mend or uninstall the package"
        raise UnusablePlugin(msg) from error
    lacking = [name for name in ("model_validate", "model_json_schema", "model_dump_json", "on") if not hasattr(kind, name)]
    if lacking:
        msg = f"detector {point.name} of {package}: {point.value} has no {', '.join(lacking)}; see docs/detectors.md"
        raise UnusablePlugin(msg)
    return cast("type[NamedDetector]", kind)
