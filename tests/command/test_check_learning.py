"""`check` says how many rows a learner is to remember, and which share of them it can."""

import pytest

from driftbus.consumers.command.checks.learning import learns

from ..streaming import configuration, reference


@pytest.mark.parametrize(
    ("wait", "sample", "told"),
    [
        ("1d", 1.0, "models.m0.learner: some 86,400 rows wait for their labels"),
        ("30d", 1.0, "models.m0.examples.sample: some 2,592,000 rows wait for their labels, in every snapshot; write 0.39"),
        ("30d", 0.3, "models.m0.learner: some 777,600 rows wait for their labels"),
    ],
)
def test_rows_that_wait_are_counted(wait: str, sample: float, told: str) -> None:
    chosen = configuration(
        stream={"pane": "1m"},
        labels={"known": {"topics": ["labels"], "wait": wait}},
        models={"m0": {"labels": "known", "learner": {}, "examples": {"sample": sample}}},
    )
    assert [one.text for one in learns(chosen, reference("m0"))] == [told]
