"""Ledgers of an adversary hold every invariant, however they are read; `tests.actions.adversary` tries more of them."""

import pytest

from .adversary import same_however_it_is_read


@pytest.mark.parametrize("seed", range(0, 300, 10))
def test_an_adversary_breaks_nothing(seed: int) -> None:
    same_however_it_is_read(seed)
