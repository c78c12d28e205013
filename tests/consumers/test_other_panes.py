"""What is counted per bucket is compared with buckets of the same length, and with no others."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.command.check import findings
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.reference.building.accepted import accepted
from driftbus.consumers.reference.building.build import build_reference
from driftbus.consumers.reference.building.columns import Chunk, Key
from driftbus.detectors.counting.bins import profile_of
from driftbus.schemas.configuration import Model, PaneLength
from driftbus.schemas.messages.drift import DriftedSignal, Effect, Histogram
from driftbus.schemas.stored.reference import CategoricalProfile, Reference

from ..streaming import configuration, everything, prepare, reference, rows, send

SECONDS = 900


def counted(pane: str | None, **changes: Any) -> Reference:  # fields of a reference, of any type
    """Two rows a second, in buckets of 10 s; ids that never come again within one."""
    volume = profile_of(np.full(5_000, 20.0))
    ids = CategoricalProfile(categories=("new",), counts=(10_000, 0), tau=(1.0, 1.0))
    return reference("m0").model_copy(update={"volume": volume, "ids": ids, "pane": pane, **changes})


def told(folder: Path, built: Reference, pane: str) -> tuple[set[str], list[str]]:
    """The parts that drifted, and what check says of buckets. Every id comes again after 20 s."""
    chosen = configuration(artifacts=str(folder), stream={"pane": pane}, models={"m0": {"false_alarms": "1 per 30d"}})
    bus = EmbeddedBus(":memory:", chosen.application, "one")
    prepare(bus, chosen, [built], partitions=1)
    sent = [one._replace(partition=0) for one in rows(SECONDS, ["m0"], 2)]
    for number, one in enumerate(sent):
        message = msgspec.json.decode(one.value or b"")
        sent[number] = one._replace(value=msgspec.json.encode({**message, "id": f"r{number // 80 * 80 + number % 40}"}))
    send(bus, sent)
    pipeline = Pipeline(bus, chosen)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    events = [event.content for found in everything(bus, "driftbus.drift").values() for event in found]
    said = [text for _, text in findings(bus, chosen, 100) if "not watched" in text]
    return {signal["of"] for event in events if "signals" in event for signal in event["signals"]}, said


@pytest.mark.parametrize(("pane", "same"), [("10s", True), ("1m", False), ("5s", False), ("100s", False)])
def test_buckets_of_another_length_are_not_compared(tmp_path: Path, pane: str, same: bool) -> None:
    drifted, said = told(tmp_path, counted("10s"), pane)
    assert drifted == set()
    expected = [] if same else [f"m0/1: its buckets are of 10s, those of the stream of {pane}: (volume) and (ids) not watched"]
    assert [text.partition(";")[0] for text in said] == expected


def test_of_a_reference_that_did_not_note_its_panes_they_are(tmp_path: Path) -> None:
    drifted, said = told(tmp_path, counted(None), "60s")
    assert (drifted, said) == ({"volume", "duplicates"}, [])


class Source:
    """Ten rows a minute for ten hours."""

    label = "live"

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        times = np.arange(6_000, dtype=np.int64) * 6_000
        yield Chunk(6_000, times, {Key("feature", "amount"): np.sin(times / 7_000)}, [f"{i}" for i in range(6_000)])

    def remarks(self) -> tuple[str, ...]:
        return ()


def test_a_reference_notes_its_panes_where_something_is_of_them() -> None:
    minute, hour = PaneLength("time", 60_000), PaneLength("time", 3_600_000)
    assert build_reference(Source(), "m", "1", Model(volume=True), minute).pane == "1m"
    assert build_reference(Source(), "m", "1", Model(), hour).pane == "1h"  # its ids
    without = build_reference(Source(), "m", "1", Model())
    assert (without.pane, b'"pane"' in without.encoded()) == (None, False)  # as it was before panes were noted
    assert b'"pane":"10s"' in counted("10s").encoded()
    assert Reference.decoded(counted("10s").encoded()) == counted("10s")


def test_accepting_keeps_nothing_that_is_of_other_panes() -> None:
    parts: dict[str, Any] = {"role": "row", "share": 1.0, "change": "more rows", "log_evidence": 9.0, "rows": 9}
    signal = DriftedSignal(name="(volume)", of="volume", effect=Effect(), reference=Histogram(), current=Histogram(), **parts)
    taken = accepted(counted("10s"), counted("1m"), [signal])
    assert (taken.pane, taken.volume, taken.ids) == ("1m", counted("1m").volume, None)
    same = accepted(counted("10s"), counted("10s", ids=None), [signal])
    assert (same.pane, same.ids) == ("10s", counted("10s").ids)
