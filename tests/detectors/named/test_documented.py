"""docs/detectors.md says what the code does."""

import re
from pathlib import Path

import numpy as np
import pytest

from driftbus.consumers.process.settings import parsed
from driftbus.detectors.named.built_in import BUILT_IN
from driftbus.detectors.named.interface import NamedDetector, Seen, Unsuited

from .worlds import SHARE, errors, numbers

PAGE = (Path(__file__).parent.parent.parent.parent / "docs/detectors.md").read_text(encoding="utf-8")


def _block(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


def test_the_example_loads() -> None:
    fraud = parsed(_block("yaml"), {}).model("fraud")
    assert [name for name, _ in fraud.feature("amount_usd").detectors] == ["ks", "adwin"]
    assert fraud.feature("country").detectors == (("chi_square", {"rows": 5000}),)


def test_every_detector_and_setting_is_listed() -> None:
    listed = {name: re.findall(r"`(\w+)`", cells) for name, cells in re.findall(r"^\| `(\w+)` \| [a-z, ]+ \| (.*) \|$", PAGE, re.MULTILINE)}
    assert listed == {name: list(kind.model_json_schema()["properties"]) for name, kind in BUILT_IN.items()}


def test_one_of_your_own_works_as_it_is_written() -> None:
    names: dict[str, type[NamedDetector]] = {}
    exec(compile(_block("python"), "docs/detectors.md", "exec"), names)
    settings = names["Share"].model_validate({"category": "true", "most": 0.2})
    watcher = settings.on(errors(), SHARE)
    counted = [watcher.step(watcher.start(), Seen(np.array(counts), [], 10.0, 1))[1] for counts in ([90, 10, 0], [70, 30, 0])]
    assert counted == [(False, 0.1, 0.2), (True, 0.3, 0.2)]
    with pytest.raises(Unsuited, match="amount has no category true"):
        settings.on(numbers(), SHARE)
