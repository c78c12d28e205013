"""What is compared with the training data by an embedder's vectors: a reference asks the same one, and panes are those of the log."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import msgspec
import pytest

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Bus, Output, TopicDescription, TopicPartition
from driftbus.consumers.pipeline.own_topics import create_topics
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.profiler.handed_on import HandedOn
from driftbus.consumers.reference.announce import announce, from_start
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.building.columns import UnusableReference
from driftbus.consumers.reference.building.source import reference_of
from driftbus.consumers.reference.embedding import OtherEmbedder, check_embedder
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.pane import OOD, Pane
from driftbus.schemas.stored.reference import Reference

from ..battery.interrupting import Died, Interrupting
from ..streaming import BEGINNING, everything
from .server import SIZE, Server, serving
from .worlds import PARTITIONS, STREAM, TOPIC, embed, memory, messages, prepare, questions, records, settings

ROWS = 1_500


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("embedder")
    (made / "train.jsonl").write_bytes(b"\n".join(msgspec.json.encode(row) for row in questions(ROWS, seed=1)))
    return made


@pytest.fixture(scope="module")
def reference(server: Server, folder: Path) -> Reference:
    chosen = settings(server, folder)
    return reference_of(chosen, "m0", "1", store=ArtifactStore(chosen.artifacts))


def test_a_text_of_the_training_data_is_asked_for_once(server: Server, reference: Reference) -> None:
    asked = [text for texts in server.asked for text in texts]
    assert len(asked) == len(set(asked)) == len({row["question"] for row in questions(ROWS, seed=1)})
    (compared,) = reference.familiarity
    assert (compared.of, compared.kind, compared.embedder) == ("vector", "embedding", "words@1")
    assert next(field for field in reference.fields if field.name == "vector").type == "embedding"


def test_vectors_of_another_revision_are_refused(server: Server, folder: Path, reference: Reference) -> None:
    check_embedder(settings(server, folder), reference)
    with pytest.raises(OtherEmbedder, match=r"vector: the reference has vectors of words@1, streams.predictions.embedder is words@2"):
        check_embedder(settings(server, folder, revision="2"), reference)
    without = settings(server, folder)
    streams = {STREAM: without.streams[STREAM].model_copy(update={"embedder": None})}
    with pytest.raises(OtherEmbedder, match="embedder is none"):
        check_embedder(without.model_copy(update={"streams": streams}), reference)


def test_no_reference_is_built_without_the_embedder(folder: Path) -> None:
    with serving() as gone:
        gone.down = True
        with pytest.raises(UnusableReference, match=r"streams.predictions.embedder has no vectors of .* texts: does it run"):
            reference_of(settings(gone, folder, attempts=1), "m0", "1")


def panes(chosen: Configuration, reference: Reference, log: list[Output], dies: tuple[str, int] | None = None) -> list[bytes]:
    """What the profiler makes of messages with vectors: a topic like any other, here on a record clock."""
    stream = chosen.streams[STREAM].model_copy(update={"clock": "record"})
    by_record = chosen.model_copy(update={"streams": {STREAM: stream}})
    with closing(EmbeddedBus(":memory:", chosen.application, "one")) as bus:
        topic = chosen.topics.embeddings
        bus.restore(TopicDescription(topic, "embedded-1", PARTITIONS, {"retention.ms": "-1"}), [])
        bus.create(TOPIC, PARTITIONS)
        create_topics(bus, by_record)
        announce(bus, by_record, from_start("m0", "1", ArtifactStore(chosen.artifacts).put(reference.encoded()), reference.rows))
        bus.publish([*log, *end_records(chosen.application, topic, PARTITIONS, BEGINNING + 10**7)])
        if dies is not None:
            watching = cast(Bus, Interrupting(bus, role="profiler", dies_at=dies[0], hits=dies[1]))
            with pytest.raises(Died):
                for _ in Pipeline(watching, by_record, ["profiler"]).run_until_end():
                    pass
        with closing(Pipeline(bus, by_record, ["profiler"])) as pipeline:
            for _ in pipeline.run_until_end():
                pass
        found = [event for events in everything(bus, by_record.topics.summaries).values() for event in events]
        return sorted(event.value for event in found if dict(event.headers).get("ce_type") == b"io.driftbus.pane")


def test_panes_are_the_same_bytes_whatever_dies(server: Server, folder: Path, reference: Reference) -> None:
    bus, chosen, sent = memory(), settings(server, folder), messages(600)
    prepare(bus, chosen, sent)
    dying = Pipeline(cast(Bus, Interrupting(bus, role="embedder", dies_at="behind a commit", hits=1)), chosen, ["embedder"])
    with pytest.raises(Died):
        for _ in dying.run_until_end():
            pass
    dying.close()
    embed(bus, chosen)
    log = records(bus, chosen.topics.embeddings)
    clean = panes(chosen, reference, log)
    compared = [pane for value in clean if (pane := Pane.decoded(value)).of == OOD]
    assert sum(pane.rows for pane in compared) == len(sent)
    assert panes(chosen, reference, log, ("in front of a commit", 0)) == clean
    assert panes(chosen, reference, log, ("between a commit and the memory of it", 0)) == clean


def test_a_partition_is_silent_only_when_all_is_handed_on(server: Server, folder: Path) -> None:
    bus, chosen = memory(), settings(server, folder)
    prepare(bus, chosen, [])
    place, handed_on = TopicPartition(chosen.topics.embeddings, 0), HandedOn.of(bus, chosen, STREAM)
    assert handed_on.whole(place, 0)
    bus.publish(messages(20))
    assert not handed_on.whole(place, 0), "the embedder has not read it"
    embed(bus, chosen)
    assert not handed_on.whole(place, 0), "it has been written, and not read"
    assert handed_on.whole(place, bus.watermarks(place)[1])
    assert HandedOn.of(bus, chosen, "another").whole(place, 0)


def test_the_vectors_have_the_embedders_size(server: Server, folder: Path) -> None:
    bus, chosen = memory(), settings(server, folder, size=SIZE + 1, attempts=1, down="pass")
    prepare(bus, chosen, messages(5))
    assert embed(bus, chosen).totals["not_embedded"] == 5
