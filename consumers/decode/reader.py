"""The fast path: chosen members of many JSON payloads, read by a chain of C iterators without a Python-level step per payload.

A message type is made of exactly the paths wanted, so that all else is skipped, unparsed. On 10,000 payloads this is three times as fast
as columnar JSON readers, and a payload that is refused is known by its row (`tests/benchmarks/decode.py`).
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, starmap
from operator import attrgetter, itemgetter
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from .interface import MARKS

#: Payloads read at a time: their objects stay in the processor's cache (256: 1,570 ns per row; 10,000: 2,060).
_CHUNK = 256
#: Rows of a chunk in which a None stops the packing, at 2 us each, before numpy's slower conversion takes over.
_MANY_NULLS = _CHUNK // 8
#: What msgspec raises for a payload that does not fit: malformed or mistyped, not UTF-8, None for a value, nested too deeply.
_REFUSALS = (msgspec.DecodeError, UnicodeDecodeError, TypeError, RecursionError)


def nan(mark: int) -> float:
    """The NaN that says why a number is not there (see `MARKS`)."""
    return float(np.array(mark, dtype=np.uint64).view(np.float64))


MISSING, NULL = nan(MARKS.missing), nan(MARKS.null)
_Path = tuple[str, ...]


class Leaf(NamedTuple):
    """A member to read: as a number (null where None), as a vector, or as whatever of ``type`` it is (`UNSET` where missing)."""

    path: _Path
    type: Any = None  # a type annotation; None: a number, or a vector
    size: int | None = None  #: of a vector; 0: of any size, of which only the first number is read

    @property
    def number(self) -> bool:
        """Whether it is read as one number."""
        return self.type is None and self.size is None


@dataclass(frozen=True)
class Members:
    """What `JSONReader.read` found in n payloads. Refused rows have every member missing."""

    numbers: NDArray[np.float64]  #: [n, number of numeric leaves], in their order
    others: list[list[Any]]  # JSON scalars; one list per other leaf
    vectors: list[NDArray[np.float64]]  #: [n, size] per vector; of one that is not there the first number is a NaN of `MARKS`
    refused: list[int]


@dataclass
class _Node:
    """An object on the way to some leaves: their indices, and the objects inside it, by member name."""

    leaves: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, "_Node"] = field(default_factory=dict)


class _Container(NamedTuple):
    """One kind of object, all of whose leaves are read at once."""

    get: Callable[[Any], Any] | None  # from the message; None: it is the message itself
    numbers: Callable[[tuple[Any, ...]], tuple[Any, ...]]  # its members' numeric part: the first ones
    pack: Callable[..., bytes]
    columns: slice | list[int]  #: where its numbers go; a slice costs less
    width: int
    others: list[tuple[int, int]]  #: index among its members, index among the reader's others
    vectors: list[tuple[int, int]]  #: index among its members, index among the reader's vectors


class JSONReader:
    """Reads the given leaves. Paths that no message type can have (``a`` and ``a.b``, names that need escapes) make it refuse every row."""

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        self._leaves = leaves
        self._numbers = [i for i, leaf in enumerate(leaves) if leaf.number]
        self._others = [i for i, leaf in enumerate(leaves) if leaf.type is not None]
        self._vectors = [i for i, leaf in enumerate(leaves) if leaf.size is not None]
        self._containers: list[_Container] = []
        self._decode: Callable[[Any], Any] | None = None  # payload to message
        try:
            message = self._compiled(_tree(leaves), ())
        except ValueError:
            return
        self._decode, self._empty = msgspec.json.Decoder(message).decode, message()

    @property
    def fits(self) -> bool:
        """Whether there is a message type for the leaves."""
        return self._decode is not None

    def read(self, values: Sequence[bytes | None]) -> Members:
        """The leaves of every payload; those refused are for somebody more tolerant."""
        n = len(values)
        numbers = np.full((n, len(self._numbers)), MISSING)
        others: list[list[Any]] = [[] for _ in self._others]
        vectors = [missing_vectors(n, self._leaves[i].size or 1) for i in self._vectors]
        if self._decode is None:
            return Members(numbers, [[msgspec.UNSET] * n for _ in others], vectors, list(range(n)))
        refused: list[int] = []
        nulls = [0] * len(self._containers)
        for start in range(0, n, _CHUNK):
            messages = self._messages(values[start : start + _CHUNK], start, refused)
            for i, container in enumerate(self._containers):
                objects = messages if container.get is None else map(container.get, messages)
                members = list(map(astuple, objects))
                if container.width:
                    rows = slice(start, start + len(members))
                    if nulls[i] < _MANY_NULLS:
                        numbers[rows, container.columns], nulls[i] = _packed(container, members)
                    else:
                        numbers[rows, container.columns] = _converted(container, members)
                for index, column in container.others:
                    others[column].extend(map(itemgetter(index), members))
                for index, column in container.vectors:
                    _put_vectors(vectors[column][start : start + len(members)], list(map(itemgetter(index), members)))
        return Members(numbers, others, vectors, refused)

    def _messages(self, values: Iterable[bytes | None], start: int, refused: list[int]) -> list[Any]:
        """The messages of a chunk: an exception leaves the iterator behind its payload, and the list with all before it."""
        messages: list[Any] = []
        assert self._decode is not None
        decoded = map(self._decode, values)  # None is refused like any other bad value
        while True:
            try:
                messages.extend(decoded)
            except _REFUSALS:
                refused.append(start + len(messages))
                messages.append(self._empty)
            else:
                return messages

    def _compiled(self, node: _Node, at: _Path) -> type[msgspec.Struct]:
        """The message type of a node: numbers first, then other leaves, then the objects inside it. Containers are noted on the way."""
        numbers = [name for name, leaf in node.leaves.items() if self._leaves[leaf].number]
        others = [name for name in node.leaves if name not in numbers]
        names = {name: f"m{i}" for i, name in enumerate((*numbers, *others, *node.nodes))}
        if node.leaves:
            self._containers.append(
                _Container(
                    get=attrgetter(".".join(at)) if at else None,
                    numbers=itemgetter(slice(0, len(numbers))),
                    pack=struct.Struct(f"{len(numbers)}d").pack,
                    columns=_span([self._numbers.index(node.leaves[name]) for name in numbers]),
                    width=len(numbers),
                    others=self._places(node, others, len(numbers), self._others),
                    vectors=self._places(node, others, len(numbers), self._vectors),
                )
            )
        inside = {name: self._compiled(child, (*at, names[name])) for name, child in node.nodes.items()}
        return msgspec.defstruct(
            "Message",
            [
                *((names[name], float | None, MISSING) for name in numbers),
                *((names[name], _type(self._leaves[node.leaves[name]]) | msgspec.UnsetType, msgspec.UNSET) for name in others),
                *((names[name], type_, msgspec.field(default_factory=type_)) for name, type_ in inside.items()),
            ],
            rename={attribute: name for name, attribute in names.items()},
            gc=False,
        )

    def _places(self, node: _Node, names: Sequence[str], first: int, among: list[int]) -> list[tuple[int, int]]:
        leaves = [(i, node.leaves[name]) for i, name in enumerate(names, first)]
        return [(i, among.index(leaf)) for i, leaf in leaves if leaf in among]


def _type(leaf: Leaf) -> Any:  # an annotation
    """Lists of another size are refused, as are those with a null: they are for the more tolerant."""
    if leaf.size is None:
        return leaf.type
    return Annotated[list[float], msgspec.Meta(min_length=leaf.size or 1, max_length=leaf.size or None)] | None


def _span(columns: list[int]) -> slice | list[int]:
    return slice(columns[0], columns[-1] + 1) if columns and columns == list(range(columns[0], columns[-1] + 1)) else columns


def _tree(leaves: Sequence[Leaf]) -> _Node:
    root = _Node()
    for index, path in enumerate(leaf.path for leaf in leaves):
        node = root
        for step in path[:-1]:
            node = node.nodes.setdefault(step, _Node())
        if path[-1] in node.leaves:
            msg = f"{'.'.join(path)} is wanted twice"
            raise ValueError(msg)
        node.leaves[path[-1]] = index
    _refuse_contradictions(root)
    return root


def _refuse_contradictions(node: _Node) -> None:
    both = node.leaves.keys() & node.nodes.keys()
    if both:
        msg = f"{min(both)} is wanted as a value and as an object"
        raise ValueError(msg)
    for child in node.nodes.values():
        _refuse_contradictions(child)


def _packed(container: _Container, members: Sequence[tuple[Any, ...]]) -> tuple[NDArray[np.float64], int]:
    """The numeric members of a chunk, a row each; and how many rows had a None."""
    rows: list[bytes] = []
    nulls = 0
    packed = starmap(container.pack, map(container.numbers, members))
    while True:
        try:
            rows.extend(packed)
        except struct.error:
            nulls += 1
            rows.append(container.pack(*(NULL if number is None else number for number in container.numbers(members[len(rows)]))))
        else:
            return np.frombuffer(b"".join(rows)).reshape(len(members), -1), nulls


def _converted(container: _Container, members: Sequence[tuple[Any, ...]]) -> NDArray[np.float64]:
    """The same, slower, but nulls cost nothing: numpy's NaN for None has the very bits of one."""
    flat = chain.from_iterable(map(container.numbers, members))
    return np.fromiter(flat, np.float64, len(members) * container.width).reshape(len(members), -1)


def missing_vectors(rows: int, width: int) -> NDArray[np.float64]:
    """So many that are missing."""
    vectors = np.zeros((rows, width))
    vectors[:, 0] = MISSING
    return vectors


def _put_vectors(vectors: NDArray[np.float64], column: Sequence[Any]) -> None:
    """Lists of numbers, None or `UNSET`, into rows that are missing so far: packed as one where all are there, else one by one."""
    width = vectors.shape[1]
    if width == 1:
        column = [value[:1] if type(value) is list else value for value in column]
    pack = struct.Struct(f"{width}d").pack
    try:
        vectors[:] = np.frombuffer(b"".join(starmap(pack, column))).reshape(-1, width)
    except TypeError:
        for row, value in enumerate(column):
            if type(value) is list:
                vectors[row] = value
            elif value is None:
                vectors[row, 0] = NULL
