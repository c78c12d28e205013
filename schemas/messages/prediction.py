"""The canonical form of a prediction message: what needs no mapping."""

from ..fact import Fact


class Prediction(Fact):
    """One served prediction, as JSON on an input topic.

    ``time`` (ISO 8601 or epoch milliseconds) serves joins only: buckets, and ages, follow the record's timestamp. A list is an embedding.
    """

    model: str
    version: str = "-"
    id: str | None = None
    time: str | int | None = None
    features: dict[str, float | int | str | bool | list[float] | None] = {}
    prediction: float | int | str | bool | None = None
    score: float | None = None
