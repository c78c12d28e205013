"""What the diagnoser reads of the configuration: the hash of this, and of nothing else, stands in its events; thresholds by name."""

from ...detectors.diagnosis.thresholds import Thresholds
from ...schemas.configuration import Configuration
from ...schemas.unusable import Unusable

_STREAM = ("topics", "clock", "pane", "patience")
_LABELS = ("topics", "wait", "outcome", "positive")
_MODEL = ("stream", "labels", "outcomes.features", "season", "rate", "features", "ood", "diagnosis", "agreement")
_SOURCE = ("owner", "same_code")


class UnusableThreshold(Unusable):
    """A threshold that is none, or cannot be so large."""


def configuration_hash(configuration: Configuration) -> str:
    """Of all that decides what is said of causes."""
    return configuration.digest(streams=_STREAM, labels=_LABELS, models=_MODEL, sources=_SOURCE)


def thresholds_of(configuration: Configuration, model: str) -> Thresholds:
    """Of a model. Raises `UnusableThreshold` with the path of its key."""
    settings = configuration.model(model).diagnosis
    try:
        return Thresholds.of({} if settings is None else settings.thresholds)
    except ValueError as error:
        msg = f"models.{model}.diagnosis.thresholds.{error}"
        raise UnusableThreshold(msg) from error
