"""The embedded log: topics, records and positions in one SQLite file, or in memory."""

import itertools
import sqlite3
import threading
import time
import uuid
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
import numpy as np

from ...schemas.cloud_events import Headers
from .embedded_file import check_names, unusable
from .interface import Batch, BusError, Output, Position, TopicDescription, TopicExists, TopicPartition

#: The form of the file; another number is another program's, or a later release's.
VERSION = 1
#: Bytes of values read at a time: keeps a batch of large records (snapshots) as small as one of many small ones.
MOST_BYTES = 16 * 1024 * 1024
_CHUNK = 512

# A table per partition: its rowid is the offset, so that appending and reading are the fastest things SQLite does.
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS topics (
    number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, id TEXT NOT NULL, partitions INTEGER NOT NULL,
    settings TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS positions (
    "group" TEXT, topic TEXT, partition INTEGER, offset INTEGER NOT NULL, metadata TEXT NOT NULL, PRIMARY KEY ("group", topic, partition)
) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""


class Recorded(NamedTuple):
    """A record with the place and time it had elsewhere."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


#: A setting of a topic that was recorded: where its partitions begin, where that is not at their first records.
BEGINS = "driftbus.begins"


class _Topic(NamedTuple):
    number: int
    described: TopicDescription

    @property
    def append_time(self) -> bool:
        return self.described.settings.get("message.timestamp.type") == "LogAppendTime"

    @property
    def compacted(self) -> bool:
        return "compact" in self.described.settings.get("cleanup.policy", "")

    def first(self, partition: int, low: int) -> int:
        """Where a partition begins whose first record is at ``low``: a gap in front of it need not be what retention took."""
        begins = self.described.settings.get(BEGINS, "").split(",")
        return 0 if self.compacted else min(low, int(begins[partition])) if partition < len(begins) and begins[0] else low

    def table(self, partition: int) -> str:
        if not 0 <= partition < self.described.partitions:
            msg = f"{self.described.name}[{partition}] does not exist: the topic has partitions 0 to {self.described.partitions - 1}"
            raise BusError(msg)
        return f"log_{self.number}_{partition}"


class Log:
    """Everything the embedded bus keeps. Safe from several threads; other processes may open the same file.

    *Guarantee*: a `write` is there wholly or not at all, whatever dies (SQLite, WAL). A power cut may take the last writes with it
    (``synchronous=NORMAL``), each as a whole: outputs never without their positions.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        #: Held while anything is read or written; notified when there is something new.
        self.changed = threading.Condition(threading.RLock())
        self._topics: dict[str, _Topic] = {}
        self._turn = itertools.count()
        check_names(file)
        try:
            self._database = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise BusError(unusable(file, error)) from error
        try:
            self._open()
        except (sqlite3.Error, BusError):
            self._database.close()
            raise

    def _open(self) -> None:
        try:
            found = self._database.execute("PRAGMA user_version").fetchone()[0]
            tables = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if found not in {0, VERSION} or (found == 0 and tables):
                msg = f"embedded: {self.file} is a database of something else (version {found}); name another file"
                raise BusError(msg)
            self._database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;")
            if not tables:
                self._database.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise BusError(unusable(self.file, error)) from error

    def close(self) -> None:
        """Close the file."""
        with self.changed:
            self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self.changed:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                self._topics.clear()
                raise
            self._database.execute("COMMIT")
            self.changed.notify_all()

    # Topics

    def _find(self, name: str) -> _Topic | None:
        if name not in self._topics:
            row = self._database.execute("SELECT number, id, partitions, settings FROM topics WHERE name = ?", (name,)).fetchone()
            if row is None:
                return None
            self._topics[name] = _Topic(row[0], TopicDescription(name, row[1], row[2], msgspec.json.decode(row[3], type=dict[str, str])))
        return self._topics[name]

    def _topic(self, name: str) -> _Topic:
        topic = self._find(name)
        if topic is None:
            msg = f"topic {name} does not exist in {self.file}: create it first (driftbus topics create makes our own)"
            raise BusError(msg)
        return topic

    def describe(self, names: Iterable[str]) -> dict[str, TopicDescription]:
        """Those of the topics that exist."""
        with self.changed:
            found = {name: self._find(name) for name in names}
        return {name: topic.described for name, topic in found.items() if topic is not None}

    def create(self, name: str, partitions: int, settings: Mapping[str, str], id: str | None = None) -> None:
        """Make a topic; its id is drawn at random unless it is restored under its own."""
        if partitions < 1:
            msg = f"topic {name}: {partitions} partitions; at least 1 is needed"
            raise BusError(msg)
        with self._transaction():
            if self._find(name) is not None:
                msg = f"topic {name} exists already in {self.file}"
                raise TopicExists(msg)
            row = (name, id or uuid.uuid4().hex, partitions, msgspec.json.encode(dict(settings)).decode())
            self._database.execute("INSERT INTO topics (name, id, partitions, settings) VALUES (?, ?, ?, ?)", row)
            self._make_tables(self._topic(name), range(partitions))

    def _make_tables(self, topic: _Topic, partitions: Iterable[int]) -> None:
        for table in map(topic.table, partitions):
            self._database.execute(
                f"CREATE TABLE {table} (offset INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, key BLOB, value BLOB, headers BLOB)"
            )
            if topic.compacted:
                self._database.execute(f"CREATE INDEX {table}_key ON {table} (key)")

    def delete(self, name: str) -> None:
        """Drop a topic, and what groups had committed on it."""
        with self._transaction():
            topic = self._topic(name)
            for partition in range(topic.described.partitions):
                self._database.execute(f"DROP TABLE {topic.table(partition)}")
            self._database.execute("DELETE FROM positions WHERE topic = ?", (name,))
            self._database.execute("DELETE FROM topics WHERE name = ?", (name,))
            del self._topics[name]

    # Writing

    def write(self, outputs: Iterable[Output], group: str = "", positions: Iterable[tuple[TopicPartition, Position]] = ()) -> None:
        """All outputs and positions, or nothing."""
        with self._transaction():
            now = time.time_ns() // 1_000_000
            for (topic, partition), run in self._by_partition(outputs).items():
                self._append(self._topic(topic), partition, run, now)
            rows = [(group, *source, *position) for source, position in positions]
            self._database.executemany("INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?)", rows)

    def _by_partition(self, outputs: Iterable[Output]) -> dict[tuple[str, int], list[Output]]:
        runs: dict[tuple[str, int], list[Output]] = defaultdict(list)
        for output in outputs:
            partition = output.partition
            if partition is None:
                turn = next(self._turn) if output.key is None else zlib.crc32(output.key)
                partition = turn % self._topic(output.topic).described.partitions
            runs[output.topic, partition].append(output)
        return runs

    def _append(self, topic: _Topic, partition: int, outputs: Sequence[Output], now: int) -> None:
        table = topic.table(partition)
        end, last = self._database.execute(f"SELECT offset + 1, timestamp FROM {table} ORDER BY offset DESC LIMIT 1").fetchone() or (0, now)
        log_time = max(now, last) if topic.append_time else None
        encode = msgspec.msgpack.encode
        rows = (
            (offset, log_time or (now if o.timestamp is None else o.timestamp), o.key, o.value, encode(o.headers) if o.headers else None)
            for offset, o in enumerate(outputs, end)
        )
        self._database.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", rows)
        if topic.compacted:
            self._compact(topic, table, outputs, end)

    def _compact(self, topic: _Topic, table: str, outputs: Sequence[Output], end: int) -> None:
        """Keep the last record of every key just written; the last record of all always stays, so that no offset is given twice."""
        last = {output.key: offset for offset, output in enumerate(outputs, end)}
        if None in last:
            msg = f"{topic.described.name} is compacted: a record without a key cannot be written to it"
            raise BusError(msg)
        self._database.executemany(f"DELETE FROM {table} WHERE key = ? AND offset < ?", last.items())

    def restore(self, described: TopicDescription, records: Iterable[Recorded]) -> None:
        """Write records with the offsets and times they had elsewhere; makes the topic (or its missing partitions) under its own id."""
        encode = msgspec.msgpack.encode
        by_partition: dict[int, list[tuple[int, int, bytes | None, bytes | None, bytes | None]]] = defaultdict(list)
        for r in records:
            by_partition[r.partition].append((r.offset, r.timestamp, r.key, r.value, encode(r.headers) if r.headers else None))
        partitions = max(described.partitions, *(p + 1 for p in by_partition), 1)
        if not self.describe([described.name]):
            self.create(described.name, partitions, described.settings, described.id)
        with self._transaction():
            topic = self._topic(described.name)
            if topic.described.id != described.id:
                msg = f"topic {described.name} has id {topic.described.id} here and {described.id} in the recording; take another file"
                raise BusError(msg)
            self._grow(topic, partitions)
            for partition, rows in by_partition.items():
                table = self._topic(described.name).table(partition)
                try:
                    self._database.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", rows)
                except sqlite3.IntegrityError as error:
                    msg = f"{described.name}[{partition}]: an offset from {rows[0][0]} to {rows[-1][0]} is there already"
                    raise BusError(msg) from error

    def _grow(self, topic: _Topic, partitions: int) -> None:
        if partitions > topic.described.partitions:
            self._database.execute("UPDATE topics SET partitions = ? WHERE number = ?", (partitions, topic.number))
            del self._topics[topic.described.name]
            self._make_tables(self._topic(topic.described.name), range(topic.described.partitions, partitions))

    # Reading

    def span(self, source: TopicPartition) -> tuple[int, int]:
        """First offset, and the end."""
        with self.changed:
            topic = self._topic(source.topic)
            table = topic.table(source.partition)  # two look-ups in the index: both in one select would scan the table
            low, high = self._database.execute(f"SELECT (SELECT min(offset) FROM {table}), (SELECT max(offset) FROM {table})").fetchone()
        return (0, 0) if low is None else (topic.first(source.partition, low), high + 1)

    def offset_at(self, source: TopicPartition, time_ms: int) -> int:
        """The first offset with a timestamp at or after a time, else the end; looks at every record in front of it."""
        with self.changed:
            table = self._topic(source.topic).table(source.partition)
            found = self._database.execute(
                f"SELECT offset FROM {table} WHERE timestamp >= ? ORDER BY offset LIMIT 1", (time_ms,)
            ).fetchone()
            return self.span(source)[1] if found is None else int(found[0])

    def batch(self, source: TopicPartition, start: int, end: int, most: int) -> Batch | None:
        """The records from ``start``, before ``end``: at most ``most``, and about `MOST_BYTES`. None: there are none."""
        rows: list[tuple[int, int, bytes | None, bytes | None, bytes | None]] = []
        size = 0
        with self.changed:
            topic = self._topic(source.topic)
            cursor = self._database.execute(
                f"SELECT offset, timestamp, key, value, headers FROM {topic.table(source.partition)} "
                "WHERE offset >= ? AND offset < ? ORDER BY offset LIMIT ?",
                (start, end, most),
            )
            while size < MOST_BYTES and (chunk := cursor.fetchmany(_CHUNK)):
                rows += chunk
                size += sum(len(row[3]) for row in chunk if row[3])
            cursor.close()
        if not rows:
            return None
        offsets, timestamps, keys, values, headers = zip(*rows, strict=True)
        return Batch(
            source,
            np.array(offsets, dtype=np.int64),
            np.array(timestamps, dtype=np.int64),
            values,
            keys=lambda: keys,
            headers=lambda: [msgspec.msgpack.decode(h, type=Headers) if h else () for h in headers],
            append_time=topic.append_time,
        )

    def positions(self, group: str, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Position]:
        """What the group has committed on these."""
        found = {}
        with self.changed:
            for source in partitions:
                row = self._database.execute(
                    'SELECT offset, metadata FROM positions WHERE "group" = ? AND topic = ? AND partition = ?', (group, *source)
                ).fetchone()
                if row is not None:
                    found[source] = Position(*row)
        return found
