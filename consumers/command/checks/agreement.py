"""Whether messages agree with a reference: read and counted as the profiler does, and tested as the detector does, as one bucket."""

from collections.abc import Iterator, Sequence

import numpy as np

from ....detectors.episodes.step import Bucket, start, step
from ....detectors.episodes.suite import Suite
from ....schemas.configuration import Configuration, PaneLength
from ....schemas.messages.drift import DriftedSignal
from ....schemas.messages.progress import InputPartition
from ....schemas.stored.reference import Reference
from ....schemas.unusable import Unusable
from ...decode.json import JSONDecoder
from ...decode.personal import keys_in, rules_of
from ...detector.merging import merged
from ...detector.settings import configuration_hash
from ...process.plugins import found_for
from ...profiler.tally import Tally
from ...reference.holding import Holding, Monitored, prepared
from ...replay.event_line import effect
from ...replay.picture import label
from ...streams.align import Aligned, Pending
from ...streams.buckets import buckets
from ...streams.cut import AcceptedRows, Cut
from ...streams.records import Records
from .finding import Finding
from .samples import Sample, absent_fields, invalid_fields

#: Fewer messages show nothing.
_FEWEST = 20
#: More would fill the screen.
_MOST = 10
_PANE_MS = 10_000


class _One:
    """One reference, that holds for everything."""

    def __init__(self, reference: Reference) -> None:
        self._monitored = prepared(reference)

    def holding(self, model: str, version: str, bucket: int) -> Holding:
        return Holding("-", 0)

    def announced(self, model: str) -> bool:
        return True

    def monitored(self, reference: str) -> Monitored:
        return self._monitored

    def subjects(self, reference: str) -> tuple[()]:
        return ()

    def retired(self, stream: str) -> dict[str, int]:
        return {}

    def keep_up(self) -> None:
        """Nothing comes."""


def disagreement(configuration: Configuration, name: str, sample: Sample, reference: Reference, rows: Sequence[int]) -> Iterator[Finding]:
    """What of these messages of a model version would be told as drift at once, and why as far as it can be known."""
    told = list(told_at_once(configuration, name, sample, reference, rows))
    if told:
        stream, settings = configuration.streams[name], configuration.model(reference.model)
        yield from told
        yield from absent_fields(stream, sample, reference, settings, rows)
        yield from invalid_fields(stream, sample, reference, rows, rules_of(configuration, reference.model))


def told_at_once(configuration: Configuration, name: str, sample: Sample, reference: Reference, rows: Sequence[int]) -> Iterator[Finding]:
    """The changes that these messages of a model version would be told for."""
    if len(rows) < _FEWEST or rules_of(configuration, reference.model).amiss(reference.fields):
        return
    try:
        signals = [signal for signal in drifted(configuration, name, sample, reference, rows) if signal.role != "row"]
    except Unusable:
        return  # the settings' mistakes are told for themselves
    if not signals:
        return
    yield Finding("note", f"{reference.model}/{reference.version}: the last {len(rows):,} messages would be told as drift at once:")
    for signal in signals[:_MOST]:
        sizes = effect(signal.effect)
        yield Finding("more", f"  {label(signal)}: {signal.change}{f' ({sizes})' if sizes else ''}")
    if len(signals) > _MOST:
        yield Finding("more", f"  and {len(signals) - _MOST} more")


def drifted(configuration: Configuration, name: str, sample: Sample, reference: Reference, rows: Sequence[int]) -> list[DriftedSignal]:
    """The signals of the episodes that they would open."""
    stream = configuration.streams[name]
    suite = Suite(
        reference,
        configuration.model(reference.model),
        application=configuration.application,
        stream=name,
        configuration_hash=configuration_hash(configuration),
        reference_hash="-",
        kinds=found_for(configuration.models.values()),
        pane=str(stream.pane),
    )
    bucket = _counted(configuration, name, sample, reference, rows, (suite.layout.size, suite.layout.wide))
    if bucket is None:
        return []
    _, events = step(suite, start(suite, bucket.start), bucket)
    return [signal for event in events for signal in event.signals]


def _counted(
    configuration: Configuration, name: str, sample: Sample, reference: Reference, rows: Sequence[int], sizes: tuple[int, int]
) -> Bucket | None:
    """These messages as the bucket of the newest; None: none of them is a row."""
    stream = configuration.streams[name]
    tiling = buckets(PaneLength("time", _PANE_MS))
    decoder = JSONDecoder(stream.mapping, stream.where, keys=keys_in(configuration, name))
    times = np.array([sample.timestamps[row] for row in rows], dtype=np.int64)
    end = tiling.end(int(times.max()))
    records = Records(
        np.arange(len(rows)),
        times,
        np.zeros(len(rows), dtype=bool),
        [sample.values[row] for row in rows],
        lambda: [sample.keys[row] for row in rows],
        lambda: [sample.headers[row] for row in rows],
    )
    source = InputPartition(topic=stream.topics[0], topic_id="-", partition=0)
    accepted = AcceptedRows(0, len(rows), np.full(len(rows), end), np.zeros(len(rows), dtype=bool), np.full(len(rows), end))
    (run,) = Tally(name, source, decoder, _One(reference), tiling).add(records, [accepted, Cut(len(rows), end)])
    if not run.panes:
        return None
    pending = [Pending(0, False, pane) for pane in run.panes]
    aligned = Aligned(end, complete=True, clock_decided=False, panes=pending, start=tiling.start(end - 1))
    return merged(aligned.start, aligned, run.panes, sizes, complete=True)
