"""``driftbus feedback``: what people say of incidents, and how sure of a cause one may be by all that they said."""

import time
from collections import Counter
from typing import get_args

import click

from ...detectors.diagnosis.calibration import ENOUGH, fitted
from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.messages.feedback import Answer, Feedback
from ...schemas.messages.root_cause import Cause, RootCauseEvent
from ..console.incidents import answered, incident_of, said
from ..console.screen import Table, Terminal
from ..reference import feedback as saying
from ..reference.artifacts import ArtifactStore
from ..reference.calibrations import FOLDER
from ..replay.event_line import short_id
from ..replay.terminal import say
from .configured import configured
from .opened import opened
from .since import time_in

_CAUSES = click.Choice(get_args(Cause))


class _Verbs(click.Group):
    """The incident may stand in front: `driftbus feedback INCIDENT confirm`, as one says it."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb, and the words behind it."""
        return super().resolve_command(ctx, args if args[0] in self.commands else [*reversed(args[:2]), *args[2:]])


@click.group(cls=_Verbs)
def feedback() -> None:
    """Say whether an incident is what it is told as: driftbus feedback INCIDENT confirm, or reject.

    INCIDENT is the id in its events, or the beginning of it. What is confirmed counts as confirmed; what is rejected is withdrawn, and is
    not told again for the same onset.
    """


def _verb(answer: Answer, does: str, of_cause: str) -> None:
    """A verb that says one answer."""

    @feedback.command(name=answer, help=does)
    @click.argument("incident")
    @click.option("--cause", type=_CAUSES, help=of_cause)
    @click.option("--note", metavar="TEXT", help="Why, for whoever reads it later.")
    @click.option("--by", metavar="NAME", help="Who says it.")
    @click.option("--at", metavar="TIME", help="When: ISO 8601, record time.  [default: now; with clock: record that of the last event]")
    @configured
    def say_it(configuration: Configuration, incident: str, cause: Cause | None, note: str | None, by: str | None, at: str | None) -> None:
        with opened(configuration) as bus:
            found = incident_of(bus, configuration, incident).last
            if answer == "confirm" and cause not in (None, found.cause):
                msg = f"--cause {cause}: it is told as {found.cause}; if it is {cause} instead: reject --cause {cause}"
                raise click.UsageError(msg)
            when = _time(configuration, found, at)
            fields = {"model": found.model, "incident": found.incident, "answer": answer, "cause": cause, "note": note, "by": by}
            try:
                word = Feedback.of(fields | {"time": when})
            except ValueError as error:
                raise click.UsageError(str(error)) from None
            saying.tell(bus, configuration, word)
        instead = f"; it is {cause}" if answer == "reject" and cause else ""
        say(f"{short_id(found.incident)} ({found.cause} of {found.model}/{found.version}): {answer}ed{instead}")


_verb("confirm", "INCIDENT is what it is told as.", "What it is, so that nothing else is confirmed by mistake.")
_verb("reject", "INCIDENT is not what it is told as.", "What it is instead.")


def _time(configuration: Configuration, found: RootCauseEvent, at: str | None) -> int:
    stream = configuration.streams[configuration.stream_of(found.model)]
    if at is not None:
        return time_in(stream, "--at", at)
    return found.run if stream.clock == "record" else time.time_ns() // 1_000_000


@feedback.command(name="list")
@configured
def list_(configuration: Configuration) -> None:
    """List the last word on each incident of which there is one."""
    with opened(configuration) as bus:
        words = said(bus, configuration)
    if not words:
        say("nothing has been said: driftbus feedback INCIDENT confirm|reject")
        return
    table = Table("incident", "model", "answer", "cause", "by", "at", "note", wide=("model", "note"))
    for (_, incident), one in sorted(words.items(), key=lambda item: (item[1].time, item[0][::-1])):
        word = one.word
        table.row(short_id(incident), word.model, word.answer, word.cause or "-", word.by or "-", iso(one.time), word.note or "-")
    Terminal().table(table)


@feedback.command()
@configured
def calibrate(configuration: Configuration) -> None:
    """Make a calibration of all that people said, and store it: how often a cause was right that was told with such a score.

    Nothing uses it until the configuration names it.
    """
    with opened(configuration) as bus:
        answers = answered(bus, configuration)
    calibration = fitted(answers)
    confirmed = Counter(one.cause for one in answers if one.right)
    for cause, number in sorted(Counter(one.cause for one in answers).items()):
        curve = calibration.causes.get(cause)
        how = f"needs {ENOUGH} answers of both kinds" if curve is None else f"{curve.confidence[0]:.2f} to {curve.confidence[-1]:.2f}"
        say(f"{cause}: {number} answers, {confirmed[cause]} confirmed: {how}")
    if not calibration.causes:
        msg = f"of no cause there are {ENOUGH} answers, some that confirm it and some that reject it: nothing is calibrated"
        raise click.ClickException(msg)
    name = ArtifactStore(configuration.artifacts).beside(FOLDER).put(calibration.encoded())
    say(f"stored; to tell causes by it: models.NAME.diagnosis.calibration: {name}")
