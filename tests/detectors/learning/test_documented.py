"""The page's program runs as it stands there."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[3] / "docs/learner.md").read_text(encoding="utf-8")
PROGRAM, READER = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_documented_learner_goes_on_where_it_stood() -> None:
    known: dict[str, object] = {}
    exec(PROGRAM, known)
    assert known["learner"].rows["learnt"] == 1  # type: ignore[attr-defined]  # whatever the program made
