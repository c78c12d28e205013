"""Snapshots of another release, or damaged: told, and the summaries are folded again."""

from pathlib import Path
from typing import Any

import pytest

from driftbus.consumers.bus import snapshots
from driftbus.consumers.bus.interface import Output, TopicPartition
from driftbus.schemas.form import NewerForm
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.stored.snapshot import FORM, PartitionState

from ..streaming import Event, send
from .strange_world import SPLIT, TRAFFIC, events, letters, run, settings, undisturbed, world


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    return undisturbed(tmp_path_factory.mktemp("calm"))


def newer(form: int) -> pytest.MonkeyPatch:
    """A release that writes and reads panes, and snapshots, of that form."""
    patch = pytest.MonkeyPatch()
    patch.setattr("driftbus.schemas.messages.pane.FORM", form)
    patch.setattr("driftbus.consumers.bus.snapshots.FORM", form + 10)
    patch.setattr("driftbus.consumers.detector.remembered.FORM", form + 10)
    return patch


def test_a_rolling_upgrade_detectors_first_changes_nothing(tmp_path: Path, calm: list[Event]) -> None:
    """An old detector that meets a newer pane ends before it, and says in which order to upgrade; a new one reads both."""
    chosen = settings(tmp_path)
    bus = world(chosen)
    send(bus, TRAFFIC[:SPLIT])
    run(bus, chosen)  # all old
    release = newer(2)
    try:
        send(bus, TRAFFIC[SPLIT : SPLIT + 100])
        run(bus, chosen, "detector")  # a new detector, old profilers
    finally:
        release.undo()
    run(bus, chosen)  # and back: each finds a snapshot of its own form
    send(bus, TRAFFIC[SPLIT + 100 :])
    of_tomorrow = Pane.encoded
    with pytest.MonkeyPatch.context() as profilers:
        profilers.setattr(Pane, "encoded", lambda pane: of_tomorrow(pane.model_copy(update={"form": 2})))
        run(bus, chosen, "profiler")
    with pytest.raises(NewerForm, match=r"form 2 was written by a newer release.*who reads goes before who writes"):
        run(bus, chosen, "detector")
    release = newer(2)
    try:
        run(bus, chosen, "detector")
    finally:
        release.undo()
    assert events(bus) == calm
    assert not letters(bus)
    places = [TopicPartition("driftbus.snapshots", number) for number in range(2)]
    keys = {key for place in places for batch in bus.read(place, *bus.watermarks(place)) for key in list(batch.keys())}
    assert {key.split(b"/")[2] for key in keys if key is not None} == {b"%d" % FORM, b"12"}


@pytest.mark.parametrize("garbage", [b"garbage", b"", b"\x80", b"\x00" * 1_000_000])
def test_a_snapshot_that_cannot_be_read_is_told_and_the_summaries_are_folded_again(
    tmp_path: Path, calm: list[Event], garbage: bytes
) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen)
    send(bus, TRAFFIC[:SPLIT])
    run(bus, chosen)
    bus.publish([Output("driftbus.snapshots", number, f"test/detector/{FORM}/{number}/0/".encode(), garbage) for number in range(2)])
    send(bus, TRAFFIC[SPLIT:])
    run(bus, chosen)
    assert events(bus) == calm
    assert len(events(bus, b"io.driftbus.notice.unreadable")) == 2
    send(bus, [row._replace(time=row.time + 900_000) for row in TRAFFIC[:8]])  # else nobody reads snapshots
    assert run(bus, chosen).totals["rows"] == 8
    assert len(events(bus, b"io.driftbus.notice.unreadable")) == 2  # it has been written anew


INNER: dict[str, tuple[dict[str, Any], dict[str, bytes]]] = {
    "a state of garbage": ({}, {'["predictions","m0","1","sha256:0"]': b"garbage"}),
    "a key of garbage": ({}, {"garbage": b"\x80"}),
    "aligners of garbage": ({"aligners": {"predictions/predictions": {"now": "soon"}}}, {}),
    "panes that are none": ({"pending": (0, 10**6)}, {}),
    "panes of nobody": ({"pending": (-1,)}, {}),
    "nothing remembered": ({}, {}),
}


@pytest.mark.parametrize("what", INNER)
def test_a_snapshot_whose_content_is_damaged_is_told_and_the_summaries_are_folded_again(
    tmp_path: Path, calm: list[Event], what: str
) -> None:
    chosen = settings(tmp_path)
    bus = world(chosen)
    send(bus, TRAFFIC[:SPLIT])
    run(bus, chosen)
    changes, parts = INNER[what]
    for number in range(2):
        state = PartitionState(form=FORM, position=5, states=tuple(parts), aligners={}, pending=()).model_copy(update=changes)
        bus.publish(snapshots.written(chosen, "detector", number, state, parts).records)
    send(bus, TRAFFIC[SPLIT:])
    run(bus, chosen)
    assert events(bus) == calm
    assert len(events(bus, b"io.driftbus.notice.unreadable")) == 2
