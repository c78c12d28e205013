"""``driftbus alerts``: whether those who are to be told can be."""

import os
import time
import uuid

import click

from ...schemas.configuration import Configuration
from ..alerter.alerter import destination
from ..alerter.subjects import Subject
from ..alerter.telling import Due
from ..replay.terminal import say
from .configured import configured


@click.group()
def alerts() -> None:
    """Try those who are told of what is open."""


@alerts.command()
@click.argument("name")
@configured
def test(configuration: Configuration, name: str) -> None:
    """Send an alert to NAME that says it is a test. With Alertmanager it is over after five minutes."""
    if name not in configuration.alerts:
        msg = f"alerts: {name} is not among {', '.join(configuration.alerts) or 'them: there are none'}"
        raise click.ClickException(msg)
    now = time.time_ns() // 1_000_000
    text = f"Somebody wrote: driftbus alerts test {name}. Nothing is the matter."
    one = Subject("incident", f"test-{uuid.uuid4().hex}", "test", "-", "minor", now, "driftbus: a test", text, now)
    told = destination(configuration, name, os.environ)
    try:
        took = told.tell([Due(one, None)], now).said
    finally:
        told.close()
    if took:
        say(f"{name}: told {where(configuration, name)}")
        return
    msg = f"{name}: {where(configuration, name)} took nothing"
    raise click.ClickException(msg)


def where(configuration: Configuration, name: str) -> str:
    """Where an alert goes, without secrets."""
    own = configuration.alerts[name]
    if own.alertmanager is not None:
        return f"Alertmanager at {own.alertmanager.url}"
    assert own.apprise is not None
    return f"the address of Apprise's in {own.apprise.url_from}"
