"""What peers call drift metrics, bucket by bucket: the distance of every signal from its reference, as it is, with nothing taken off.

Computed from published summaries, aligned into buckets as the detector aligns them; every pane counts, also one of rows that the detector
leaves out, as those counted against a reference that has been replaced, and segments stand apart. Two samples of one distribution do not
show 0 here: events' effects are less what chance alone would show.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from ...detectors.counting.layout import Signal, layout
from ...detectors.effects import grouped, rounded
from ...detectors.effects.two_sample import jensen_shannon, ks, psi, wasserstein
from ...schemas.configuration import Configuration
from ...schemas.messages.pane import PREDICTIONS, Pane
from ...schemas.stored.reference import CategoricalProfile, NumericProfile, Reference
from ..bus.interface import Bus, TopicPartition
from ..reference.files import sql_file, sql_text
from ..reference.scratch import scratch
from ..streams.align import Aligner
from ..streams.buckets import buckets
from ..streams.summaries import facts_of

Counts = NDArray[np.int64]


class Measured(NamedTuple):
    """One signal in one bucket of a model version. Its fields are the columns of the file."""

    stream: str
    model: str
    version: str
    segment: str | None
    start: str  #: of the bucket, as in events
    end: str
    signal: str
    of: str
    rows: int  #: of the bucket
    nulls: float | None  #: share of rows without a valid value; None: the signal is of no field
    ks: float | None  #: Kolmogorov-Smirnov distance of the binned values
    psi: float | None  #: population stability index over about ten groups of bins, with a pseudo-count of .5
    js: float | None  #: Jensen-Shannon distance (base 2) over the same groups, with the same pseudo-count
    wasserstein_sd: float | None  #: Wasserstein distance of the binned values, in reference standard deviations


_TYPES = {"rows": "bigint", **dict.fromkeys(("nulls", "ks", "psi", "js", "wasserstein_sd"), "double")}
#: How a file of each kind is written; what is measured goes through a CSV file, row by row.
FORMATS = {".csv": "", ".jsonl": "format json", ".parquet": "format parquet, compression zstd"}


def write(file: Path, rows: Iterable[Measured]) -> None:
    """Write CSV, JSON lines or Parquet, as the file's suffix says."""
    with scratch() as folder:
        table = file if file.suffix == ".csv" else Path(folder) / "measures.csv"
        with table.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(Measured._fields)
            writer.writerows(rows)
        if table != file:
            types = {name: _TYPES.get(name, "varchar") for name in Measured._fields}
            with duckdb.connect() as sql:
                columns = ", ".join(f"{sql_text(name)}: {sql_text(type_)}" for name, type_ in types.items())
                sql.execute(f"create view measured as from read_csv({sql_file(table)}, header = true, columns = {{{columns}}})")
                sql.execute(f"copy measured to {sql_text(str(file))} ({FORMATS[file.suffix]})")


def measured(bus: Bus, configuration: Configuration, reference_of: Callable[[str], Reference]) -> Iterator[Measured]:
    """All signals in all buckets whose summaries were published, in the order in which the detector met them."""
    compiled: dict[str, list[_Signal]] = {}
    for pane in _folded(bus, configuration):
        if pane.reference is None:
            continue
        if pane.reference not in compiled:
            compiled[pane.reference] = list(_signals(reference_of(pane.reference)))
        length = configuration.streams[pane.stream].pane
        start, end = length.place(buckets(length).start(pane.bucket - 1)), length.place(pane.bucket)
        for signal in compiled[pane.reference]:
            place = (pane.stream, pane.model, pane.version, pane.segment, start, end)
            yield Measured(*place, signal.name, signal.of, pane.rows, *signal.on(pane.counts))


def _folded(bus: Bus, configuration: Configuration) -> Iterator[Pane]:
    """Per bucket, model version, segment and reference one pane: the sum of those that input partitions and runs were cut into."""
    topic = configuration.topics.summaries
    for number in range(bus.describe([topic])[topic].partitions):
        source = TopicPartition(topic, number)
        aligners = {(name, PREDICTIONS): Aligner(buckets(stream.pane), None) for name, stream in configuration.streams.items()}
        for batch in bus.read(source, *bus.watermarks(source)):
            for offset, appended, record in facts_of(configuration.application, batch):
                aligner = aligners.get((record.stream, record.of))
                for aligned in aligner.feed(offset, appended, record) if aligner else ():
                    sums: dict[tuple[str, str, str, str], Pane] = {}
                    for _, _, pane in aligned.panes:
                        key = (pane.model, pane.version, pane.segment or "", pane.reference or "")
                        rows, counts = (sums[key].rows, sums[key].counts) if key in sums else (0, 0)
                        update = {"bucket": aligned.end, "rows": rows + pane.rows, "counts": counts + pane.counts}
                        sums[key] = pane.model_copy(update=update)
                    yield from (sums[key] for key in sorted(sums))


def _signals(reference: Reference) -> Iterator["_Signal"]:
    signals = layout(reference).signals
    available = {signal.name: signal.span for signal in signals if signal.of == "availability"}
    for signal in signals:
        if signal.of != "availability" and isinstance(signal.profile, NumericProfile | CategoricalProfile):
            yield _Signal.of_signal(signal, available.get(signal.name))


@dataclass(frozen=True)
class _Signal:
    """One signal's distances from its reference."""

    name: str
    of: str
    span: slice
    available: slice | None
    group_of: Counts
    groups: Counts  # reference rows per group
    rank: Counts | None  # a bin's place among the distinct values, of a numeric signal
    values: NDArray[np.float64]  # distinct, in reference sd
    ordered: Counts  # reference rows per distinct value

    @classmethod
    def of_signal(cls, signal: Signal, available: slice | None) -> "_Signal":
        """What needs to be computed once."""
        reference, profile = signal.reference_counts, signal.profile
        group_of, labels = grouped(signal)
        rank, values, ordered = None, np.zeros(0), reference
        if isinstance(profile, NumericProfile):
            values, rank = np.unique(np.asarray(profile.values) / profile.sd, return_inverse=True)
            ordered = _added(reference, rank, len(values))
        groups = _added(reference, group_of, len(labels))
        return cls(signal.name, signal.of, signal.span, available, group_of, groups, rank, values, ordered)

    def on(self, counts: Counts) -> tuple[float | None, ...]:
        """Nulls, KS, PSI, JS and Wasserstein in these counts of the whole layout; None where nothing can be said."""
        current = counts[self.span]
        nulls = None if self.available is None else _absent(counts[self.available])
        if current.sum() <= 0:
            return nulls, None, None, None, None
        groups = _added(current, self.group_of, len(self.groups))
        distances = rounded(psi(self.groups, groups)), rounded(jensen_shannon(self.groups, groups))
        if self.rank is None:
            return nulls, None, *distances, None
        ordered = _added(current, self.rank, len(self.values))
        return nulls, rounded(ks(self.ordered, ordered)), *distances, rounded(wasserstein(self.ordered, ordered, self.values))


def _absent(available: Counts) -> float | None:
    rows = int(available.sum())
    return rounded(1 - int(available[0]) / rows) if rows > 0 else None


def _added(counts: Counts, place: Counts, size: int) -> Counts:
    return np.bincount(place, weights=counts, minlength=size).astype(np.int64)
