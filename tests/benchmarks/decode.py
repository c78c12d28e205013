"""Decoding and counting, in ns per row: ``python -m tests.benchmarks.decode`` (from the repository's root)."""

import json
import os
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np

from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.decode.times import aged
from driftbus.consumers.reference.building.build import build_reference
from driftbus.consumers.reference.building.columns import Chunk, Key
from driftbus.detectors.counting import Counting
from driftbus.schemas.configuration import Model
from driftbus.schemas.configuration.mapping import Mapping
from driftbus.schemas.stored.reference import FieldType

from .messages import MAPPING, messages, reference

ROWS = 10_000


def fastest(run: Callable[[], object], rows: int, repeats: int = 9) -> float:
    """Nanoseconds per row of the fastest of some runs: the others say how busy the machine was."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times) / rows * 1e9


def decoding() -> None:
    """Columns alone, identities alone, both in one pass; beside the standard library."""
    fields = reference().fields
    constant = Mapping.model_validate({**MAPPING.model_dump(), "model": "constant:fraud", "version": "constant:1"})
    print(f"{'':42}{'columns':>9}{'ids':>9}{'both':>9}{'json.loads':>12}")
    for title, nulls, malformed in (("", 0.0, 0.0), ("1 % null", 0.01, 0.0), ("20 % null", 0.2, 0.0), ("1 in 10,000 malformed", 0.0, 1e-4)):
        values = list(messages(ROWS, nulls=nulls))
        if malformed:
            values[ROWS // 2] = values[ROWS // 2][:-20]
        alone, ids, both = JSONDecoder(constant), JSONDecoder(MAPPING), JSONDecoder(MAPPING)
        both.columns(fields, values)

        def one_pass(decoder: JSONDecoder = both, values: list[bytes] = values) -> None:
            decoder.identities(values, None, None)
            decoder.columns(fields, values)

        figures = [
            fastest(lambda: alone.columns(fields, values), ROWS),  # noqa: B023
            fastest(lambda: ids.identities(values, None, None), ROWS),  # noqa: B023
            fastest(one_pass, ROWS),
        ]
        loads = "" if malformed else f"{fastest(lambda: list(map(json.loads, values)), ROWS, 3):12.0f}"  # noqa: B023
        size = sum(map(len, values)) / ROWS
        print(f"{f'{ROWS:,} x {size:.0f} bytes {title}':42}{''.join(f'{figure:9.0f}' for figure in figures)}{loads}")


def counting() -> None:
    """Decoded rows to a pane's vectors, all fields and the 20 numbers alone."""
    everything = reference()
    numbers = everything.model_copy(update={"fields": everything.fields[:20]})
    print(f"\n{'counting':42}{'20 numbers':>12}{'21, 4 categories':>18}")
    for rows in (100, 500, 2_000, 10_000, 50_000):
        figures = []
        for profile in (numbers, everything):
            columns = JSONDecoder(MAPPING).columns(profile.fields, list(messages(rows)))
            compiled = Counting(profile)
            figures.append(fastest(lambda: compiled.count(columns.numeric, columns.categorical), rows, 15))  # noqa: B023
        print(f"{f'{rows:,} rows':42}{figures[0]:12.0f}{figures[1]:18.0f}")


def types() -> None:
    """A field of each type alone in its message: decoded, and counted."""
    draw = np.random.default_rng(7)
    at = np.datetime64("2026-03-01T10:00:00.123", "ms") + draw.integers(0, 10**8, ROWS)
    words = draw.choice(["the", "parcel", "came", "late", "and", "was", "broken", "again"], (ROWS, 12))
    columns: dict[str, tuple[int, FieldType, list[object]]] = {
        "number": (ROWS, "numeric", draw.normal(size=ROWS).round(4).tolist()),
        "category": (ROWS, "categorical", words[:, 0].tolist()),
        "text of 12 words": (ROWS, "text", [" ".join(each) for each in words.tolist()]),
        "ISO time, ms, Z": (ROWS, "timestamp", [f"{time}Z" for time in at]),
        "epoch ms": (ROWS, "timestamp", at.astype(np.int64).tolist()),
        "vector of 128": (2_000, "embedding", draw.normal(size=(2_000, 128)).round(6).tolist()),
        "vector of 768": (1_000, "embedding", draw.normal(size=(1_000, 768)).round(6).tolist()),
    }
    print(f"\n{'ns per row':42}{'decoded':>12}{'counted':>12}")
    for title, (rows, type_, values) in columns.items():
        settings = Model.model_validate({"features": {"x": {"type": type_}}})
        profile = build_reference(Values(values), "fraud", "1", settings)
        payloads: list[bytes | None] = [msgspec.json.encode({"features": {"x": value}}) for value in values]
        decoder, compiled = JSONDecoder(Mapping()), Counting(profile)
        read = aged(decoder.columns(profile.fields, payloads), profile.fields, np.zeros(rows, dtype=np.int64))
        texts = [Counter(column) for column in read.categorical]
        figures = [
            fastest(lambda: decoder.columns(profile.fields, payloads), rows),  # noqa: B023
            fastest(lambda: compiled.count(read.numeric, texts, read.vectors), rows),  # noqa: B023
        ]
        print(f"{f'{title}, {sum(map(len, filter(None, payloads))) / rows:.0f} bytes':42}{figures[0]:12.0f}{figures[1]:12.0f}")


class Values:
    """One feature ``x``, as the source of a reference."""

    label = "values"

    def __init__(self, values: list[object]) -> None:
        self._values = values

    def chunks(self, keys: Sequence[Key] | None = None) -> Iterator[Chunk]:
        """All at once, or nothing where nothing is asked for."""
        columns = dict.fromkeys([Key("feature", "x")] if keys is None else keys, self._values)
        yield Chunk(len(self._values), np.arange(len(self._values)) * 1000, columns)

    def remarks(self) -> Sequence[str]:
        """None."""
        return ()


if __name__ == "__main__":
    versions = f"Python {platform.python_version()}, msgspec {msgspec.__version__}, numpy {np.__version__}"
    print(f"{platform.machine()}, {os.cpu_count()} cores; {versions}")
    decoding()
    counting()
    types()
