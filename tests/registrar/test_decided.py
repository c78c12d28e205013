"""Decider and registrar, each of which reads what the other writes: a person's words, and what comes of them."""

from contextlib import closing
from pathlib import Path

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.pipeline.runner import Pipeline, wall_ms
from driftbus.consumers.reference import ledger
from driftbus.consumers.reference.model_events import tell
from driftbus.schemas.messages.action_version import ActionVersion
from driftbus.schemas.messages.model_event import ModelEvent
from driftbus.schemas.messages.promotion import Promotion

from ..streaming import everything
from ..waiting import until
from .worlds import NEW, PARENT, monitored, prepared, settings_of, told


def test_a_version_is_registered_promoted_and_rolled_back_by_words(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, models={"m": {"promotion": {"by": "person"}}}, application="worded")
    with closing(EmbeddedBus(":memory:", "worded", "one")) as bus:
        parent, new = prepared(bus, settings)["m"]
        tell(bus, settings, ModelEvent(model="m", version=PARENT, kind="promoted", job="first", reference=parent.reference))
        tell(bus, settings, ModelEvent(model="m", version=NEW, kind="registered", job="second", parent=PARENT, reference=new.reference))

        def steps() -> list[str]:
            events = [event for found in everything(bus, settings.topics.retrain).values() for event in found]
            return [Promotion.decoded(event.value).step for event in events]

        with closing(Pipeline(bus, settings, ("intake", "decider", "registrar"))) as pipeline:

            def comes(kind: str) -> None:
                until(lambda: (pipeline.turn(), ("m", NEW, kind) in told(bus, settings))[1], 60)

            until(lambda: (pipeline.turn(), monitored(bus, settings, "m", NEW) == [new.reference])[1], 60)
            ledger.tell(bus, settings, ActionVersion(model="m", kind="promote", version=NEW, by="ann", time=wall_ms()))
            comes("promoted")
            until(lambda: (pipeline.turn(), ("m", PARENT, "retired") in told(bus, settings))[1], 60)
            assert monitored(bus, settings, "m", PARENT) == [parent.reference], "it answers on"
            ledger.tell(bus, settings, ActionVersion(model="m", kind="roll_back", version=NEW, by="ann", time=wall_ms()))
            comes("rolled_back")
        assert steps() == ["shadow", "promote", "roll_back"]
        assert monitored(bus, settings, "m", PARENT)[-1] == parent.reference
        assert monitored(bus, settings, "m", NEW)[-1] is None
