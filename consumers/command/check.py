"""``driftbus check``: everything that can be known before running."""

from collections.abc import Iterator

import click

from ...detectors.betting import undirected
from ...detectors.betting.muted import muted
from ...schemas.configuration import Configuration, Stream
from ..bus.interface import Bus
from ..bus.open import coinciding
from ..decode.json import JSONDecoder
from ..decode.personal import rules_of
from ..process.plugins import found_for
from ..reference.announce import Announcements
from ..reference.artifacts import ArtifactStore
from ..replay.terminal import Styled, say
from ..streams.records import told_ends
from .checks.agreement import told_at_once
from .checks.alerts import told_of
from .checks.budgets import enough_buckets, muted_fields, other_panes, pane_length, rate_of_traffic, smallest_shift, unmatched_patterns
from .checks.causes import causes, diagnosed_by
from .checks.detectors import detectors_by_name
from .checks.embedder import vectors_of
from .checks.features import compared_features, features_of
from .checks.finding import Finding, answered
from .checks.golden import told_apart
from .checks.jobs import asked_for, cut_short, data_that_go
from .checks.labels import labels_of
from .checks.launchers import delivered_by
from .checks.learning import learns
from .checks.ood import unlike
from .checks.outcomes import grouped_features, own_metrics
from .checks.review import cases
from .checks.samples import absent_fields, contents, invalid_fields, last_records, other_rules, readable
from .checks.state import remembered
from .checks.topics import input_topics, own_topics
from .configured import configured
from .facts import described
from .opened import opened

_COLOURS = {"ok": "green", "note": "yellow", "wrong": "red"}
#: A time that no announced reference lies behind.
_IN_THE_END = 2**62


@click.command()
@click.option(
    "--sample",
    type=click.IntRange(1),
    default=1_000,
    show_default=True,
    metavar="N",
    help="How many messages of each stream to read; to compare delays of labels, a hundred times as many.",
)
@configured
def check(configuration: Configuration, sample: int) -> None:
    """Say what driftbus can reach and read, what a message decodes to, what the budget costs, and what would prevent running."""
    wrong = 0
    with opened(configuration) as bus:
        for level, text in findings(bus, configuration, sample):
            say(*([] if level == "more" else [Styled(f"{level:<6}", _COLOURS[level])]), text)
            wrong += level == "wrong"
    if wrong:
        msg = f"{wrong} of these prevent running"
        raise click.ClickException(msg)


def findings(bus: Bus, configuration: Configuration, most: int) -> Iterator[Finding]:
    """Everything, in the order in which it would go wrong."""
    if problem := coinciding(configuration):
        yield Finding("wrong", problem)
    yield from answered(own_topics(bus, configuration))
    yield from answered(remembered(bus, configuration))
    yield from vectors_of(configuration)
    for name, stream in configuration.streams.items():
        yield from answered(_stream(bus, configuration, name, stream, most))
    for name in configuration.labels:
        yield from answered(labels_of(bus, configuration, name, most))
    for name in configuration.features:
        yield from answered(features_of(bus, configuration, name, most))
    yield from own_metrics(configuration)
    yield from diagnosed_by(configuration)
    yield from asked_for(configuration)
    yield from cut_short(configuration)
    yield from answered(data_that_go(bus, configuration))
    yield from told_of(configuration)
    yield from delivered_by(configuration)


def _stream(bus: Bus, configuration: Configuration, name: str, stream: Stream, most: int) -> Iterator[Finding]:
    for finding in input_topics(bus, configuration, f"streams.{name}", stream):
        yield finding
        if finding.level == "wrong":
            return
    sample = last_records(bus, stream, most, told_ends(configuration, stream))
    decoder = JSONDecoder(stream.mapping, stream.where, marked=configuration.tested_in(name))
    identities = decoder.identities(sample.values, sample.keys, sample.headers)
    yield from readable(name, stream, sample, identities, withheld=configuration.withholds(name))
    yield from pane_length(name, stream.pane, sample.rate)
    yield from told_apart(configuration, name, sample)
    store = ArtifactStore(configuration.artifacts)
    announced = Announcements(bus, configuration)
    announced.refresh()
    for place, reason in announced.table.unreadable.items():
        yield Finding("note", f"{place} is passed over: {reason}; announce that reference again, or write a tombstone for its key")
    if others := sorted(announced.table.applications):
        yield Finding("note", f"topics {configuration.topics.prefix}.*: also of {', '.join(others)}, whose records are passed over")
    for index, (model, version) in enumerate(identities.models):
        rows = [row for row in (identities.model_of == index).nonzero()[0].tolist() if decoder.is_row(sample.values[row])]
        if not rows:
            continue  # of labels alone, perhaps
        rules = rules_of(configuration, model)
        yield from contents(stream, sample, model, version, rows, rules, ids=not configuration.hides_ids(model))
        latest = announced.holding(model, version, _IN_THE_END)
        reference = store.reference(latest.reference) if latest and latest.reference else None
        settings = configuration.model(model)
        yield from enough_buckets(model, settings, stream.pane, reference)
        if reference is None:
            yield Finding(
                "note", f"{model}/{version}: no reference, so not monitored: driftbus reference build {model} --version {version}"
            )
            continue
        yield Finding("ok", f"{model}/{version}: the reference")
        yield from (Finding("more", line) for line in described(reference, muted(reference, settings)))
        yield from smallest_shift(reference, settings)
        yield from other_panes(reference, stream.pane)
        share = len(rows) / max(1, len(sample.values))
        if stream.pane.unit != "rows":  # else nobody reckons in times
            yield from rate_of_traffic(reference, settings, None if sample.traffic is None else sample.traffic * share)
        yield from unmatched_patterns(reference, settings)
        yield from muted_fields(reference, settings)
        yield from grouped_features(configuration, reference)
        yield from compared_features(configuration, reference)
        yield from unlike(configuration, reference, sample, rows, store)
        yield from cases(configuration, reference)
        yield from learns(configuration, reference)
        yield from causes(configuration, reference)
        yield from (Finding("wrong", mistake) for mistake in undirected(reference, settings))
        yield from detectors_by_name(found_for([settings]), reference, settings)
        yield from absent_fields(stream, sample, reference, settings, rows)
        yield from other_rules(reference, rules)
        yield from invalid_fields(stream, sample, reference, rows, rules)
        yield from told_at_once(configuration, name, sample, reference, rows)
    seen = {model for model, _ in identities.models}
    for model in (model for model in configuration.models if model not in seen and configuration.stream_of(model) == name):
        yield from enough_buckets(model, configuration.model(model), stream.pane, None)
        if sample.values:
            yield Finding("note", f"models.{model}: none of these messages is of this model")
