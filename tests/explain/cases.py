"""Half an hour of a model whose amounts come in cents from a release on, and whose countries are lost then: an embedded bus in a folder."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from driftbus.consumers.bus.interface import Output

from ..command.conftest import BEGINNING, User, amounts, table

ROWS, CENTS_FROM, LOST_FROM = 21_600, 16_000, 18_400
#: A source whose owner's name is markup.
HOSTILE = "<script>alert('till')</script>|*team*"
SETTINGS = f"""\
    features:
      session: ignore
      amount: {{source: till}}
      country: {{source: geo}}
sources:
  till: {{owner: {json.dumps(HOSTILE)}, same_code: true}}
  geo: {{owner: team-geo, same_code: true}}
"""


def played(user: User) -> None:
    """What it became: two incidents, told on the bus."""
    user.configures("    features: {session: ignore}\n", SETTINGS)
    table(Path("train.csv"), abs(amounts(5_000, seed=1)) + 1)
    user.creates()
    user.says("models", "promote", "fraud", "1", "--at", _time(CENTS_FROM))
    user.publishes(list(messages()))
    user.says("reference", "build", "fraud", "--version", "1", "--from-start")
    user.says("run", "--until-end")


def messages() -> Iterator[Output]:
    """Ten rows a second."""
    for number, value in enumerate((abs(amounts(ROWS, seed=2)) + 1).tolist()):
        amount = round(value, 4) * (100 if number >= CENTS_FROM else 1)
        country = None if number >= LOST_FROM and number % 5 < 3 else ("NZ", "PE")[number % 2]
        row = {
            "model": {"name": "fraud", "version": "1"},
            "payload": {"features": {"amount": amount, "country": country, "session": f"s{number}"}},
            "result": {"probability": number % 10 / 10},
        }
        yield Output("fraud.scored", number % 2, None, json.dumps(row).encode(), (), BEGINNING + number * 100)


def _time(row: int) -> str:
    moment = datetime.fromtimestamp(BEGINNING / 1000 + row / 10, UTC)
    return moment.isoformat()
