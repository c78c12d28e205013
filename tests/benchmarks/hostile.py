"""Malformed and hostile messages among good ones: ``python -m tests.benchmarks.hostile [MESSAGES] [SEED]``, a million unless said.

The same good rows go through the whole pipeline twice, alone and with the others among them; on an embedded log that is trimmed as it is
read. Every hostile message is a row of its own model, a dead letter, or counted among the further ones; the good model's counts are the
same to the last one. Prints the rate and the memory of both runs.
"""

import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from driftbus.consumers.bus.interface import Output, TopicPartition
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.messages.pane import Pane
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, ProfiledField, Reference

from ..streaming import BEGINNING, configuration, message, prepare, reference
from .trimmed import TrimmedBus, resident

MESSAGES = 1_000_000
#: A good row to so many hostile ones.
HOSTILE_PER_GOOD = 4
PARTITIONS = 2
#: Messages that are published before they are read.
_CHUNK = 5_000
_HOUR = 3_600_000
_LARGE = 1_000_000

Value = object  # of any JSON type


class Hostile(NamedTuple):
    """A record, but for its place."""

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    late: int = 0  #: ms by which its time is wrong


def encoded(found: Value, draw: random.Random) -> bytes:
    """As one producer or another writes it: half characters as escapes, or as the bytes that are no UTF-8."""
    return json.dumps(found, ensure_ascii=draw.random() < 0.7).encode("utf-8", "surrogatepass")


TEXTS = [
    "",
    "\ud800",
    "\udfff",
    "a\ud83d",
    "\0",
    "\x1b[2J",
    "\x9b31m",
    "\u202e",
    "\ufffe",
    "é",
    "e\u0301",
    "１",
    "NaN",
    "1e5",
    "true",
    "a.b",
    "(others)",
    "~0",
]
NUMBERS = [0, -0.0, 1e308, 10**400, 2**63, -(2**63) - 1, float("nan"), float("inf"), -float("inf"), 1e-320, True, False, None]


def value(draw: random.Random, depth: int = 0) -> Value:
    """Anything that JSON, or Python's idea of it, can hold."""
    kind = draw.random()
    if kind < 0.4 or depth > 3:
        return draw.choice([*TEXTS, *NUMBERS])
    if kind < 0.6:
        return draw.gauss(0, 1)
    if kind < 0.7:
        return "".join(chr(draw.randrange(0x110000)) for _ in range(draw.randrange(60)))
    if kind < 0.85:
        return {draw.choice(TEXTS): value(draw, depth + 1) for _ in range(draw.randrange(4))}
    return [value(draw, depth + 1) for _ in range(draw.randrange(4))]


def fields(draw: random.Random) -> dict[str, Value]:
    """A message of the other model, with anything in its places."""
    return {
        "model": "other",
        "version": "1",
        "id": value(draw),
        "features": {
            "amount": value(draw),
            "age": value(draw),
            "colour": value(draw),
            "note": value(draw),
            draw.choice(TEXTS): value(draw),
        },
        "score": value(draw),
    }


def _named(draw: random.Random) -> Hostile:
    found = fields(draw)
    found[draw.choice(["model", "version"])] = draw.choice(
        [value(draw), f"request-{draw.randrange(10**9)}", "n" * draw.randrange(400, 600)]
    )
    return Hostile(encoded(found, draw))


def _missing(draw: random.Random) -> Hostile:
    found = fields(draw)
    for name in draw.sample(sorted(found), draw.randrange(1, len(found))):
        found[name] = value(draw) if draw.random() < 0.5 else found.pop(name)
    return Hostile(encoded({draw.choice([name, name.upper()]): of for name, of in found.items()}, draw))


def _damaged(draw: random.Random) -> Hostile:
    whole = bytearray(encoded(fields(draw), draw))
    for _ in range(draw.randrange(1, 6)):
        whole[draw.randrange(len(whole))] = draw.randrange(256)
    return Hostile(bytes(whole[: draw.randrange(len(whole))] if draw.random() < 0.3 else whole))


