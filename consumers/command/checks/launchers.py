"""Whether launchers can do what they are for: of a webhook, whether its secrets are some."""

from collections.abc import Iterator

from ....schemas.configuration import Configuration
from ....schemas.configuration.launchers import Webhook
from ....schemas.unusable import Unusable
from ...launcher.launcher import starting
from ...pipeline.runner import wall_ms
from .finding import Finding


def delivered_by(configuration: Configuration) -> Iterator[Finding]:
    """Webhooks that could deliver nothing, where jobs are started at all: nothing is sent."""
    if not any(stream.acted_on for stream in configuration.streams.values()):
        return
    for name, own in configuration.launchers.items():
        if isinstance(own.kind, Webhook):
            try:
                starting(configuration, name, wall_ms).stop()
            except Unusable as error:
                yield Finding("wrong", str(error))
