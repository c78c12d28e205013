"""`docs/bounds.md` states the constants as they are."""

import importlib
import re
from pathlib import Path

import pytest

from driftbus.schemas import text

PAGE = (Path(__file__).parent.parent / "docs/bounds.md").read_text(encoding="utf-8")
STATED = re.findall(r"^\| [^|]+ \| (\d+) \| `([\w.]+)` \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("number", "constant"), STATED, ids=[constant for _, constant in STATED])
def test_every_bound_is_the_constant(number: str, constant: str) -> None:
    module, _, name = constant.rpartition(".")
    found = getattr(importlib.import_module(f"driftbus.{module}"), name)
    assert (found.most if isinstance(found, text.Use) else found) == int(number)


def test_every_use_of_text_is_stated() -> None:
    uses = {f"schemas.text.{name}" for name, value in vars(text).items() if isinstance(value, text.Use)}
    assert uses == {constant for _, constant in STATED if constant.startswith("schemas.text.")}
