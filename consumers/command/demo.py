"""``driftbus demo``: a year of real flights."""

from pathlib import Path

import click

from ..console.screen import Terminal
from ..demo.loop_told import FAULT, run_loop
from ..demo.story import run_demo


@click.command()
@click.option("--seed", type=click.IntRange(0), help="Of the flights: another draw.  [default: 0]")
@click.option("--fault", metavar="MM-DD", help="When the week of the fault begins.  [default: 07-08]")
@click.option("--drift", is_flag=True, help="Of all flights, what drifts and why, as it is told; nothing is trained. Writes drift.png.")
@click.option("--bus", type=click.Choice(["embedded", "kafka"]), help="Of --drift: where the messages travel.  [default: embedded]")
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
    help="Where pictures and events go.  [default: the current folder]",
)
def demo(seed: int | None, fault: str | None, drift: bool, bus: str | None, settings: tuple[str, ...], folder: Path) -> None:
    """Play a year of real flights from New York, with one fault injected on purpose: jobs train new versions of a model, those that prove
    better are promoted, and none is trained on the fault. Writes loop.png.
    """
    if not drift:
        if bus is not None or settings:
            msg = (
                "--bus, -X: add --drift; the loop plays on the embedded bus alone: a Kafka's record may be on its way when the day is over"
            )
            raise click.UsageError(msg)
        run_loop(folder, Terminal(), seed or 0, fault or FAULT)
        return
    if seed is not None or fault is not None:
        msg = "--seed, --fault: leave out --drift; there all flights travel, and the fault is in February"
        raise click.UsageError(msg)
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
