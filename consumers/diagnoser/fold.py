"""One summaries partition as a fold: evidence of all kinds and progress in, root causes out.

A run of a version is at the end of a grain, when every kind of its model's evidence is complete through it, and it uses exactly what was
cut by then: so what it says depends neither on which writer was faster, nor on how far a process was behind. With a live clock a kind of
which nothing is heard for `patience` is waited for no more, and named; what comes of it later counts from the next run on, in the windows
that it is about.
"""

from collections.abc import Callable, Iterable, Mapping

from ...detectors.diagnosis.incidents import Home, Incidents
from ...detectors.diagnosis.reading import Reading
from ...schemas.configuration import Configuration
from ...schemas.messages.pane import Pane
from ...schemas.messages.progress import Progress
from ...schemas.stored.reference import Reference
from ...schemas.stored.snapshot import FORM, PartitionState
from ..reference.calibrations import Named
from ..streams.align import Aligner, pending_offsets
from ..streams.buckets import buckets
from ..streams.grain import grains
from ..streams.spans import Spans
from . import remembered
from .exhibit import Exhibit, Fact
from .group import Group
from .kinds import Kinds, awaited, belongs, delays, placed
from .model import Model, Published
from .settings import configuration_hash, thresholds_of
from .watched import Watched

#: Of a model and a reference (content hash), that reference and how its windows are read.
ReadingOf = Callable[[str, str], tuple[Reference, Reading]]
#: Of a model, what its causes' scores are calibrated by.
CalibrationOf = Callable[[str], Named | None]


class Fold:
    """The models of one partition."""

    def __init__(self, configuration: Configuration, reading_of: ReadingOf, calibration_of: CalibrationOf = lambda _: None) -> None:
        self._configuration, self._reading_of, self._calibration_of = configuration, reading_of, calibration_of
        self._hash = configuration_hash(configuration)
        self._kinds: dict[str, Kinds | None] = {}
        self._events = 0
        self._left: list[Model] = []  # restored, of which causes are looked for no more
        self.groups = {kinds: self._group(kinds) for kinds in Kinds.all(configuration)}

    def _group(self, kinds: Kinds) -> Group:
        stream, topics = self._configuration.streams[kinds.stream], awaited(self._configuration, kinds)
        patience = stream.patience if stream.clock == "live" else None
        aligner = Aligner[Exhibit](buckets(stream.pane), patience, streams=tuple(topics))
        return Group(kinds, topics, aligner, self.model, self._watched, delays(self._configuration, kinds))

    def feed(self, offset: int, appended: int, fact: Fact | Progress) -> list[Published]:
        """Take one record; returns what follows from the runs that it makes ready."""
        if isinstance(fact, Progress):
            progress = placed(fact)
            return self._written(one for group in self.groups.values() for one in group.hear(offset, appended, progress))
        kinds = self._kinds_of(fact.model)
        group = None if kinds is None else self.groups.get(kinds)
        if group is not None and belongs(fact, group.kinds, group.topics):
            group.take(offset, appended, Exhibit.of(fact))
        return []

    def _kinds_of(self, model: str) -> Kinds | None:
        if model not in self._configuration.models:
            model = ""
        if model not in self._kinds:
            self._kinds[model] = Kinds.of(self._configuration, model)
        return self._kinds[model]

    def _written(self, published: Iterable[Published]) -> list[Published]:
        said = list(published)
        self._events += len(said)
        return said

    def models(self) -> list[Model]:
        """All that are known."""
        return [model for group in self.groups.values() for model in group.models.values()]

    def model(self, name: str) -> Model:
        """One of which nothing is known yet."""
        configuration = self._configuration
        settings = configuration.model(name)
        wait = None
        if settings.labels is not None:
            spans = Spans.of(configuration, settings.labels)
            wait = spans.final(spans.about)
        return Model(
            name=name,
            stream=configuration.stream_of(name),
            settings=settings,
            thresholds=thresholds_of(configuration, name),
            incidents=Incidents(configuration.application, name),
            configuration=self._hash,
            calibration=self._calibration_of(name),
            in_rows=configuration.streams[configuration.stream_of(name)].pane.unit == "rows",
            wait=wait,
        )

    def watched(self, model: str, home: Home, since: int) -> Watched:
        """A version of which nothing is known yet."""
        reference, reading = self._reading_of(model, home.reference)
        settings, stream = self._configuration.model(model), self._configuration.streams[self._configuration.stream_of(model)]
        return Watched(home, since, reference, reading, grains(reference, stream.pane, settings.season, settings.rate))

    def _watched(self, pane: Pane) -> Watched | None:
        if pane.reference is None:
            return None
        return self.watched(pane.model, Home(pane.version, pane.reference), -(1 << 62) if pane.since is None else pane.since)

    def open_now(self) -> int:
        """Incidents that are open."""
        return sum(len(model.incidents.open) for model in self.models())

    def due(self, now: int) -> list[Published]:
        """Nothing: what is over is told by completeness."""
        return []

    @property
    def changed(self) -> bool:
        """Causes of some model are looked for no more, or other kinds of evidence are awaited."""
        return bool(self._left) or any(set(group.topics) != set(group.aligner.streams) for group in self.groups.values())

    def resumed(self) -> list[Published]:
        """What the configuration no longer reads holds nobody up; incidents of models of which causes are looked for no more end."""
        said: list[Published] = []
        for group in self.groups.values():
            said += group.ready(group.aligner.regrouped(group.topics))
        for model in self._left:
            for watched in model.versions.values():
                said += model.leave(watched)
        self._left = []
        return self._written(said)

    def totals(self) -> Mapping[str, int]:
        """Runs of versions, and events."""
        return {"runs": sum(group.runs for group in self.groups.values()), "causes": self._events}

    def snapshot(self, position: int) -> tuple[PartitionState, dict[str, bytes]]:
        """Every model, and every window by itself."""
        numbers = {str(kinds): group.aligner.numbers() for kinds, group in self.groups.items()}
        parts = dict(part for model in self.models() for part in remembered.parts(model))
        pending = pending_offsets(numbers.values())
        return PartitionState(form=FORM, position=position, states=tuple(parts), aligners=numbers, pending=pending), parts

    @classmethod
    def restored(
        cls,
        configuration: Configuration,
        reading_of: ReadingOf,
        state: PartitionState,
        parts: Mapping[str, bytes],
        facts: Mapping[int, Fact],
        calibration_of: CalibrationOf = lambda _: None,
    ) -> "Fold":
        """The fold that wrote `snapshot`; ``facts``: what stands at the offsets that it lists as pending."""
        fold = cls(configuration, reading_of, calibration_of)
        exhibits = {offset: Exhibit.of(fact) for offset, fact in facts.items()}
        for kinds, group in fold.groups.items():
            numbers = remembered.numbers_of(state.aligners, kinds)
            if numbers is not None:
                own = {offset: one for offset, one in exhibits.items() if fold._kinds_of(one.fact.model) == kinds}
                fold.groups[kinds].aligner = remembered.aligner(group, numbers, own)
        for model in remembered.models(parts, fold.model, fold.watched):
            of_model = fold._kinds_of(model.name)
            if of_model is None:
                fold._left.append(model)
            else:
                fold.groups[of_model].models[model.name] = model
        return fold
