"""What ``driftbus check`` says of reviews: what people see, and how long it takes until the errors that they find are tested."""

from pathlib import Path

import pytest

from driftbus.consumers.command.checks.review import cases

from ..streaming import configuration, reference


@pytest.mark.parametrize(
    ("review", "level", "says"),
    [
        ({}, "ok", "some 2 days, if all are answered"),
        ({"budget": "30 per day", "uniform": 0.5}, "ok", "some 67 days"),
        ({"budget": "1 per day", "uniform": 0.1}, "ok", "some 10,000 days"),
        ({"budget": "6000 per hour", "uniform": 1}, "ok", "some 1 days"),
        ({"uniform": 0}, "note", "errors that people find are not tested"),
    ],
)
def test_it_says_when_errors_that_people_find_are_tested(tmp_path: Path, review: dict[str, object], level: str, says: str) -> None:
    chosen = configuration(artifacts=str(tmp_path), models={"m0": {"review": review}})
    found = [one for one in cases(chosen, reference("m0")) if "errors that people find" in one.text]
    assert [(one.level, says in one.text) for one in found] == [(level, True)]
