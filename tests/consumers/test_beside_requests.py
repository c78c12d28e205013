"""What stands beside a golden request of what became of a model's predictions: it survives a restart, and other metrics of a user's own."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from driftbus.consumers.detector.online import Online, Sums, Whose
from driftbus.consumers.detector.outcomes import Outcomes
from driftbus.consumers.reference.golden_records import request_of
from driftbus.detectors.outcomes.layout import layout
from driftbus.detectors.outcomes.own import OwnMetric
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.performance import Metrics
from driftbus.schemas.stored.outcomes import OutcomeBasis

from ..streaming import BEGINNING
from .test_blocks import settings

HOUR = 3_600_000
SLOT = BEGINNING // HOUR * HOUR
WHOSE = Whose("m0", "1", "r", SLOT)


class Counted:
    """How outcomes are counted: with these columns of a user's own."""

    def __init__(self, *own: str) -> None:
        self.basis = OutcomeBasis(task="binary", own=own)

    def __call__(self, model: str, reference: str, labels: str) -> OutcomeBasis:
        return self.basis

    def metrics(self, model: str) -> Sequence[OwnMetric]:
        return ()


def chosen() -> Configuration:
    golden = {"call": {"callable": {"function": "tests.golden.functions:of_version"}}, "every": "1h"}
    return Configuration.model_validate({**settings().model_dump(), "models": {"m0": {"labels": "outcomes", "golden": golden}}})


def known(online: Online) -> list[Sums]:
    """The sums that the next request would stand beside."""
    found: list[Sums] = []

    def metrics_of(whose: Whose, sums: Sums) -> tuple[Metrics, Metrics]:
        assert whose == WHOSE
        found.append(sums)
        return {}, {}

    online.beside(request_of(chosen(), "m0", "1", None, "slot", "now", SLOT), metrics_of)
    return found


@pytest.mark.parametrize("own", [("cost", "rows"), ("rows", "cost"), ("rows", "gain"), ("rows",), ("cost", "rows", "gain"), ()])
def test_columns_of_a_users_metrics_are_known_by_their_names(own: tuple[str, ...]) -> None:
    before, after = (Outcomes(chosen(), "outcomes", Counted(*names)) for names in (("cost", "rows"), own))
    plan, now = (layout(OutcomeBasis(task="binary", own=names)) for names in (("cost", "rows"), own))
    before.online.add(WHOSE, SLOT, np.arange(plan.size))
    plain: list[Any] = msgspec.msgpack.decode(msgspec.msgpack.encode(before.online.plain(before.own)))
    after.online.restore(plain, after.as_now)
    [sums] = known(after.online)
    was = dict(zip(("cost", "rows"), plan.take(np.arange(plan.size), "own").tolist(), strict=True))
    assert now.take(sums, "own").tolist() == [was.get(name, 0) for name in own]
    assert now.number(sums, "rows") == plan.number(np.arange(plan.size), "rows")


def test_sums_of_other_labels_and_of_former_releases_are_left_out() -> None:
    before, after = (Outcomes(chosen(), "outcomes", Counted(*names)) for names in (("a",), ("b",)))
    before.online.add(WHOSE, SLOT, np.arange(7))
    plain = before.online.plain(before.own)
    after.online.restore(plain, after.as_now)
    after.online.restore([one[:-1] for one in plain], after.as_now)
    assert not known(after.online)
