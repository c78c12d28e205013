"""From which bucket a reference holds."""

import time

import click

from ...schemas.configuration import ROW_MS, Stream
from ...schemas.messages.announcement import FROM_START
from ..reference.announce import soonest
from ..reference.building.messages import epoch_ms
from ..streams.buckets import buckets


def beginning(model: str, stream: Stream, *, from_start: bool | None, since: str | None) -> int:
    """The bucket boundary from which it holds. ``from_start`` None: the verb has no such option."""
    if from_start and since:
        msg = "--from-start and --since: say one of them"
        raise click.UsageError(msg)
    if from_start:
        return FROM_START
    if since:
        return buckets(stream.pane).start(time_in(stream, "--since", since))
    if stream.clock == "record":
        options = "--since TIME" if from_start is None else "--from-start or --since TIME"
        msg = f"the stream of {model} has clock: record, so no wall clock says from when on this holds: add {options}"
        raise click.UsageError(msg)
    return soonest(stream, time.time_ns() // 1_000_000)


def now_or(model: str, stream: Stream, at: str | None) -> int:
    """The time that a user names with ``--at``, else now; with ``clock: record`` there is no now."""
    if at is not None:
        return time_in(stream, "--at", at)
    if stream.clock == "record":
        msg = f"the stream of {model} has clock: record, so no wall clock says when this is: add --at TIME"
        raise click.UsageError(msg)
    return time.time_ns() // 1_000_000


def time_in(stream: Stream, option: str, text: str) -> int:
    """The record time that a user names, ms."""
    in_rows = stream.pane.unit == "rows"
    try:
        return int(text.removeprefix("row ")) * ROW_MS if in_rows else epoch_ms(text)
    except ValueError:
        example = "the number of a row, for example 30000" if in_rows else "an ISO 8601 time, for example 2026-03-01T10:00:00Z"
        msg = f"{option} {text}: write {example}"
        raise click.UsageError(msg) from None
