"""``driftbus review``: people answer what they are asked about predictions, on a page of our own or in Label Studio."""

import getpass
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, NamedTuple

import click
import msgspec

from ...schemas.configuration import Configuration
from ...schemas.messages.review import ReviewAnswer
from ..bus.interface import BusError
from ..desk import given, label_studio
from ..desk.asking import Questions
from ..desk.desk import Desk
from ..desk.label_studio_server import WHO, Delivery, LabelStudioError, Project
from ..desk.page import Page, served
from ..desk.webhook import received
from ..process.settings import ConfigurationError
from ..process.stopping import Stopping, stopped_by_signals
from ..reference.artifacts import ArtifactStore
from ..replay.terminal import Styled, say
from .configured import configured
from .fields import FiniteRange
from .opened import opened

#: Seconds between two looks whether the page is to end, and after which a server that did not answer is asked again, at most.
_TURN_S, _LONGEST_S = 0.25, 300.0
#: And between two rounds, whatever its webhooks say.
_LEAST_S = 1.0
_LABELS = click.option(
    "--label",
    "labels",
    metavar="NAME",
    multiple=True,
    help="What may be answered, instead of the model's own labels. May be repeated.",
)


class _OrPage(click.Group):
    """A group whose verb may be left out: it is then `page`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put it in."""
        helps = any(option in args[:1] for option in ctx.help_option_names)
        return super().parse_args(ctx, args if helps or (args and args[0] in self.commands) else ["page", *args])


@click.group(cls=_OrPage)
def review() -> None:
    """Answer what people are asked about a model's predictions.

    `driftbus review [MODEL]` is `driftbus review page [MODEL]`; a model that is called as one of the verbs needs the longer form.
    """


class _Open(NamedTuple):
    desk: Desk
    questions: Questions


@contextmanager
def _opened(configuration: Configuration, model: str | None, labels: Sequence[str] = ()) -> Iterator[_Open]:
    if model is not None and configuration.model(model).review is None:
        asked = ", ".join(name for name, one in configuration.models.items() if one.review is not None)
        msg = f"{model}: nobody is asked about it: models.{model}.review is not there; models with it: {asked or 'none'}"
        raise ConfigurationError(msg)
    with opened(configuration) as bus:
        desk = Desk(bus, configuration, model)
        desk.refresh()
        yield _Open(desk, Questions(configuration, ArtifactStore(configuration.artifacts), desk, labels))


@review.command()
@click.argument("model", required=False)
@click.option("--reviewer", metavar="NAME", help="Who answers: several people are told apart by it.  [default: the user's name here]")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Of the page.  [default: any that is free]")
@click.option("--blind", is_flag=True, help="Hide what the model said until it is asked for (p): nobody is led by it.")
@_LABELS
@configured
def page(configuration: Configuration, model: str | None, reviewer: str | None, port: int, blind: bool, labels: tuple[str, ...]) -> None:
    """Show the cases of MODEL, or of all models, on a page in the browser, one by one; publish the answers.

    It is served to this machine alone, at an address with a secret that is printed here. From another one: ssh -L PORT:127.0.0.1:PORT.
    """
    reviewer = _named(reviewer)
    with stopped_by_signals() as stopping, _opened(configuration, model, labels) as (desk, questions):
        ended = False

        def end() -> None:
            nonlocal ended
            ended = True

        stopping.calls(end)
        shown = Page(desk, questions, reviewer, model, blind=blind)
        with served(shown, port) as address:
            waiting = sum(len(group.cases) for group in desk.waiting(reviewer))
            say(f"{waiting:,} cases wait for {reviewer}; end: Ctrl-C")
            say(address)
            while not ended:
                shown.turn(_TURN_S)


def _named(reviewer: str | None) -> str:
    try:
        name = (getpass.getuser() if reviewer is None else reviewer).strip()
    except (OSError, KeyError):
        name = ""
    if not 1 <= len(name) <= 200:
        msg = f"--reviewer {name[:50]!r}: write a name of 1 to 200 characters"
        raise click.UsageError(msg)
    return name


@review.command()
@click.argument("model", required=False)
@click.option("--label-studio", "as_tasks", is_flag=True, help="As tasks of Label Studio, to import there.")
@click.option("--reviewer", metavar="NAME", default=WHO, help="For whom: what he has answered is left out.  [default: anybody]")
@_LABELS
@configured
def export(configuration: Configuration, model: str | None, as_tasks: bool, reviewer: str, labels: tuple[str, ...]) -> None:
    """Print the cases of MODEL, or of all models, that wait for an answer: a line of JSON each."""
    with _opened(configuration, model, labels) as (desk, questions):
        waiting = desk.waiting(reviewer)
        if as_tasks:
            say(msgspec.json.encode([label_studio.task(group, questions(group.first), desk) for group in waiting]).decode())
            return
        for group in waiting:
            for case in group.cases:
                say(case.encoded().decode())


