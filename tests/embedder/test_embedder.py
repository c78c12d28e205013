"""Messages get the vectors of their texts, once, whatever dies; what has none is handed on as it is."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import pytest

from driftbus.consumers.bus.interface import Bus, Output
from driftbus.consumers.embedder.message import HEADER
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.detectors.neighbours.vectors import LENGTH, whole

from ..battery.interrupting import POINTS, Died, Interrupting
from .server import SIZE, Server, serving, vector
from .worlds import TOPIC, embed, memory, messages, prepare, records, settings

WHOSE = (HEADER, b"words@1")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def vectors(written: list[Output]) -> list[object]:
    return [msgspec.json.decode(one.value).get("vector") if one.value else None for one in written]


def test_a_message_is_handed_on_whole_with_its_vector(server: Server, tmp_path: Path) -> None:
    bus, chosen, sent = memory(), settings(server, tmp_path, headers={"Authorization": "Bearer s"}), messages(300)
    prepare(bus, chosen, sent)
    pipeline = embed(bus, chosen)
    came, went = records(bus, chosen.topics.embeddings), records(bus, TOPIC)
    assert [(one.partition, one.key, one.timestamp) for one in came] == [(one.partition, one.key, one.timestamp) for one in went]
    assert [one.headers for one in came] == [(*one.headers, WHOSE) for one in went]
    for one, before in zip(came, went, strict=True):
        assert one.value is not None
        assert before.value is not None
        assert one.value.startswith(before.value[:-1])
        given = np.array(msgspec.json.decode(one.value)["vector"])
        exact = whole(vector(msgspec.json.decode(before.value)["question"])[None])[0]
        assert np.abs(given - exact).max() <= 1
        assert abs(np.linalg.norm(given) - LENGTH) < SIZE
    assert pipeline.totals["embedded"] == len(sent)
    assert max(map(len, server.asked)) <= 64
    assert set(server.headers) == {"Bearer s"}
    assert "Bearer" not in repr(chosen)


def test_what_has_no_text_or_its_vector_passes_as_it_is(server: Server, tmp_path: Path) -> None:
    bus, chosen = memory(), settings(server, tmp_path)
    values = [b"{", b"", None, b"[1]", b"{}", b'{"question": 3}', b'{"question": " "}', b'{"question": "why", "vector": [1, 2]}', b"\xff"]
    sent = [Output(TOPIC, 0, None, value, (("a", b"b"),), 1_000 + number) for number, value in enumerate(values)]
    prepare(bus, chosen, sent)
    embed(bus, chosen)
    assert [one._replace(topic=TOPIC) for one in records(bus, chosen.topics.embeddings)] == sent
    assert server.asked == []


@pytest.mark.parametrize(("point", "hits"), list(product(POINTS, range(3))))
def test_it_dies_at_every_point_of_its_commits_and_writes_each_once(server: Server, tmp_path: Path, point: str, hits: int) -> None:
    bus, chosen, sent = memory(), settings(server, tmp_path), messages(400)
    prepare(bus, chosen, sent)
    dying = Pipeline(cast(Bus, Interrupting(bus.as_instance("one"), role="embedder", dies_at=point, hits=hits)), chosen, ["embedder"])
    with pytest.raises(Died):
        for _ in dying.run_until_end():
            pass
    dying.close()  # which writes nothing, and leaves no socket behind
    before = records(bus, chosen.topics.embeddings)
    embed(bus, chosen)
    after = records(bus, chosen.topics.embeddings)
    assert len(after) == len(sent)
    assert {one.key: one for one in before}.items() <= {one.key: one for one in after}.items(), "what is written is a fact"
    assert all(vectors(after))


def test_it_does_nothing_more_at_the_end(server: Server, tmp_path: Path) -> None:
    bus, chosen = memory(), settings(server, tmp_path)
    prepare(bus, chosen, messages(20))
    embed(bus, chosen)
    calls = len(server.asked)
    assert embed(bus, chosen).totals["embedded"] == 0
    assert len(server.asked) == calls


def test_a_text_that_the_server_refuses_holds_nobody_up(server: Server, tmp_path: Path) -> None:
    bus, chosen, sent = memory(), settings(server, tmp_path, attempts=1), messages(40)
    server.refused.add(msgspec.json.decode(sent[7].value or b"")["question"])
    prepare(bus, chosen, sent)
    pipeline = embed(bus, chosen)
    written = {one.key: one for one in records(bus, chosen.topics.embeddings)}
    assert [key for key, one in written.items() if not vectors([one])[0]] == [b"7"]
    assert written[b"7"]._replace(topic=TOPIC) == sent[7]
    assert (pipeline.totals["embedded"], pipeline.totals["not_embedded"]) == (39, 1)


def test_nothing_passes_while_the_server_is_down_and_then_all_does(server: Server, tmp_path: Path) -> None:
    bus, chosen = memory(), settings(server, tmp_path, attempts=1)
    prepare(bus, chosen, messages(40))
    server.down = True
    pipeline = Pipeline(bus, chosen, ["embedder"])
    while len(server.asked) < 5:
        pipeline.turn()
    assert records(bus, chosen.topics.embeddings) == []
    server.down = False
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    assert all(vectors(records(bus, chosen.topics.embeddings)))


def test_rows_pass_without_vectors_where_that_is_configured(server: Server, tmp_path: Path) -> None:
    bus, chosen = memory(), settings(server, tmp_path, attempts=1, down="pass")
    prepare(bus, chosen, messages(40))
    server.down = True
    assert embed(bus, chosen).totals["not_embedded"] == 40
    assert vectors(records(bus, chosen.topics.embeddings)) == [None] * 40


def test_it_closes_while_the_server_is_down(server: Server, tmp_path: Path) -> None:
    bus, chosen = memory(), settings(server, tmp_path)
    prepare(bus, chosen, messages(40))
    server.down = True
    pipeline = Pipeline(bus, chosen, ["embedder"])
    while not server.asked:
        pipeline.turn()
    pipeline.close()
    assert records(bus, chosen.topics.embeddings) == []
