"""The messages that speed is measured with: 572 bytes of JSON, 20 numeric and 3 categorical features, label, score, ids."""

import json
import random
from collections.abc import Iterator

import numpy as np

from driftbus.schemas.configuration.mapping import Mapping
from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, NumericProfile, ProfiledField, Reference

NUMERIC = tuple(f"amount{i}" for i in range(20))
CATEGORICAL = {"country": ("DE", "FR", "IT", "JP", "US"), "channel": ("app", "shop", "web"), "device": ("android", "ios", "other")}
LABELS = ("accepted", "declined")
MAPPING = Mapping.model_validate({"features": "features", "prediction": "prediction", "score": "score"})


def messages(rows: int, *, nulls: float = 0.0, malformed: float = 0.0, model: str = "fraud", seed: int = 7) -> Iterator[bytes]:
    """So many payloads; a share of them has one null number, another share ends too early."""
    chance = random.Random(seed)
    for _ in range(rows):
        features: dict[str, float | str | None] = {name: round(chance.gauss(0, 1) * 10 ** (i % 5 - 1), 4) for i, name in enumerate(NUMERIC)}
        if chance.random() < nulls:
            features[chance.choice(NUMERIC)] = None
        features |= {name: chance.choice(texts) for name, texts in CATEGORICAL.items()}
        message = {
            "model": model,
            "version": "3.2.1",
            "id": f"{chance.getrandbits(64):016x}",
            "entity": f"c{chance.randrange(10**6):06}",
            "time": 1_700_000_000_000 + chance.randrange(10**9),
            "features": features,
            "prediction": chance.choice(LABELS),
            "score": round(chance.random(), 4),
        }
        payload = json.dumps(message, separators=(",", ":")).encode()
        yield payload[:-20] if chance.random() < malformed else payload


def reference(model: str = "fraud", rows: int = 10_000, bins: int = 64) -> Reference:
    """The profile that such messages are counted against."""
    rng = np.random.default_rng(7)

    def numeric(name: str, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> NumericProfile:
        edges = np.quantile(values, np.linspace(0, 1, bins + 1))
        return NumericProfile(
            edges=tuple(edges.tolist()),
            bin_of=tuple(range(bins + 2)),
            counts=(0, *np.histogram(values, edges)[0].tolist(), 0),
            values=(edges[0], *((edges[1:] + edges[:-1]) / 2).tolist(), edges[-1]),
            above=bins + 1,
            mean=float(values.mean()),
            sd=float(values.std()),
            minimum=float(values.min()),
            maximum=float(values.max()),
        )

    def categorical(texts: tuple[str, ...]) -> CategoricalProfile:
        return CategoricalProfile(categories=texts, counts=(*[rows // len(texts)] * len(texts), 0))

    there = AvailabilityProfile(counts=(rows, 0, 0, 0))
    fields = [
        *(
            ProfiledField(name=name, type="numeric", values=numeric(name, rng.normal(size=rows) * 10.0 ** (i % 5 - 1)), availability=there)
            for i, name in enumerate(NUMERIC)
        ),
        *(
            ProfiledField(name=name, type="categorical", values=categorical(texts), availability=there)
            for name, texts in CATEGORICAL.items()
        ),
        ProfiledField(name="prediction", role="prediction", type="categorical", values=categorical(LABELS), availability=there),
        ProfiledField(name="score", role="score", type="numeric", values=numeric("score", rng.random(rows)), availability=there),
    ]
    return Reference(model=model, version="3.2.1", rows=rows, fields=tuple(fields))