@review.command(name="import")
@click.argument("file", type=click.File("rb"))
@click.option("--reviewer", metavar="NAME", help="Who answered, where a line does not say.")
@_LABELS
@configured
def import_(configuration: Configuration, file: BinaryIO, reviewer: str | None, labels: tuple[str, ...]) -> None:
    """Publish the answers in FILE: a JSON export of Label Studio, or lines of JSON with `case`, `label` or `skipped`, `reviewer`.

    Twice is once.
    """
    content = file.read()
    with _opened(configuration, None, labels) as (desk, questions):
        found = list(given.answers(content, desk, questions, reviewer, time.time_ns() // 1_000_000))
        answers = [one for one in found if isinstance(one, ReviewAnswer)]
        new = desk.publish(answers, newer=True)
    known = f", {len(answers) - new:,} known already" if new < len(answers) else ""
    say(f"{new:,} answers published{known}")
    unread = [one for one in found if not isinstance(one, ReviewAnswer)]
    for one in unread:
        say(Styled("left out ", "yellow"), f"{one.place}: {one.why}", err=True)
    if unread:
        raise click.exceptions.Exit(1)


@review.command()
@click.argument("model")
@_LABELS
@configured
def interface(configuration: Configuration, model: str, labels: tuple[str, ...]) -> None:
    """Print the labelling interface for a project of Label Studio that is to hold MODEL's cases."""
    with _opened(configuration, model, labels) as (desk, questions):
        for line in _interface(desk, questions, model).splitlines():
            say(line)


def _interface(desk: Desk, questions: Questions, model: str) -> str:
    asked = next(iter(reversed(list(desk.requests()))), None)
    if asked is None:
        msg = f"{model}: nothing was asked yet, so it is not known what may be answered; try again when driftbus status shows a case"
        raise click.ClickException(msg)
    return label_studio.interface(questions(asked))


@review.command()
@click.argument("model")
@click.option("--url", required=True, help="Of Label Studio: http://127.0.0.1:8080")
@click.option("--project", required=True, type=int, help="Its number there.")
@click.option("--token", envvar="LABEL_STUDIO_TOKEN", show_envvar=True, required=True, help="Of an account there.")
@click.option("--set-interface", is_flag=True, help="Give the project the labelling interface of these cases first.")
@click.option("--every", default=10.0, show_default=True, type=FiniteRange(1, 3600), metavar="SECONDS", help="Between two rounds.")
@click.option(
    "--webhook",
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    help="Listen on 127.0.0.1 for its webhooks: an annotation is fetched at once.",
)
@click.option("--once", is_flag=True, help="One round, and end.")
@_LABELS
@configured
def deliver(
    configuration: Configuration,
    model: str,
    url: str,
    project: int,
    token: str,
    set_interface: bool,
    every: float,
    webhook: int | None,
    once: bool,
    labels: tuple[str, ...],
) -> None:
    """Bring MODEL's cases to a project of Label Studio, and publish what is annotated there, until it is told to stop."""
    place = Project(url, project, token)
    if place.in_clear:
        say(Styled("in clear ", "yellow"), "the token and the cases travel unencrypted to another machine; write https://", err=True)
    with ExitStack() as open_, stopped_by_signals() as stopping, _opened(configuration, model, labels) as (desk, questions):
        news = threading.Event()
        if webhook is not None:
            address, news = open_.enter_context(received(webhook))
            say(f"webhook: {address}")
        if set_interface:
            place.set_interface(_interface(desk, questions, model))
        delivery, pause = Delivery(desk, questions, place), every
        stopping.calls(lambda: None)
        while True:
            try:
                done = delivery.round()
            except (LabelStudioError, BusError) as error:
                if once:
                    raise
                pause = min(2 * pause, _LONGEST_S)
                say(Styled("again ", "yellow"), f"in {pause:g} s: {error}", err=True)
            else:
                pause = every
                if once or done.tasks or done.answers:
                    say(f"{done.tasks:,} tasks brought, {done.answers:,} answers published")
            if not once:
                _wait(pause, news, stopping)
            if once or stopping.asked:
                return


def _wait(seconds: float, news: threading.Event, stopping: Stopping) -> None:
    """For the next round: so long, or, where there is news, no longer than keeps rounds from following each other at once."""
    begun = time.monotonic()
    while not stopping.asked and (passed := time.monotonic() - begun) < seconds:
        if not news.is_set():
            news.wait(min(_TURN_S, seconds - passed))
        elif passed < _LEAST_S:
            time.sleep(min(_TURN_S, _LEAST_S - passed))
        else:
            break
    news.clear()  # what comes from now on may be behind the round
