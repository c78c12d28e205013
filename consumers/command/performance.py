"""``driftbus performance``: how a model's predictions turned out, and what is expected of those of which it is not known."""

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from ...schemas.cloud_events import iso
from ...schemas.configuration import Configuration
from ...schemas.messages.drift import DriftEvent
from ...schemas.messages.performance import Performance
from ..bus.tail import DriftTopic
from ..console.performance import main_metric, performance_of
from ..console.screen import Table, Terminal
from ..replay.curves import draw
from ..replay.event_line import place
from ..replay.terminal import say
from .configured import configured
from .opened import opened
from .outputs import inputs_of, refuse_inputs

_NONE = "-"


@click.command()
@click.argument("model")
@click.option("--version", help="Only this one.  [default: all]")
@click.option("--segment", help="Of the predictions of this one.  [default: of all together; with --json also of each]")
@click.option("--metric", help="The one to show.  [default: accuracy, of numbers mae]")
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the newest N intervals of each version.")
@click.option("--json", "as_json", is_flag=True, help="Everything that is known, a line of JSON an interval.")
@click.option(
    "--plot", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE", help="Draw it here (PNG, SVG, PDF)."
)
@configured
def performance(
    configuration: Configuration,
    model: str,
    version: str | None,
    segment: str | None,
    metric: str | None,
    last: int | None,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Show MODEL's performance, an interval of prediction time a row.

    `realised` is of the predictions that have a label, `estimated` of all, by how often such predictions were right before; `completed` is
    of the labelled as they are and of the others as estimated. They answer different questions, and are never one number.
    """
    if plot and find_spec("matplotlib") is None:
        msg = '--plot needs matplotlib; install it with: pip install "driftbus[plot]"'
        raise click.ClickException(msg)
    refuse_inputs({"--plot": plot}, dict(inputs_of(configuration)))
    if not configuration.labels:
        msg = "no labels are configured, so nobody knows how predictions turn out; see labels: in docs/labels.md"
        raise click.ClickException(msg)
    with opened(configuration) as bus:
        known = [one for one in performance_of(bus, configuration) if one.model == model and version in (None, one.version)]
        drifts = [event for event in DriftTopic(bus, configuration, from_start=True).new() if isinstance(event, DriftEvent)] if plot else []
    if not known:
        msg = f"nothing is known of {model} yet: labels come through the joiner, and the first interval is told when it is over"
        raise click.ClickException(msg)
    known = known if last is None else _newest(known, last)
    found = [one for one in known if one.segment == segment]
    if not found:
        msg = f"--segment {segment}: there are {', '.join(sorted({one.segment for one in known if one.segment is not None})) or 'none'}"
        raise click.UsageError(msg)
    chosen = metric or main_metric(found)
    if metric is not None and not any(metric in one.realised for one in found):
        msg = f"--metric {metric}: there are {', '.join(sorted({name for one in found for name in one.realised}))}"
        raise click.UsageError(msg)
    if plot:
        draw(plot, found, chosen, drifts)
    if as_json:
        for one in known if segment is None else found:
            say(json.dumps(one.model_dump(mode="json"), ensure_ascii=False))
        return
    Terminal().table(_table(found, chosen))


def _newest(records: Sequence[Performance], most: int) -> list[Performance]:
    """Of each version and segment."""
    apart: dict[tuple[str, str | None], list[Performance]] = {}
    for one in records:
        apart.setdefault((one.version, one.segment), []).append(one)
    return [one for own in apart.values() for one in own[-most:]]


def _table(found: Sequence[Performance], metric: str) -> Table:
    table = Table("version", "predictions of", "made", "labelled", "expired", metric, "95 %", "estimated", "completed", "state")
    for one in found:
        within = _NONE if one.low is None or one.high is None or metric != "accuracy" else f"{one.low:.3f} .. {one.high:.3f}"
        table.row(
            one.version,
            place(iso(one.start)),
            f"{one.predicted:,}",
            f"{one.labelled:,}",
            f"{one.expired:,}",
            _number(one.realised, metric),
            within,
            _number(one.estimated, metric),
            _number(one.completed, metric),
            "final" if one.final else "labels may come",
        )
    return table


def _number(metrics: Mapping[str, float | None], name: str) -> str:
    value = metrics.get(name)
    return _NONE if value is None else f"{value:.4g}"
