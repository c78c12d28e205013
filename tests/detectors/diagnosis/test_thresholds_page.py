"""The page of causes states every threshold as it is."""

import re
from pathlib import Path

from driftbus.detectors.diagnosis.thresholds import DEFAULTS

PAGE = (Path(__file__).parents[3] / "docs" / "causes.md").read_text(encoding="utf-8")


def test_every_threshold_is_stated() -> None:
    stated = {name: float(value) for name, value in re.findall(r"^\| `(\w+)` \| ([\d.e-]+) \|", PAGE, re.MULTILINE)}
    assert stated == DEFAULTS._asdict()
