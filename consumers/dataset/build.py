"""The data of a job: exactly those that its request names, joined by the joiner's rules, in a folder named by whoever asks.

*Guarantee.* The same request comes to the same bytes, at any speed and with any batches: which rows are in is a function of the log. A
process that dies leaves no folder of that name; one that asks again finds what is there. What is lost is said, and refused.

Topics are read twice: keys first, so that predictions meet their labels (`joined`), then the values of those rows that are in (`written`).
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...schemas.configuration import Configuration
from ...schemas.identity import content_hash
from ...schemas.messages.retrain import RetrainRequest
from ...schemas.stored.dataset import DatasetLabels, DatasetRows, Manifest
from ..bus.interface import Bus
from ..decode.labels import LabelDecoder
from ..decode.personal import label_key, rules_of
from ..profiler.profiler import decoder_of
from ..reference.artifacts import ArtifactStore
from ..reference.holding import HeldReferences, Monitored
from ..streams.spans import Spans
from .classes import Classes
from .folder import MANIFEST, UnusableFolder, manifest_of, written_whole
from .gathered import LABELLED, Growing, Known, Predictions, gather
from .joined import Outcomes, joined, unlabelled
from .people import answered, answers, are_unlike, unlike
from .places import Place, UnusableRequest, checked, margin, places_of
from .verify import verify
from .windows import Windows
from .written import Decided, Values, Writing

#: Delays that the manifest tells: these shares of the rows have theirs by then.
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
#: Classes whose rows it counts.
_MOST_CLASSES = 100


class Built(NamedTuple):
    """Data that are there."""

    manifest: Manifest
    folder: Path
    new: bool  #: they were not, before


class Ways(NamedTuple):
    """What whoever builds may choose."""

    sample: float = 1.0  #: share of the ids
    without_lost: bool = False  #: what retention took is done without


_USUAL = Ways()


def build(bus: Bus, configuration: Configuration, request: RetrainRequest, out: Path, ways: Ways = _USUAL) -> Built:
    """Read, join, write. Raises `Unusable` and `BusError` with what to change."""
    checked(configuration, request)
    if out.exists() or out.is_symlink():
        return Built(_there(request, out, ways), out, new=False)
    reference, monitored = _reference(bus, configuration, request)
    with written_whole(out) as folder:
        manifest = _Building(bus, configuration, request, ways, monitored).build(folder, reference)
        (folder / MANIFEST).write_bytes(manifest.encoded())
    return Built(manifest, out, new=True)


def _there(request: RetrainRequest, out: Path, ways: Ways) -> Manifest:
    """What an earlier call for the same request left."""
    manifest = manifest_of(out)
    if (manifest.request, manifest.sample) != (content_hash(request.encoded()), ways.sample):
        msg = f"{out} is there already, with the data of job {manifest.job}; name another folder"
        raise UnusableFolder(msg)
    verify(out)
    return manifest


def _reference(bus: Bus, configuration: Configuration, request: RetrainRequest) -> tuple[str, Monitored]:
    """The one that says what the fields of a message are: the request's own, else that which holds for the version."""
    held = HeldReferences(bus, configuration, ArtifactStore(configuration.artifacts))
    name = request.reference or held.holding(request.model, request.version, request.data.until + 1).reference
    if name is None:
        msg = (
            f"no reference holds for {request.model}/{request.version} at data.until, so nobody knows what the fields of its messages are; "
            "driftbus reference build makes one"
        )
        raise UnusableRequest(msg)
    monitored = held.monitored(name)
    if why := rules_of(configuration, request.model).amiss(monitored.fields):
        msg = f"reference {name}: {why}; build it again: driftbus reference build"
        raise UnusableRequest(msg)
    return name, monitored


