"""``driftbus demo``: a year of real flights."""

from pathlib import Path

import click

from ..console.screen import Terminal
from ..demo.loop_told import run_loop
from ..demo.story import run_demo


@click.command()
@click.option("--bus", type=click.Choice(["embedded", "kafka"]), default="embedded", show_default=True, help="Where the messages travel.")
@click.option(
    "-X",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="A librdkafka setting for --bus kafka.  [default: bootstrap.servers=localhost:9092]",
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Where drift.png and events.jsonl go.  [default: the current folder]",
)
@click.option("--closed-loop", is_flag=True, help="Train, test and promote new versions of the model over the year; writes loop.png.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of --closed-loop: draws every second flight.")
@click.option("--fault", metavar="MM-DD", default="07-08", show_default=True, help="Of --closed-loop: when the week of the fault begins.")
def demo(bus: str, settings: tuple[str, ...], folder: Path, closed_loop: bool, seed: int, fault: str) -> None:
    """Show what driftbus finds in a year of real flights from New York, with one fault injected on purpose."""
    if closed_loop:
        if bus != "embedded":
            msg = "--closed-loop plays on the embedded bus alone: a record of a Kafka may be on its way when the day is over"
            raise click.UsageError(msg)
        run_loop(folder, Terminal(), seed, fault)
        return
    kafka = None
    if bus == "kafka":
        kafka = {"bootstrap.servers": "localhost:9092"} | dict(_setting(text) for text in settings)
    elif settings:
        msg = "-X says something about Kafka; add --bus kafka"
        raise click.UsageError(msg)
    run_demo(folder, Terminal(), kafka)


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        msg = f"-X {text}: write KEY=VALUE, for example -X bootstrap.servers=kafka:9092"
        raise click.UsageError(msg)
    return key, value
