"""What a pane says of its rows where causes are looked for: their magnitudes, the values that many share, how old they were."""

from typing import NamedTuple

from ...detectors.counting.closely import Looked
from ...detectors.counting.rows import ByField
from ...schemas.messages.pane import Ages
from ..reference.holding import Monitored
from .beside import SideCounts
from .further import Target


class Close(NamedTuple):
    """By field, as in a pane."""

    magnitudes: ByField
    repeated: ByField
    ages: dict[str, Ages]


def close_of(monitored: Monitored | None, target: Target, looked: Looked, beside: SideCounts) -> Close:
    """Of all rows of a target; of a model that is not monitored nothing."""
    if monitored is None:
        return Close({}, {}, {})
    ages = {field: Ages(*beside.ages[place].tolist()) for field, place in monitored.as_of.items() if len(beside.ages)}
    magnitudes, repeated = monitored.counting.closely(looked, target, monitored.most_looked_at)
    return Close(magnitudes, repeated, {field: own for field, own in ages.items() if own.rows})
