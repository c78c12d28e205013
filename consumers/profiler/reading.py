"""How many records of a run could be read, by bucket: what the share of unreadable ones is told from."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from ...schemas.messages.progress import ReadRecords
from ..decode.looks import looks_like

#: Unreadable values of a run that are looked at; models that are counted by name, each in each bucket.
_MOST_LOOKED_AT, _MOST_MODELS = 100, 100


class Reading:
    """An open run's."""

    def __init__(self) -> None:
        self._records: Counter[int] = Counter()
        self._unread: Counter[tuple[int, str]] = Counter()
        self._looks: Counter[tuple[str, str]] = Counter()
        self._looked_at = 0

    def taken(self, buckets: NDArray[np.int64]) -> None:
        """Records, each in its bucket."""
        first = int(buckets[0])
        if (buckets == first).all():
            self._records[first] += len(buckets)
            return
        found, counts = np.unique(buckets, return_counts=True)
        self._records.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))

    def none(self, bucket: int) -> None:
        """One of them is no row."""
        self._records[bucket] -= 1

    def unread(self, bucket: int, model: str, value: bytes | None) -> None:
        """One of them cannot be read; the model may be known."""
        key = (bucket, model)
        if key not in self._unread and len(self._unread) >= _MOST_MODELS:
            key = (bucket, "")
        self._unread[key] += 1
        if self._looked_at < _MOST_LOOKED_AT:
            self._looked_at += 1
            self._looks[model, looks_like(value)] += 1

    def told(self) -> list[ReadRecords]:
        """Of the stream every bucket, and of models those with records that cannot be read."""
        looks: dict[str, str] = {}
        for (model, what), _ in sorted(self._looks.items(), key=lambda one: (-one[1], one[0])):
            looks.setdefault(model, what)
        models = sorted((bucket, model) for bucket, model in self._unread if model)
        return [
            *(
                ReadRecords(bucket, "", unread := self._unread[bucket, ""], records, looks.get("", "") if unread else "")
                for bucket, records in sorted(self._records.items())
                if records
            ),
            *(ReadRecords(bucket, model, self._unread[bucket, model], 0, looks.get(model, "")) for bucket, model in models),
        ]
