"""Revisions of models whose causes are looked for are about grains; what is told of intervals of performance does not show it."""

from collections import Counter
from contextlib import closing

import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.streams.records import end_records
from driftbus.detectors.outcomes.layout import layout
from driftbus.schemas.messages.pane import REVISIONS, Pane
from driftbus.schemas.messages.performance import Performance
from driftbus.schemas.stored.outcomes import OutcomeBasis

from ..streaming import BEGINNING, prepare, reference
from .test_blocks import LABELS, PREDICTIONS, settings
from .test_joiner import MINUTE, SPAN, WAIT, log, panes, run, summed, told_of

ABOUT = 10 * MINUTE


def told(off: bool, rate: float, sent: list[Output]) -> tuple[list[Pane], list[Performance]]:
    """Revisions, and records of performance; at a reference's rate in rows per second."""
    plain = settings(WAIT, stream={"pane": "1m"})
    if off:
        plain = plain.model_copy(
            update={"models": {name: own.model_copy(update={"diagnosis": None}) for name, own in plain.models.items()}}
        )
    with closing(EmbeddedBus(":memory:", "test", "one")) as bus:
        prepare(bus, plain, [reference(model).model_copy(update={"last": round(10_000 / rate) * 1_000}) for model in ("m0", "m1")])
        bus.create(LABELS, 3, settings={"retention.ms": "-1"})
        bus.publish(sent)
        for topic, partitions in ((PREDICTIONS, 4), (LABELS, 3)):
            bus.publish(end_records("test", topic, partitions, BEGINNING + SPAN + 70 * MINUTE))
        run(bus, plain, "profiler", "joiner", "detector")
        return [pane for pane in panes(bus, plain) if pane.of == REVISIONS], [*told_of(bus, plain).values()]


#: At 10 rows a second the shortest grain will do; at 1.6 it is 10 minutes, an interval; at .01 longer than one, and at 3 of 5 minutes.
@pytest.mark.parametrize(("rate", "length"), [(10.0, MINUTE), (3.0, 5 * MINUTE), (0.9, ABOUT), (0.01, ABOUT)])
def test_grains_add_up_to_intervals(rate: float, length: int) -> None:
    sent, expected = log(7, 300)
    (fine, performance), (coarse, as_before) = (told(off, rate, sent) for off in (False, True))
    assert [one.encoded() for one in performance] == [one.encoded() for one in as_before]
    assert {pane.about % ABOUT for pane in coarse} == {0}
    assert {pane.about % length for pane in fine} == {0}
    assert (len({pane.about for pane in fine}) > len({pane.about for pane in coarse})) == (length < ABOUT)
    plan, totals = layout(OutcomeBasis(task="binary")), Counter[tuple[int, str]]()
    for pane in (one for one in fine if one.reference):
        totals[-(-pane.about // ABOUT) * ABOUT, pane.model] += plan.number(pane.counts, "labelled")
    assert +totals == Counter({key: counts["labelled"] for key, counts in expected.items() if counts["labelled"]})
    assert {key: +counts for key, counts in summed(coarse).items()} == {key: +counts for key, counts in expected.items()}
