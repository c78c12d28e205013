"""The largest records of golden evaluations, whatever the names: below what `schemas/bounds.py` says."""

import numpy as np

from driftbus.consumers.bus.interface import Output
from driftbus.consumers.reference.golden_records import output
from driftbus.consumers.reference.golden_sets import announced, announcement
from driftbus.detectors.golden.fold import Fold, Said
from driftbus.schemas.bounds import RECORDS
from driftbus.schemas.messages.golden import ROWS_A_RECORD, GoldenRequest, GoldenResult, GoldenStarted
from driftbus.schemas.messages.golden_set import MOST_NAMED
from driftbus.schemas.stored.golden import MOST_ROWS, MOST_SLICES, Difference, golden_set

from ..streaming import configuration
from .worlds import rows_of

SETTINGS = configuration()
#: The longest name, of characters that take four bytes, and twelve in a key.
NAME = "\U0001f600" * 500
SLICES = tuple("\x01" * 499 + chr(65 + number) for number in range(MOST_SLICES))
HASH = "sha256:" + "0" * 64


def size(output: Output) -> int:
    headers = sum(len(name.encode()) + len(value) for name, value in output.headers)
    return len(output.key or b"") + len(output.value or b"") + headers


def test_every_record_of_an_evaluation_is_within_its_bound() -> None:
    metrics = {f"{number:02}" * 50: 1 / 3 for number in range(20)}
    request = GoldenRequest(
        request="f" * 64,
        model=NAME,
        version=NAME,
        golden=HASH,
        cause="episode",
        named=NAME,
        parent=NAME,
        realised=metrics,
        estimated=metrics,
    )
    started = GoldenStarted(request=request.request, model=NAME, version=NAME, attempt=3)
    units = np.random.default_rng(1).integers(0, 1 << 47, MOST_ROWS)
    parts = [
        GoldenResult(
            **started.model_dump(),
            golden=HASH,
            chunk=chunk,
            chunks=2,
            losses=dict.fromkeys(("log_loss", "brier", "zero_one"), units[start : start + ROWS_A_RECORD]),
            places=dict.fromkeys(("log_loss", "brier", "zero_one"), 20),
            slices=SLICES,
            members=(units << 15)[start : start + ROWS_A_RECORD],
            latency_ms=(600_000,) * 4,
            answered_by=NAME,
            reasons={f"{number}" * 500: MOST_ROWS for number in range(10)},
        )
        for chunk, start in enumerate(range(0, MOST_ROWS, ROWS_A_RECORD))
    ]
    fold = Fold()
    records: list[Said] = [request, started, *parts]
    [evaluation] = [one for record in records for one in fold.feed(record)]
    kinds: dict[str, list[Said]] = {
        "golden-request": [request],
        "golden-started": [started],
        "golden-result": [*parts],
        "golden-evaluation": [evaluation],
    }
    for kind, largest in kinds.items():
        assert max(size(output(SETTINGS, record)) for record in largest) <= RECORDS[kind], kind


def test_an_announcement_names_no_more_than_it_may() -> None:
    made = golden_set(NAME, "absolute", rows_of(2))
    ids = tuple("\x01" * 196 + f"{number:04}" for number in range(5_000))
    one = announcement(made, 1_000, HASH, Difference(ids, ids, ids))
    assert len(one.added_ids) == MOST_NAMED
    assert (one.added, one.removed, one.changed) == (5_000,) * 3
    assert size(announced(SETTINGS, one)) <= RECORDS["golden-set"]
