"""However many model versions, categories and texts there are: memory, panes and notices stay few, and nothing is quadratic in them."""

import json
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.detector.fold import Fold
from driftbus.consumers.detector.unexpected import MOST_VERSIONS, UnexpectedFields
from driftbus.consumers.detector.unmonitored import MOST_UNMONITORED
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.profiler.beside import MOST_NAMES, SideCounts
from driftbus.consumers.profiler.pool import MOST_NAMED
from driftbus.consumers.profiler.tally import MOST_UNCOUNTED_BYTES, Tally
from driftbus.consumers.profiler.vocabulary import Vocabulary
from driftbus.consumers.reference.holding import Holding, Monitored
from driftbus.consumers.streams.cut import CutState, Rules, cut, finish
from driftbus.consumers.streams.records import Records
from driftbus.detectors.counting import Counting
from driftbus.detectors.counting.unseen import Unseen
from driftbus.schemas.configuration import Stream
from driftbus.schemas.configuration.mapping import Mapping
from driftbus.schemas.messages.notice import Notice
from driftbus.schemas.messages.pane import MOST_UNEXPECTED, OTHERS, Pane, Unexpected
from driftbus.schemas.messages.progress import InputPartition, InputTopic, Progress
from driftbus.schemas.stored.reference import AvailabilityProfile, ProfiledField

from ..streaming import BEGINNING, Sent, configuration, everything, prepare, reference, send

PLACE = InputPartition(topic="scored", topic_id="1", partition=0)


class OneReference:
    """Of model m0, version 1, from the start."""

    def __init__(self) -> None:
        one = reference("m0")
        texts = ProfiledField(name="note", type="text", availability=AvailabilityProfile(counts=(10, 0, 0, 0)))
        one = one.model_copy(update={"fields": (*one.fields, texts)})
        self._monitored = Monitored(one.fields, ("m0",), Counting(one), frozenset(f.name for f in one.fields))

    def holding(self, model: str, version: str, bucket: int) -> Holding:
        return Holding("r", -1) if (model, version) == ("m0", "1") else Holding(None, None)

    def announced(self, model: str) -> bool:
        return model == "m0"

    def monitored(self, reference: str) -> Monitored:
        return self._monitored

    def subjects(self, reference: str) -> tuple[()]:
        return ()

    def retired(self, stream: str) -> dict[str, int]:
        return {}

    def keep_up(self) -> None:
        pass


