"""What the detector reads of the configuration: the hash of this, and of nothing else, stands in its events."""

from ...schemas.configuration import Configuration
from ...schemas.configuration.features import WHOSE

#: Of every stream, and of every model, the keys that decide events. Never the bus, its secrets or paths; nor what another consumer reads.
STREAM = ("topics", "clock", "pane", "format", "mapping", "where", "grace", "max_jump", "max_ahead", "max_rows", "linger", "patience")
MODEL = (
    "stream",
    "false_alarms",
    "rate",
    "min_effect",
    "important",
    "segments",
    "pairs",
    "season",
    "volume",
    "silence",
    "trailing",
    "features",
    "ood.important",
    "ood.samples",
)
#: Of these, what came later, with the values with which all is as before.
LATER = {"where": None, "max_ahead": "1m", "nulls": None, "zone": None, "ood": None, "entity": None, "as_of": None}


def configuration_hash(configuration: Configuration) -> str:
    """Of all that decides which drift events there are."""
    return configuration.digest(LATER, WHOSE, streams=STREAM, models=MODEL)