class _Building:
    """One set on its way."""

    def __init__(self, bus: Bus, configuration: Configuration, request: RetrainRequest, ways: Ways, monitored: Monitored) -> None:
        self._bus, self._configuration, self._request, self._ways = bus, configuration, request, ways
        self._model, self._data = request.model, request.data
        self._stream, self._labels = configuration.stream_of(self._model), configuration.models[self._model].labels
        self._key = b"" if self._labels is None else label_key(configuration, self._labels)
        self._decoder, self._fields = decoder_of(configuration, self._stream), monitored.fields
        self._windows = Windows(request.data)
        #: Without offsets, all rows of buckets that end by then are meant.
        self._until = None if request.data.sources else request.data.until
        self._places: dict[str, list[Place]] = {}
        for name in (self._stream, *([] if self._labels is None else [self._labels])):
            self._places[name] = places_of(bus, configuration, request, name, self._since(), without_lost=ways.without_lost)

    def build(self, folder: Path, reference: str) -> Manifest:
        """All of it."""
        predictions, starts = self._predictions()
        classes, labels = self._known()
        rows = predictions.found.rows
        outcomes, told = self._outcomes(predictions, labels, classes)
        people = self._people(predictions, outcomes, classes)
        outliers = self._outliers(rows, starts)
        writing = Writing(self._configuration, self._request, self._fields, self._decoder, self._windows, classes)
        decided = Decided(outcomes, people, outliers, predictions)
        with writing.to(folder, decided) as values:
            for place, start, end in zip(self._places[self._stream], starts, [*starts[1:], len(rows)], strict=True):
                self._write(place, slice(start, end), values)
        self._still_there()
        counts, parts, columns = writing.counts, writing.parts, writing.columns
        return Manifest(
            application=self._configuration.application,
            job=self._request.job,
            model=self._model,
            version=self._request.version,
            request=content_hash(self._request.encoded()),
            reference=reference,
            until=self._data.until,
            by="times" if self._until is not None else "offsets",
            sources=tuple(place.told for places in self._places.values() for place in places),
            data=self._data.model_dump(mode="json", exclude={"sources", "more_sources", "until"}),
            sample=self._ways.sample,
            rows=DatasetRows(**predictions.counts, taken=len(rows), **counts),
            labels=None if told is None else self._told(told, values, classes),
            columns=tuple(columns),
            parts=tuple(parts),
        )

    def _since(self) -> int | None:
        """What is older than this decides nothing; None: nobody knows."""
        since = self._windows.since
        if since is None or self._data.policy.outliers:
            return None
        return max(1, since - margin(self._configuration, self._model))  # Kafka means something else by times below 0

    def _predictions(self) -> tuple[Predictions, list[int]]:
        """The keys of the model's rows, and where those of each place begin."""
        side = Predictions(self._configuration, self._model, self._fields, self._decoder, self._key, self._ways.sample)
        return side, self._gather(self._stream, side)

    def _known(self) -> tuple[Classes | None, Known | None]:
        if self._labels is None:
            return None, None
        own, classes = self._configuration.labels[self._labels], Classes(self._configuration.labels[self._labels])
        side = Known(own, self._model, LabelDecoder(own, classes), self._key, self._ways.sample)
        self._gather(self._labels, side)
        return classes, side

    def _gather(self, name: str, side: Predictions | Known) -> list[int]:
        """All rows of a stream; where those of each place begin."""
        starts, read = list[int](), list[Place]()
        for place in self._places[name]:
            starts.append(len(side.found))
            read.append(gather(self._bus, self._configuration, self._configuration.read[name], place, side, self._until))
        self._places[name] = read
        return starts

    def _outcomes(self, predictions: Predictions, labels: Known | None, classes: Classes | None) -> tuple[Outcomes, DatasetLabels | None]:
        rows = predictions.found.rows
        if self._labels is None or labels is None:
            return unlabelled(len(rows)), None
        own = self._configuration.labels[self._labels]
        outcomes = joined(Spans.of(self._configuration, self._labels), rows, labels.found.rows, self._data.until)
        labels.found = Growing(LABELLED)  # given back
        return outcomes, DatasetLabels(
            stream=self._labels, outcome=own.outcome, order=own.order, **labels.counts, unmatched=outcomes.unmatched
        )

    def _people(self, predictions: Predictions, outcomes: Outcomes, classes: Classes | None) -> np.ndarray:
        rows = predictions.found.rows
        if classes is None or not self._data.policy.reviewed:
            return np.zeros(len(rows), dtype=bool)
        found = answers(self._bus, self._configuration, self._model, classes, self._key, self._data.until)
        return answered(found, rows, outcomes)

    def _outliers(self, rows: np.ndarray, starts: list[int]) -> np.ndarray:
        found = np.zeros(len(rows), dtype=bool)
        known = unlike(self._bus, self._configuration, self._model, self._data.until) if self._data.policy.outliers else set()
        for place, start, end in zip(self._places[self._stream], starts, [*starts[1:], len(rows)], strict=True):
            found[start:end] = are_unlike(known, place, rows["offset"][start:end])
        return found

    def _write(self, place: Place, rows: slice, values: Values) -> None:
        for batch in self._bus.read(place.source, place.start, place.end):
            values.add(batch, rows)

    def _still_there(self) -> None:
        """What was read a second time is what was read at first."""
        for places in self._places.values():
            for place in places:
                low, _ = self._bus.watermarks(place.source)
                if place.start < min(low, place.end):
                    msg = f"{place.source}: offsets {place.start} to {low - 1} were lost to retention while they were read; build again"
                    raise UnusableRequest(msg)

    def _told(self, labels: DatasetLabels, values: Values, classes: Classes | None) -> DatasetLabels:
        """With what is said of the labels that were written."""
        known, made = values.known, values.made
        delays = np.quantile(known - made, _SHARES, method="nearest").tolist() if len(known) else []
        assert classes is not None
        return labels.model_copy(
            update={
                "reviewed": values.reviewed,
                "outliers": values.outliers,
                "first": int(known.min()) if len(known) else None,
                "last": int(known.max()) if len(known) else None,
                "delays": tuple(int(one) for one in delays),
                "counts": dict(sorted(((classes.text(code), n) for code, n in values.classes.most_common()), key=_often)[:_MOST_CLASSES]),
            }
        )


def _often(counted: tuple[str, int]) -> tuple[int, str]:
    return -counted[1], counted[0]