def counted(values: Sequence[bytes], batch: int = 5_000, look: Callable[[Tally], None] = lambda _: None, ahead: int = 0) -> list[Pane]:
    """The panes of one run, however it is read. Of four rows two are so many ms ahead, in the next bucket, if that is not 0."""
    rules = Rules.of(Stream(topics=("scored",), clock="record"))
    tally, state = (
        Tally("p", PLACE, JSONDecoder(Mapping()), OneReference(), rules.buckets),
        CutState(),
    )
    panes: list[Pane] = []
    for start in range(0, len(values), batch):
        some = values[start : start + batch]
        offsets = np.arange(start, start + len(some))
        times = BEGINNING + (9_900 + offsets // 2 % 2 * ahead if ahead else offsets // 10)
        records = Records(offsets, times, np.zeros(len(some), dtype=bool), some, lambda: (), lambda: ())
        state, items, taken = cut(rules, state, records.offsets, records.timestamps, records.ends, final=True)
        assert taken == len(records)
        panes += [pane for run in tally.add(records, items) for pane in run.panes]
        look(tally)
    _, last = finish(state, len(values))
    empty = np.zeros(0, dtype=np.int64)
    return panes + [
        p for run in tally.add(Records(empty, empty, empty.astype(bool), (), lambda: (), lambda: ()), [last]) for p in run.panes
    ]


def row(model: str = "m0", version: str = "1", **features: object) -> bytes:
    return json.dumps({"model": model, "version": version, "features": {"amount": 0.5, "colour": "red", **features}}).encode()


@pytest.mark.parametrize("batch", [7, 64, 5_000])
def test_a_request_id_as_model_makes_a_pane_for_the_first_of_a_run_and_one_for_all_others(batch: int) -> None:
    values = [row(f"request-{i % 700}") if i % 3 else row("m0", f"build-{i}" if i % 2 else "1") for i in range(3_000)]
    panes = counted(values, batch)
    models = list(dict.fromkeys((json.loads(v)["model"], json.loads(v)["version"]) for v in values))
    unmonitored = [one for one in models if one != ("m0", "1")]
    own = {(pane.model, pane.version): pane.rows for pane in panes}
    rows = Counter((json.loads(v)["model"], json.loads(v)["version"]) for v in values)
    assert set(own) == {("m0", "1"), *unmonitored[:MOST_NAMED], (OTHERS, OTHERS), ("m0", OTHERS)}
    assert all(own[one] == rows[one] for one in own if OTHERS not in one)
    assert sum(own.values()) == len(values)
    pooled = {pane.model: pane.pooled for pane in panes if pane.version == OTHERS}
    assert sum(pooled.values()) == len(unmonitored) - MOST_NAMED
    assert pooled["m0"] == sum(model == "m0" for model, _ in unmonitored[MOST_NAMED:])


@pytest.mark.parametrize("ahead", [0, 200])
def test_panes_do_not_depend_on_how_a_run_is_read(ahead: int) -> None:
    draw = np.random.default_rng(0)
    values = [
        row(f"r{draw.integers(400)}", colour="c" * int(draw.integers(1, 600))) if i % 2 else row(colour=f"v{i}") for i in range(2_000)
    ]
    once = [pane.encoded() for pane in counted(values, ahead=ahead)]
    assert all([pane.encoded() for pane in counted(values, batch, ahead=ahead)] == once for batch in (1, 13, 500))


def test_ordinary_rows_have_the_panes_they_had() -> None:
    [pane] = counted([row(colour=("red", "blue")[i % 2], note="a b") for i in range(200)])
    assert (pane.rows, pane.pooled, pane.unseen) == (200, 0, {"colour": {"blue": 100}})


@pytest.mark.parametrize("field", ["colour", "note", "id"])
def test_distinct_texts_of_a_megabyte_stay_within_their_bound(field: str) -> None:
    size, most = 900_000, 0
    tracemalloc.start()

    def look(_: Tally) -> None:
        nonlocal most
        most = max(most, tracemalloc.get_traced_memory()[0])

    class Values(list[bytes]):
        """Made when they are read, so that nothing keeps them."""

        def __getitem__(self, some: slice) -> list[bytes]:  # type: ignore[override]  # slices only
            return [
                json.dumps({"model": "m0", "version": "1", "features": {field: f"{i:09}" + "x" * size}}).encode()
                for i in range(some.start, min(some.stop, 200))
            ]

        def __len__(self) -> int:
            return 200

    panes = counted(Values(), 10, look)
    tracemalloc.stop()
    assert sum(pane.rows for pane in panes) == 200
    assert most < (MOST_UNCOUNTED_BYTES + 50_000_000 if field == "note" else 60_000_000)


def test_a_vocabulary_keeps_a_part_of_long_ones_and_codes_stay_apart() -> None:
    vocabulary = Vocabulary()
    long = ["x" * 1_000_000 + end for end in "ab"]
    first = vocabulary.codes(["red", *long, 0x7FF8_0000_0000_0000, long[0], "blue"])
    second = vocabulary.codes([long[1], "blue", "green", long[0]])
    values = vocabulary.values()
    assert [first[1], first[2]] == [first[4], second[0]]
    assert second[3] == first[1] != first[2]
    assert [values[code] for code in (first[0], first[5], second[2])] == ["red", "blue", "green"]
    assert vocabulary.bytes < 2_000


@given(
    st.lists(
        st.dictionaries(st.sampled_from("ab"), st.dictionaries(st.sampled_from([f"v{i}" for i in range(20)]), st.integers(1, 5))),
        max_size=8,
    )
)
@settings(max_examples=50, deadline=None)
def test_what_is_told_of_new_categories_does_not_depend_on_the_parts(parts: list[dict[str, dict[str, int]]]) -> None:
    bounded, whole = Unseen(most=5), Unseen(most=5)
    total: dict[str, Counter[str]] = {}
    for part in parts:
        bounded.add(part)
        for name, values in part.items():
            total.setdefault(name, Counter()).update(values)
    whole.add({name: dict(reversed(values.items())) for name, values in reversed(total.items())})
    assert bounded.told() == whole.told()
    assert all(rows == total[name][value] for name, values in whole.told().items() for value, rows in values.items())


def test_unexpected_names_are_bounded_and_the_first_count() -> None:
    beside = SideCounts()
    for _ in range(3):
        beside.look({f"n{i}": 1 for i in range(100_000)}, frozenset())
    assert len(beside._unexpected) == MOST_NAMES
    assert {one.rows for one in beside.unexpected} == {3}
    assert len(beside.unexpected) == MOST_UNEXPECTED


def test_what_was_told_of_versions_is_forgotten_with_the_oldest() -> None:
    one = Unexpected("new", "number", 3)
    pane = Pane(
        stream="predictions",
        topic="t",
        topic_id="1",
        partition=0,
        first=0,
        last=9,
        bucket=1,
        about=1,
        model="m",
        version="1",
        rows=9,
        unexpected=(one,),
    )
    fields = UnexpectedFields(configuration())
    ids = [fields.notices("m", str(version), 1, [pane])[0].id for version in range(MOST_VERSIONS + 1)]
    assert len(fields.told) == MOST_VERSIONS
    assert fields.notices("m", str(MOST_VERSIONS), 2, [pane]) == []
    assert [notice.id for notice in fields.notices("m", "0", 2, [pane])] == ids[:1]


def test_ten_thousand_names_in_a_bucket_are_summed_in_one_pass() -> None:
    """Of the panes of an older profiler: each has one of its own. A count of all names for every name took a minute for 40,000."""
    chosen = configuration()
    fold = Fold(chosen, lambda _: pytest.fail("nothing is monitored"))
    topics = (InputTopic(topic="scored", topic_id="1", partitions=1),)
    compared = 0

    class Name(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    end, names = BEGINNING + 10_000, 10_000
    for i in range(names):
        pane = Pane.model_construct(
            stream="predictions",
            topic="scored",
            topic_id="1",
            partition=0,
            first=0,
            last=names,
            bucket=end,
            about=end,
            model=Name(f"r{i}"),
            version="1",
            rows=1,
        )
        fold.feed(i, 0, pane)
    told = fold.feed(names, 0, Progress(stream="predictions", source=PLACE, through=end, topics=topics))
    assert sum(isinstance(one.event, Notice) for one in told) == MOST_UNMONITORED // 8 + 1
    assert compared < 100 * names


def test_an_application_names_about_a_thousand_and_pools_the_others(tmp_path: Path) -> None:
    chosen = configuration(artifacts=str(tmp_path), models={})
    bus = EmbeddedBus(":memory:", "test", "a")
    prepare(bus, chosen, [], partitions=1)
    send(bus, [Sent(0, i * 10, row(f"request-{i}")) for i in range(12_000)])
    pipeline = Pipeline(bus, chosen)
    for _ in pipeline.run_until_end():
        pass
    pipeline.close()
    panes = [
        Pane.decoded(e.value)
        for es in everything(bus, chosen.topics.summaries).values()
        for e in es
        if dict(e.headers)["ce_type"] == b"io.driftbus.pane"
    ]
    assert sum(pane.rows for pane in panes) == 12_000
    assert len(panes) <= 14 * (MOST_NAMED + 1)
    notices = [e for es in everything(bus, chosen.topics.drift).values() for e in es]
    assert MOST_UNMONITORED * 0.9 < len({notice.content["identity"] for notice in notices}) <= MOST_UNMONITORED + 1
    assert len(notices) <= MOST_UNMONITORED + chosen.topics.partitions
    pooled = [notice.content for notice in notices if notice.content["model"] == OTHERS]
    assert max(notice["facts"]["versions"] for notice in pooled) > 500
    assert all("see whether the mapping takes something else for the model" in notice["text"] for notice in pooled)