def _no_json(draw: random.Random) -> Hostile:
    text = json.dumps(fields(draw))
    return Hostile(
        draw.choice(
            [
                None,
                b"",
                b"\0",
                b"null",
                b"[]",
                b"{",
                b'"',
                b"1",
                draw.randbytes(40),
                text.encode("utf-16"),
                b"\xef\xbb\xbf" + text.encode(),
                b"\xc0\xaf" * 9,
            ]
        )
    )


def _deep(draw: random.Random) -> Hostile:
    depth = draw.choice([50, 500, 5_000])
    inside = draw.choice(["[" * depth + "]" * depth, "[" * depth, '{"a":' * depth + "1" + "}" * depth])
    return Hostile(draw.choice([inside, '{"model":"other","version":"1","features":{"amount":' + inside + "}}"]).encode())


def _digits(draw: random.Random) -> Hostile:
    digits = draw.choice(["9" * 5_000, "1e9999", "-1e-9999", "0." + "3" * 4_000, "01", "+1", ".5", "1_000", "0x10", "Infinity"])
    return Hostile(b'{"model":"other","version":"1","features":{"amount":' + digits.encode() + b',"colour":' + digits.encode() + b"}}")


def _many_names(draw: random.Random) -> Hostile:
    return Hostile(encoded({**fields(draw), "features": {f"f{draw.randrange(10**6)}": 1 for _ in range(draw.randrange(500))}}, draw))


def _twice(draw: random.Random) -> Hostile:
    one, two = (json.dumps(fields(draw))[1:-1] for _ in range(2))
    return Hostile(f"{{{one},{two}}}".encode())


def _around(draw: random.Random) -> Hostile:
    odd = [None, b"", b"\xff", b"k" * 5_000, draw.randbytes(20)]
    names = ["ce_type", "ce_id", "driftbus-end", "content-type", "", "\0", "é", "h" * 1_000]
    heads = tuple(
        (draw.choice(names), draw.choice([b"", b"\xff", b"io.driftbus.pane", draw.randbytes(9)])) for _ in range(draw.randrange(20))
    )
    return Hostile(encoded(fields(draw), draw), draw.choice(odd), heads)


def _at_another_time(draw: random.Random) -> Hostile:
    late = draw.choice([1, 5_000, _HOUR, 400 * 24 * _HOUR, BEGINNING, BEGINNING + 5, 2**62, -2 * _HOUR, -400 * 24 * _HOUR, -(10**15)])
    return Hostile(encoded(fields(draw), draw), late=late)


