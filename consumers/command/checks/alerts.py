"""Where alerts go, and whether they can."""

import os
from collections.abc import Iterator

from ....schemas.configuration import Configuration
from ....schemas.unusable import Unusable
from ...alerter.alerter import destination
from ..alerts import where
from .finding import Finding


def told_of(configuration: Configuration) -> Iterator[Finding]:
    """Of each that is configured: nothing is sent."""
    live = any(stream.clock == "live" for stream in configuration.streams.values())
    for name, own in configuration.alerts.items():
        whose = f" of {', '.join(own.models)}" if own.models else ""
        try:
            destination(configuration, name, os.environ).stop()
        except Unusable as error:
            yield Finding("wrong", str(error))
        else:
            yield Finding("ok", f"alerts.{name}: what is {own.severity} or worse{whose} goes to {where(configuration, name)}")
        if not live:
            yield Finding("note", f"alerts.{name}: with clock: record nobody is told anything")
