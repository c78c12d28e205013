"""``driftbus performance``: how a model's predictions turned out, and what is expected of those of which it is not known."""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from ...schemas.configuration import Configuration
from ...schemas.messages.reviewed import Reviewed
from ..console import reviewed
from ..console.awaited import answers_awaited, awaited, still_awaited
from ..console.performance import Story, main_metric, story_in, story_of
from ..console.performance_table import happened, legend, plain, table, title
from ..console.screen import Terminal
from ..replay.curves import Happened, draw
from ..replay.terminal import say
from .configured import configured
from .opened import opened
from .outputs import inputs_of, refuse_inputs

#: Intervals of a version that a terminal is shown, unless somebody asks for more.
_ON_A_TERMINAL = 40


@click.command()
@click.argument("model")
@click.option("--version", help="Only this one.  [default: all]")
@click.option("--metric", help="The one to show.  [default: accuracy, of numbers mae]")
@click.option("--segment", help="Only predictions of this segment.  [default: all together; with --json, each segment too]")
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the newest N intervals of each version.")
@click.option("--json", "as_json", is_flag=True, help="Everything that is known, a line of JSON an interval.")
@click.option(
    "--plot", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE", help="Draw it here (PNG, SVG, PDF)."
)
@click.option(
    "--from",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read what `driftbus replay` wrote with --performance and --events, or a recording with deployments, in place of the topics.",
)
@configured
def performance(
    configuration: Configuration,
    model: str,
    version: str | None,
    metric: str | None,
    segment: str | None,
    last: int | None,
    as_json: bool,
    plot: Path | None,
    files: tuple[Path, ...],
) -> None:
    """Show MODEL's performance, an interval of prediction time a row.

    `realised` is of the predictions that have a label, `estimated` of all, by how often such predictions were right before; `completed` is
    of the labelled as they are and of the others as estimated; `reviewed` is of all, as answers of people have it. They answer different
    questions, and are never one number.
    """
    if plot and find_spec("matplotlib") is None:
        msg = '--plot needs matplotlib; install it with: pip install "driftbus[plot]"'
        raise click.ClickException(msg)
    refuse_inputs({"--plot": plot}, {**{f"--from {file}": file for file in files}, **dict(inputs_of(configuration))})
    whole = story_in(files, configuration) if files else _on_the_bus(configuration, model, version)
    story = whole.of(model, version, segment)
    by_people = story.reviewed
    if by_people and not story.records:
        _say_reviewed(by_people[-(last or _ON_A_TERMINAL) :], as_json=as_json, awaiting=by_people)
        return
    if not story.records:
        raise click.ClickException(_not_there(whole, model, version, segment))
    chosen = metric or main_metric(story.records)
    if metric is not None and not any(metric in one.realised for one in story.records):
        msg = f"--metric {metric}: there are {', '.join(sorted({name for one in story.records for name in one.realised})) or 'none yet'}"
        raise click.UsageError(msg)
    terminal = Terminal()
    newest = last or (_ON_A_TERMINAL if terminal.is_one and not as_json else None)
    shown = story.newest(newest) if newest else story
    if plot:
        drawn = story.newest(last) if last else story
        done = [Happened(one.at, f"{one.event.version} {one.event.kind.replace('_', ' ')}") for one in drawn.deployments]
        events = [event for episode in drawn.episodes for event in episode.events]
        draw(plot, drawn.records, chosen, drawn.matured, events, done, drawn.reviewed)
    if as_json:
        others = [whole.of(model, version, name) for name in whole.segments(model)] if segment is None else []
        for each in (shown, *(other.newest(newest) if newest and other.records else other for other in others)):
            for one in plain(each):
                say(json.dumps(one, ensure_ascii=False))
        alone = {(one.version, one.about) for one in by_people} - {(one.version, one.about) for one in story.records}
        unlabelled = [one for one in by_people if (one.version, one.about) in alone]
        _say_reviewed(unlabelled[-newest:] if newest else unlabelled, as_json=True)
        return
    terminal.say(title(shown, chosen))
    terminal.table(table(shown, chosen, terminal.width))
    more = len(story.records) - len(shown.records)
    earlier = [f"{more:,} earlier intervals are not shown: --last {len(story.records)}"] if more and last is None else []
    _say_reviewed(by_people[-newest:] if newest else by_people, as_json=False, awaiting=by_people)
    for line in (*legend(shown, terminal.width), *happened(shown), *still_awaited(story.records), *earlier):
        terminal.say(line)


def _say_reviewed(records: Sequence[Reviewed], *, as_json: bool, awaiting: Sequence[Reviewed] = ()) -> None:
    """What reviewers' answers say, if anybody was asked; ``awaiting``: of all intervals, where these are the newest."""
    if as_json:
        for one in records:
            say(json.dumps({"reviewed": one.model_dump(mode="json")}, ensure_ascii=False))
    elif records:
        terminal = Terminal()
        what = "mae" if any(one.mae is not None for one in records) else "right"
        terminal.say(f"reviewed: {what}, of all predictions, as people's answers have it")
        terminal.table(reviewed.table(records))
        for line in answers_awaited(awaiting or records):
            terminal.say(line)


def _on_the_bus(configuration: Configuration, model: str, version: str | None) -> Story:
    """What the topics hold, of labels and of reviews. Where that is nothing of the model, say what is awaited."""
    with opened(configuration) as bus:
        there = bus.describe([configuration.topics.performance, configuration.topics.drift])
        story = story_of(bus, configuration) if len(there) > 1 else Story([], [], [])
        if model not in {*(one.model for one in story.records), *(one.model for one in story.reviewed)}:
            raise click.ClickException(f"nothing is known of {model} yet: {awaited(bus, configuration, model)}")
    return story


def _not_there(whole: Story, model: str, version: str | None, segment: str | None) -> str:
    """What is, in place of what was asked for."""
    own = [one for one in whole.records if one.model == model]
    if not own:
        return f"nothing is told of {model}; of {', '.join(sorted({one.model for one in whole.records})) or 'no model'} there is"
    if version is not None and not any(one.version == version for one in own):
        return f"nothing is told of {model}/{version}; there are versions {', '.join(sorted({one.version for one in own}))}"
    return f"nothing is told of segment {segment}; there are {', '.join(whole.segments(model)) or 'none'}"
