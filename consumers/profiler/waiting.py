"""Rows of a run that wait for each other in the joins topic, until they leave in blocks."""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.block import FORM, LARGEST, NAME_BYTES, NO_BIN, ROW_BYTES, VALUE_BYTES, Block, Whose
from ...schemas.messages.progress import InputPartition
from ...schemas.outcome import NO_VALUE
from ..streams.buckets import Buckets

Side = Literal["predictions", "labels", "served", "offline"]
#: Sides whose rows carry values of features.
CARRYING = ("served", "offline")
#: Groups that a number of 16 bits tells apart.
_FEW = 1 << 16


_IDS = (("hi", np.uint64), ("lo", np.uint64))
#: Whose rows they are (`Waiting.code`), and what a block has of them; ``beside``: score, or revision.
_NUMBERS = ("of", "bucket", "water", "offset", "value", "beside", "outlier")
Rows = NDArray[np.void]


def rows_of(halves: NDArray[np.uint64], bins: int = 0, **columns: NDArray[np.int64] | int) -> Rows:
    """Rows of one join, of these ids, with the other columns: numbers, and so many bytes of features, which say that there is none.

    >>> rows_of(np.array([[1, 2]], dtype=np.uint64), 2, value=7)["bins"].tolist()
    [[255, 255]]
    """
    rows = np.zeros(len(halves), dtype=_columns(bins))
    rows["hi"], rows["lo"] = halves.T
    if bins:
        rows["bins"] = NO_BIN
    for name, column in columns.items():
        rows[name] = column
    return rows


@cache
def _columns(bins: int) -> np.dtype[np.void]:
    return np.dtype([*_IDS, *((name, np.int64) for name in _NUMBERS), ("bins", np.uint8, (bins,))])


def carrying(halves: NDArray[np.uint64], codes: NDArray[np.int64], **columns: NDArray[np.int64] | int) -> Rows:
    """Rows of these ids that carry values of features, shape [n, features].

    >>> carrying(np.array([[1, 2]], dtype=np.uint64), np.array([[7, 8]]))["bins"].shape
    (1, 16)
    """
    rows = rows_of(halves, VALUE_BYTES * codes.shape[1], **columns)
    rows["bins"] = np.ascontiguousarray(codes.astype("<i8")).view(np.uint8)
    return rows


class Waiting:
    """Of one run and one join."""

    def __init__(self) -> None:
        self.whose: dict[Whose, int] = {}
        self._parts: list[Rows] = []
        self._whole: dict[int, bytes] = {}

    def code(self, whose: Whose) -> int:
        """The index of whose row it is."""
        return self.whose.setdefault(whose, len(self.whose))

    def add(self, rows: Rows) -> None:
        """The next rows of some models, in the order of the log among themselves."""
        if len(rows):
            self._parts.append(rows)

    def keep(self, offset: int, whole: bytes) -> None:
        """The features of a row that is written down whole."""
        self._whole[offset] = whole

    def blocks(self, named: "Named", first: int, last: int, tiling: Buckets, partitions: int) -> list[Block]:
        """All rows, by bucket and partition of the joins topic, each in the order of the log."""
        if not self._parts:
            return []
        columns = self._parts[0].dtype
        whole = f"V{columns.itemsize}"  # numpy moves rows ten times as fast where it does not look into them
        rows = np.concatenate([part.view(whole) for part in self._parts]).view(columns)
        if (np.diff(rows["offset"]) < 0).any():
            rows = rows.take(np.argsort(rows["offset"], kind="stable"))
        buckets, bucket_of = np.unique(rows["bucket"], return_inverse=True)
        group = bucket_of * partitions + (rows["lo"] % np.uint64(partitions)).astype(np.int64)
        if len(buckets) * partitions <= _FEW:
            group = group.astype(np.uint16)  # which numpy sorts by radix
        order = np.argsort(group, kind="stable")
        rows, group = rows.take(order), group[order]
        borders = np.flatnonzero(group[1:] != group[:-1]) + 1
        found: list[Block] = []
        for start, end in pairwise([0, *borders.tolist(), len(rows)]):
            index, place = divmod(int(group[start]), partitions)
            bucket = int(buckets[index])
            run = first, last, bucket, tiling.start(bucket - 1)
            found += [self._block(named, own, run, place, part) for part, own in enumerate(self._parted(rows[start:end]))]
        return found

    def _parted(self, rows: Rows) -> Iterator[Rows]:
        """In parts that fit into a record, whatever the names."""
        names = list(self.whose)
        used = (names[code] for code in np.unique(rows["of"]).tolist())
        texts = ("".join((one.model, one.version, one.reference, one.segment or "", one.grouping)) for one in used)
        size = len(rows) * (ROW_BYTES + rows["bins"].shape[1]) + sum(NAME_BYTES + len(text.encode()) for text in texts)
        size += sum(len(self._whole.get(offset, b"")) for offset in rows["offset"].tolist()) if self._whole else 0
        if size <= LARGEST or len(rows) < 2:
            yield rows
            return
        for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            yield from self._parted(half)

    def _block(self, named: "Named", rows: Rows, run: tuple[int, int, int, int], number: int, part: int) -> Block:
        first, last, bucket, start = run
        names = list(self.whose)
        order = sorted(np.unique(rows["of"]).tolist(), key=names.__getitem__)  # whatever the batches
        place_of = np.zeros(len(names), dtype=np.int64)
        place_of[order] = np.arange(len(order))
        beside = {"scores" if named.side == "predictions" else "revisions": rows["beside"]}
        return Block(
            join=named.join,
            stream=named.stream,
            side=named.side,
            topic=named.source.topic,
            topic_id=named.source.topic_id,
            partition=named.source.partition,
            first=first,
            last=last,
            bucket=bucket,
            start=start,
            whose=tuple(names[code] for code in order),
            ids=np.stack((rows["hi"], rows["lo"]), axis=1).astype("<u8").tobytes(),
            of=place_of[rows["of"]],
            waters=rows["water"] - bucket,
            offsets=rows["offset"] - first,
            values=rows["value"],
            outliers=rows["outlier"].astype(np.uint8).tobytes() if rows["outlier"].any() else b"",
            whole=self._features(rows["offset"]),
            number=number,
            part=part,
            **(_carried(rows["bins"]) if named.side in CARRYING else _binned(rows["bins"])),
            **beside,
        )

    def _features(self, offsets: NDArray[np.int64]) -> tuple[bytes, ...]:
        """Of rows; empty where none of them is written down whole."""
        found = tuple(self._whole.get(offset, b"") for offset in offsets.tolist()) if self._whole else ()
        return found if any(found) else ()


def _binned(bins: NDArray[np.uint8]) -> dict[str, Any]:  # fields of a block
    """Without features, at the end, of which no row has a group."""
    binned = int(np.flatnonzero((bins != NO_BIN).any(axis=0)).max(initial=-1)) + 1
    return {"binned": binned, "bins": bins[:, :binned].tobytes()}


def _carried(bins: NDArray[np.uint8]) -> dict[str, Any]:  # fields of a block
    """Without features, at the end, that are absent in every row."""
    codes = np.ascontiguousarray(bins).view("<i8")
    compared = int(np.flatnonzero((codes != NO_VALUE).any(axis=0)).max(initial=-1)) + 1
    return {"compared": compared, "carried": bins[:, : compared * VALUE_BYTES].tobytes(), "form": FORM}


class Named(NamedTuple):
    """Where a block's rows come from."""

    join: str
    stream: str
    side: Side
    source: InputPartition
