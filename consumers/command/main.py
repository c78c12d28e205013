"""``driftbus``: finds each verb in the file of its name, and imports it only when it is called."""

import importlib
from typing import Any

import click

from ..console.logs import logs_to_stderr
from ..replay.terminal import guard_tracebacks, neutral, refusal

#: In the order in which a user meets them.
VERBS = {
    "demo": "Play a year of real flights: what drifts, and better models in service.",
    "check": "Say what can be reached and read, what a message decodes to, and what the budget costs.",
    "topics": "Create or list driftbus's own topics.",
    "reference": "Build the reference that a model is compared with.",
    "run": "Run the consumers: all of them, or the roles named.",
    "watch": "Show drift events as they come.",
    "status": "Say how far every consumer is, what is open, and what could not be counted.",
    "episodes": "List the episodes of drift.",
    "performance": "Show how a model's predictions turned out, and what is expected of the others.",
    "show": "Show an episode: what changed, from what to what, and what to do about it.",
    "explain": "Write a post-mortem of an incident, or of what is behind an episode.",
    "dead-letters": "List, show or replay what could not be counted.",
    "models": "Say, or list, which version of a model was registered, deployed, promoted or rolled back.",
    "coincident": "Say what else was done: a release, a feature that is computed in another way.",
    "feedback": "Say whether an incident is what it is told as; calibrate by all that people said.",
    "jobs": "Show what is to be trained anew, and how far it is; approve, reject, cancel, ask for it.",
    "dataset": "Build the data of a job, exactly those that its request names; verify them.",
    "alerts": "Try those who are told of what is open.",
    "review": "Answer what people are asked about a model's predictions: on a page, or in Label Studio.",
    "features": "Load values of features, as training computes them, into their log.",
    "golden": "Test a model itself on rows with known answers.",
    "retire": "Stop monitoring a model, or a version of it.",
    "record": "Write the input topics into a file, to replay it elsewhere.",
    "replay": "Show what would have been published over a file.",
    "schemas": "Export the JSON Schemas of all messages.",
}


class Verbs(click.Group):
    """A group that lists its verbs without importing them, and tells a user's mistakes in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order in which a user meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of that name, from its file."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(importlib.import_module(f"..{cmd_name.replace('-', '_')}", __name__), cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs with what they do, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def make_context(self, *words: Any, **extra: Any) -> click.Context:  # as click declares it
        """Read the command line; what is wrong with it is told like all else."""
        try:
            return super().make_context(*words, **extra)
        except click.ClickException as error:
            raise neutral(error) from None

    def invoke(self, ctx: click.Context) -> object:
        """Call the verb; what its user can change comes as one line, anything else as it is."""
        logs_to_stderr()
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise
        except click.ClickException as error:
            raise neutral(error) from error
        except Exception as error:
            from .errors import is_the_users, lines_of  # not above: it knows the bus, and `driftbus --help` should not wait for it

            if not is_the_users(error):
                guard_tracebacks()
                raise
            raise refusal(lines_of(error)) from error


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="driftbus")
def main() -> None:
    """Notice when the data of a model in production changes, and say so on the bus."""
