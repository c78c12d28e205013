"""The year, read once."""

import pytest

from driftbus.consumers.demo.data import Flights, year


@pytest.fixture(scope="session")
def flights() -> Flights:
    return year()
