"""The calibration that a model's causes are told by: which the configuration names, from the artifact store or a file."""

from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from ...schemas.configuration import Configuration
from ...schemas.form import NewerForm
from ...schemas.identity import content_hash
from ...schemas.stored.calibration import Calibration
from ...schemas.unusable import Unusable
from .artifacts import ArtifactError, ArtifactStore

#: Where they lie in the artifact store.
FOLDER = "calibrations"
_STORED = "sha256:"


class UnusableCalibration(Unusable):
    """What a model's ``diagnosis.calibration`` names cannot be had, or is none."""


class Named(NamedTuple):
    """A calibration, and the hash of its content."""

    name: str
    calibration: Calibration


def calibration_of(configuration: Configuration, model: str, store: ArtifactStore) -> Named | None:
    """Of a model; None: its scores are told as they are. Raises `UnusableCalibration` with the path of the key."""
    settings = configuration.model(model).diagnosis
    if settings is None or settings.calibration is None:
        return None
    try:
        content = _content(settings.calibration, store)
        return Named(content_hash(content), Calibration.decoded(content))
    except NewerForm:
        raise
    except (ArtifactError, OSError, ValueError) as error:
        reason = "; ".join(one["msg"] for one in error.errors()) if isinstance(error, ValidationError) else str(error)
        msg = f"models.{model}.diagnosis.calibration: {settings.calibration}: {reason}; make one: driftbus feedback calibrate"
        raise UnusableCalibration(msg) from error


def _content(named: str, store: ArtifactStore) -> bytes:
    return store.beside(FOLDER).get(named) if named.startswith(_STORED) else Path(named).read_bytes()
