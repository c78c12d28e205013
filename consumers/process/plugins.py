"""The detectors that can be asked for by name: driftbus's own, and those that installed packages bring by an entry point."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from ...detectors.named.built_in import BUILT_IN
from ...detectors.named.choice import Kinds
from ...detectors.named.interface import NamedDetector
from ...schemas.configuration import Model
from ...schemas.unusable import Unusable

#: Of entry points: ``name = "package.module:SettingsClass"``.
GROUP = "driftbus.detectors"


class UnusablePlugin(Unusable):
    """An installed package's detector that cannot be used, with the reason."""


def found_for(models: Iterable[Model]) -> Kinds:
    """Those that models may ask for. Packages are looked through only where a name is not one of driftbus's own."""
    asked = {name for model in models for settings in model.features.values() for name, _ in settings.detectors}
    return BUILT_IN if asked <= set(BUILT_IN) else found()


def found() -> Kinds:
    """All there are."""
    brought = {point.name: _loaded(point) for point in entry_points(group=GROUP)}
    return {**BUILT_IN, **brought}


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