def _large(draw: random.Random) -> Hostile:
    text, found = draw.choice(["x", "é", "\U0001f600"]) * draw.randrange(_LARGE // 4) + str(draw.random()), fields(draw)
    place = draw.choice(["model", "id", "colour", "note", "name", "list", "value"])
    match place:
        case "model" | "id":
            found[place] = text
        case "name":
            found["features"] = {text: 1}
        case "list":
            found["features"] = {"amount": [draw.random()] * 50_000}
        case "value":
            return Hostile(text.encode())
        case _:
            found["features"] = {place: text}
    return Hostile(encoded(found, draw))


#: How to make one, and how many of a hundred thousand are so made.
KINDS: dict[str, tuple[Callable[[random.Random], Hostile], int]] = {
    "anything in its fields": (lambda draw: Hostile(encoded(fields(draw), draw)), 25_000),
    "models and versions": (_named, 20_000),
    "fields missing or elsewhere": (_missing, 12_000),
    "damaged bytes": (_damaged, 12_000),
    "no JSON object": (_no_json, 12_000),
    "names twice": (_twice, 5_000),
    "keys and headers": (_around, 5_000),
    "times": (_at_another_time, 5_000),
    "numbers of any length": (_digits, 2_500),
    "deep": (_deep, 1_000),
    "hundreds of names": (_many_names, 480),
    "large": (_large, 20),
}


class Record(NamedTuple):
    """What is sent."""

    good: bool
    output: Output


def records(messages: int, seed: int) -> Iterator[Record]:
    """So many hostile messages, with good ones among them.

    No two wrong times stand together: two records that agree on a time far ahead are believed, whoever sent them.
    """
    draw, numbers = random.Random(seed), np.random.default_rng(seed)
    makers, weights = [make for make, _ in KINDS.values()], [weight for _, weight in KINDS.values()]
    sent, now = 0, BEGINNING
    while sent < messages:
        for partition in range(PARTITIONS):
            now += 5
            yield Record(True, Output("scored", partition, None, message(numbers, "good"), (), now))
        for _ in range(min(PARTITIONS * HOSTILE_PER_GOOD, messages - sent)):
            sent += 1
            made = draw.choices(makers, weights)[0](draw)
            place, time_ms = draw.randrange(PARTITIONS), now - made.late
            yield Record(False, Output("scored", place, made.key, made.value, made.headers, time_ms))
            if made.late < 0:
                for partition in range(PARTITIONS):
                    for _ in range(2):
                        yield Record(True, Output("scored", partition, None, message(numbers, "good"), (), now))


class Measured(NamedTuple):
    """What a run came to."""

    good: dict[int, tuple[int, bytes, bytes]]  #: by bucket: rows, counts, sums
    others: int  #: rows of other models
    letters: int  #: of whole records, published or among the further ones
    fields: int  #: letters of single fields that were published
    reasons: Counter[str]
    panes: int
    notices: int
    seconds: float
    most: int  #: bytes of memory


def measure(messages: int, seed: int = 0, *, hostile: bool = True) -> Measured:
    """One run of the whole pipeline; without the hostile ones if so asked."""
    with tempfile.TemporaryDirectory() as folder:
        return _measured(folder, messages, seed, hostile=hostile)


def _measured(folder: str, messages: int, seed: int, *, hostile: bool) -> Measured:
    models = {name: {"false_alarms": "1 per 30d"} for name in ("good", "other")}
    settings = configuration(artifacts=folder, models=models, stream={"max_rows": 10_000})
    bus = TrimmedBus()
    prepare(bus, settings, [reference("good"), _watched()], PARTITIONS)
    topics, seen = settings.topics, _Seen()
    pipeline, most, began, source = Pipeline(bus, settings), 0, time.perf_counter(), records(messages, seed)
    last, going = BEGINNING, True
    while going:
        some = [one.output for one, _ in zip(source, range(_CHUNK), strict=False) if hostile or one.good]
        going = bool(some)
        last = max([last, *(one.timestamp or 0 for one in some if (one.timestamp or 0) < last + _HOUR)])
        bus.publish(some or end_records(settings.application, "scored", PARTITIONS, last + 20_000))
        while pipeline.turn():
            pass
        most = max(most, resident())
        seen.take(bus, topics.summaries, topics.dead_letter, topics.drift)
        bus.trim("scored", topics.summaries, topics.dead_letter, topics.drift)
    for _ in pipeline.run_until_end():
        pass
    seconds = time.perf_counter() - began
    seen.take(bus, topics.summaries, topics.dead_letter, topics.drift)
    pipeline.close()
    bus.close()
    return seen.measured(seconds, most)


def _watched() -> Reference:
    """The other model's reference: with ids, and a text, so that whatever can be watched is."""
    ids = CategoricalProfile(categories=("new",), counts=(9_990, 10), tau=(1.0, 1.0))
    note = ProfiledField(name="note", type="text", availability=AvailabilityProfile(counts=(10_000, 0, 0, 0)))
    plain = reference("other")
    return plain.model_copy(update={"ids": ids, "fields": (*plain.fields, note)})


class _Seen:
    """What has been published so far."""

    def __init__(self) -> None:
        self.at: dict[TopicPartition, int] = {}
        self.good: dict[int, tuple[int, np.ndarray, np.ndarray]] = {}
        self.others = self.letters = self.fields = self.panes = self.notices = 0
        self.reasons: Counter[str] = Counter()

    def take(self, bus: TrimmedBus, summaries: str, dead: str, drift: str) -> None:
        for topic in (summaries, dead, drift):
            for number in range(bus.describe([topic])[topic].partitions):
                place = TopicPartition(topic, number)
                first, end = bus.watermarks(place)
                for batch in bus.read(place, max(first, self.at.get(place, 0)), end):
                    for value_, heads in zip(batch.values, batch.headers(), strict=True):
                        self._look(dict(heads), value_ or b"")
                self.at[place] = end

    def _look(self, heads: dict[str, bytes], content: bytes) -> None:
        match heads["ce_type"]:
            case b"io.driftbus.pane":
                self.panes += 1
                self._pane(Pane.decoded(content))
            case b"io.driftbus.dead-letter":
                record = heads["driftbus-scope"] == b"record"
                self.letters += record
                self.fields += not record
                self.reasons["further"] += int(heads["driftbus-further"])
                self.reasons[heads["driftbus-reason"].decode()[:16]] += 1
            case kind:
                self.notices += kind.startswith(b"io.driftbus.notice")

    def _pane(self, pane: Pane) -> None:
        if pane.model != "good":
            self.others += pane.rows
            return
        rows, counts, sums = self.good.get(pane.bucket, (0, np.zeros_like(pane.counts), np.zeros_like(pane.sums)))
        self.good[pane.bucket] = rows + pane.rows, counts + pane.counts, sums + pane.sums

    def measured(self, seconds: float, most: int) -> Measured:
        good = {bucket: (rows, counts.tobytes(), sums.tobytes()) for bucket, (rows, counts, sums) in self.good.items()}
        return Measured(good, self.others, self.letters, self.fields, self.reasons, self.panes, self.notices, seconds, most)


def problems(messages: int, alone: Measured, among: Measured) -> list[str]:
    """What the hostile messages did besides costing themselves."""
    found = []
    if alone.good != among.good:
        wrong = [bucket for bucket in alone.good.keys() | among.good.keys() if alone.good.get(bucket) != among.good.get(bucket)]
        found.append(f"the good rows' counts differ in {len(wrong)} of {len(alone.good)} buckets, first {min(wrong)}")
    known, further = among.others + among.letters, among.reasons["further"]  # the further ones are of records and of fields
    if not known <= messages <= known + further:
        found.append(
            f"of {messages:,} {among.others:,} were counted, {among.letters:,} are dead letters; there are {further:,} more of these"
        )
    return found


def main(arguments: list[str]) -> None:
    """Both runs, told side by side."""
    messages, seed = int(arguments[0]) if arguments else MESSAGES, int(arguments[1]) if len(arguments) > 1 else 0
    alone, among = measure(messages, seed, hostile=False), measure(messages, seed)
    good = sum(rows for rows, _, _ in alone.good.values())
    for name, run, rows in (("good rows alone", alone, good), ("with the hostile ones", among, good + messages)):
        rate = f"{rows / run.seconds:,.0f}/s with making them"
        print(f"{name}: {rows:,} messages, {rate}; {run.most / 1e6:,.0f} MB at most; {run.panes:,} panes; {run.notices:,} notices")
    print(
        f"of {messages:,} hostile ones {among.others:,} are rows of other models, {among.letters:,} dead letters of records; "
        f"{among.fields:,} of fields; further letters, not published: {among.reasons['further']:,}"
    )
    print("commonest reasons:", among.reasons.most_common(12))
    if found := problems(messages, alone, among):
        sys.exit("\n".join(found))
    print("the good rows' counts are the same")


if __name__ == "__main__":
    main(sys.argv[1:])
