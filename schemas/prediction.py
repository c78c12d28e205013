"""The canonical form of a prediction message: what needs no mapping."""

from .fact import Fact


class Prediction(Fact):
    """One served prediction, as JSON on an input topic.

    ``time`` (ISO 8601 or epoch milliseconds) serves ages and joins only: buckets follow the record's timestamp.
    """

    model: str
    version: str = "-"
    id: str | None = None
    entity: str | None = None
    time: str | int | None = None
    features: dict[str, float | int | str | bool | None] = {}
    prediction: float | int | str | bool | None = None
    score: float | None = None
