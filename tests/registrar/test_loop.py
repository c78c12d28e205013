"""From a version that a job registers to one that serves: intake, decider, evaluator and registrar by themselves, live, over the bus."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus
from driftbus.consumers.console.reading import records_on
from driftbus.consumers.console.versions import VersionRecord, versions
from driftbus.consumers.pipeline.runner import Pipeline, wall_ms
from driftbus.consumers.reference import ledger
from driftbus.consumers.reference.golden_sets import announced, announcement
from driftbus.consumers.reference.model_events import tell
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.identity import derived_id
from driftbus.schemas.messages.action import ActionModel
from driftbus.schemas.messages.action_version import ActionVersion
from driftbus.schemas.messages.model_event import ModelEvent

from ..golden.worlds import stored as golden_stored
from ..waiting import until
from .servers import Registry
from .worlds import monitored, prepared, settings_of, stored

APPLICATION = "app"
ROLES = ("intake", "decider", "evaluator", "registrar")


class Loop:
    """Its processes, one after the other, and what is known of a model's versions."""

    def __init__(self, bus: Bus, settings: Configuration) -> None:
        self.bus, self.settings = bus, settings

    def runs(self, reached: Callable[[], bool]) -> None:
        """A process of all four, until something has come of it."""
        pipeline = Pipeline(self.bus, self.settings, ROLES)

        def look() -> bool:
            pipeline.turn()
            return reached()

        try:
            until(look, 90)
        finally:
            pipeline.close()

    def registers(self, version: str) -> str:
        """As a job does it; the reference."""
        made = stored(self.settings, "m", version)
        job = derived_id("job", version)
        event = ModelEvent(model="m", version=version, kind="registered", job=job, parent="1", reference=made.reference, by="drifted")
        tell(self.bus, self.settings, event)
        return made.reference

    def says(self, kind: str, version: str) -> None:
        """A person."""
        word = {"kind": kind, "model": "m", "version": version, "by": "ann", "time": wall_ms()}
        ledger.tell(self.bus, self.settings, ActionVersion.model_validate(word))

    def record(self, version: str) -> VersionRecord:
        return next(one for one in versions(self.bus, self.settings, "m") if one.version == version)

    def knows(self, version: str, kind: str) -> Callable[[], bool]:
        """Whether the ledger does: a word on what it does not know yet is none."""

        def look() -> bool:
            of = self.settings.application
            facts = (ledger.read(of, one.key, one.value, one.headers) for one in records_on(self.bus, self.settings.topics.actions))
            return any(isinstance(one, ActionModel) and (one.version, one.event) == (version, kind) for one in facts)

        return look

    def did(self, version: str, kind: str) -> Callable[[], bool]:
        return lambda: any(one.event.kind == kind for one in self.record(version).events)


def test_it_is_tested_runs_beside_its_parent_serves_and_goes_back(tmp_path: Path, server: Registry) -> None:
    with closing(EmbeddedBus(":memory:", APPLICATION, "one")) as bus:
        settings = settings_of(tmp_path, server.address, application=APPLICATION)
        loop = Loop(bus, settings)
        parent, _ = prepared(bus, settings)["m"]
        golden = golden_stored(settings)
        bus.publish([announced(settings, announcement(golden, wall_ms(), None, None))])
        tell(bus, settings, ModelEvent(model="m", version="1", kind="promoted", job="before"))
        loop.runs(loop.knows("1", "promoted"))
        loop.registers("2")  # the golden set knows it to be worse
        loop.runs(loop.did("2", "retired"))
        assert [one.step for one in loop.record("2").steps] == ["evaluate", "refuse"]
        assert not monitored(bus, settings, "m", "2")
        reference = loop.registers("3")
        loop.runs(lambda: monitored(bus, settings, "m", "3") == [reference])
        assert server.aliases["m"] == {"challenger": "2"}
        loop.says("promote", "3")
        loop.runs(loop.knows("3", "promoted"))
        assert [one.serves for one in versions(bus, settings, "m")] == [False, False, True]
        assert server.aliases["m"] == {"champion": "2"}
        loop.says("roll_back", "3")
        loop.runs(loop.did("3", "rolled_back"))
        assert [one.step for one in loop.record("3").steps] == ["evaluate", "shadow", "promote", "roll_back"]
        assert [one.serves for one in versions(bus, settings, "m")] == [True, False, False]
        assert monitored(bus, settings, "m", "1")[-1] == parent.reference
        assert not server.aliases["m"]
