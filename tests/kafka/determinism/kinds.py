"""A model for every kind of state beside that of numbers: what each is configured as, what its rows hold, and what happens to them.

Their references are built as users build them, from rows in the canonical form that were there before the hour began.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec
import numpy as np

from driftbus.consumers.reference.building.build import build_reference
from driftbus.consumers.reference.building.messages import json_lines
from driftbus.schemas.configuration import Model
from driftbus.schemas.configuration.mapping import Mapping
from driftbus.schemas.stored.reference import Reference

from ...consumers.unlike_world import asked
from ...streaming import BEGINNING

SEGMENTED, SEASONAL, TRAILING, NAMED, MIXED, ASKED = "segmented", "seasonal", "trailing", "named", "mixed", "asked"

#: Seconds in which something is so.
ONE_SEGMENT, ALL_SEGMENTS = range(500, 1_000), range(2_000, 2_500)
WITHIN_HOUR, OVER_HOURS = range(700, 1_200), range(2_500, 3_100)  #: the hour ends at second 2,800
JUMP = range(2_400, 2_900)
SHIFTED = range(600, 1_100), range(2_000, 2_500)
WRONG_SUMS, OTHER_WORDS, STALE, TURNED, UNRELATED = (
    range(200, 900),
    range(900, 1_400),
    range(1_200, 1_700),
    range(1_900, 2_400),
    range(2_600, 3_300),
)
NEW_TOPIC, NEW_SHARE = range(1_000, 1_700), 0.4
#: People are asked about so many of a slot's rows.
SLOT_S, CASES = 60, 6

#: In an hour; by its end the trailing reference is far from the one built.
SLIDE_SD, SECONDS = 1.0, 3_600
SWING_SD = 1.5
CORRELATION = 0.7
SIZE = 8
WORDS = ("the", "parcel", "came", "late", "early", "good", "fine", "box", "was", "price", "again", "never", "shop", "ordered", "broken")

#: River's detectors that remember row by row; the last one draws, and remembers its generator too. All so that a quiet hour is quiet.
OF_RIVER: tuple[object, ...] = ("adwin", {"page_hinkley": {"threshold": 200}})
WITH_CHANCE = {"kswin": {"alpha": 1e-6}}

Draw = np.random.Generator
Features = dict[str, object]
Keep = Callable[[bytes], str]


def _segmented(draw: Draw, second: float) -> Features:
    """One segment changes, later all do."""
    colour = ("red", "green")[int(draw.integers(2))]
    changed = int(second) in ALL_SEGMENTS or (int(second) in ONE_SEGMENT and colour == "green")
    return {"amount": draw.normal() + 1.5 * changed, "colour": colour}


def _seasonal(draw: Draw, second: float) -> Features:
    """Hours differ by more than what happens within one."""
    hour = datetime.fromtimestamp(BEGINNING / 1000 + second, UTC).hour
    up = 1.2 * (int(second) in WITHIN_HOUR or int(second) in OVER_HOURS)
    return {"load": draw.normal() + SWING_SD * (-1) ** (hour + 1) + up}


def _trailing(draw: Draw, second: float) -> Features:
    """One slides, one jumps."""
    slid = SLIDE_SD * max(second, 0.0) / SECONDS
    return {"slow": draw.normal() + slid, "quick": draw.normal() + 2.0 * (int(second) in JUMP)}


def _named(draw: Draw, second: float) -> Features:
    """Both shift at the end, one of them before."""
    shifted = [int(second) in seconds for seconds in SHIFTED]
    return {"amount": draw.normal() + 2.0 * any(shifted), "age": int(draw.integers(18, 60)) + 20 * shifted[1]}


def _mixed(draw: Draw, second: float) -> Features:
    """A text, a time, a vector, a pair, and a sum of three; each changes once."""
    words = draw.choice(WORDS, int(draw.integers(5, 12))).tolist()
    seen = BEGINNING / 1000 + second - 600 * draw.gamma(2.0) - 1_800 * (int(second) in STALE)
    vector = draw.normal(size=SIZE) * np.linspace(2.0, 0.3, SIZE) + 0.5 * (int(second) in TURNED)
    width, other = draw.normal(size=2).tolist()
    related = CORRELATION * (int(second) not in UNRELATED)
    parts = draw.normal(size=3).round(3).tolist()
    wrong = int(second) in WRONG_SUMS and draw.random() < 0.25
    return {
        "review": " ".join("film" if word == "parcel" and int(second) in OTHER_WORDS else word for word in words),
        "seen": datetime.fromtimestamp(seen, UTC).isoformat(timespec="milliseconds"),
        "vector": vector.round(4).tolist(),
        "width": width,
        "height": related * width + (1 - related**2) ** 0.5 * other,
        **dict(zip(("net", "tax", "fee"), parts, strict=True)),
        "gross": float(draw.normal(scale=3**0.5)) if wrong else sum(parts),
    }


def _asked(draw: Draw, second: float) -> Features:
    """Questions, some of them about what nobody asked before; and rows whose amount is no longer that of their channel."""
    row = next(asked(draw, 1, NEW_SHARE * (int(second) in NEW_TOPIC)))
    channel = ("phone", "branch")[int(draw.integers(2))]
    known = any(word in row["question"] for word in ("card", "loan", "account"))
    amount = draw.normal() + 4.0 * ((channel == "phone") == known)
    return {"question": row["question"], "channel": channel, "amount": amount, "prediction": row["prediction"], "score": draw.random()}


class Kind(NamedTuple):
    """One of these models."""

    settings: dict[str, Any]  #: as a user writes them
    features: Callable[[Draw, float], Features]
    rows: int = 10_000  #: of its reference
    every_ms: int = 333


KINDS = {
    SEGMENTED: Kind({"segments": {"by": "colour"}}, _segmented),
    SEASONAL: Kind({"season": "day"}, _seasonal, rows=14_400, every_ms=6_000),
    TRAILING: Kind({"trailing": {"length": "10m", "every": "2m", "lag": "1m"}}, _trailing),
    NAMED: Kind(
        {"features": {"amount": {"detectors": [{"ks": {"rows": 200}}, *OF_RIVER]}, "age": {"detectors": [WITH_CHANCE]}}},
        _named,
    ),
    MIXED: Kind({"pairs": {"sample": 2}}, _mixed),
    ASKED: Kind(
        {
            "segments": {"by": "channel"},
            "ood": {"of": ["question", "row"], "embedder": "sketch", "samples": True},
            "review": {"budget": f"{CASES * 3_600 // SLOT_S} per hour", "slot": f"{SLOT_S}s"},
        },
        _asked,
        rows=4_000,
    ),
}


def message(draw: Draw, model: str, second: float) -> bytes:
    """A prediction of one of these models, so many seconds after the beginning."""
    return msgspec.json.encode({"model": model, "version": "1", "id": f"{second:.3f}", **_parts(KINDS[model].features(draw, second))})


def _parts(drawn: Features) -> dict[str, object]:
    """Features, and what the model said of them, if it said anything."""
    outputs = ("prediction", "score")
    said: dict[str, object] = {name: drawn[name] for name in outputs if name in drawn}
    return said | {"features": {name: value for name, value in drawn.items() if name not in outputs}}


def references(keep: Keep) -> list[Reference]:
    """Of all of them; ``keep`` stores what lies beside them."""
    with TemporaryDirectory() as folder:
        return [_reference(Path(folder), seed, model, keep) for seed, model in enumerate(KINDS)]


def _reference(folder: Path, seed: int, model: str, keep: Keep) -> Reference:
    draw, kind, file = np.random.default_rng(seed), KINDS[model], folder / f"{model}.jsonl"
    with file.open("wb") as lines:
        for row in range(-kind.rows, 0):
            after = row * kind.every_ms
            timed = {"model": model, "version": "1", "time": BEGINNING + after, **_parts(kind.features(draw, after / 1000))}
            lines.write(msgspec.json.encode(timed) + b"\n")
    return build_reference(json_lines(file, Mapping(), model, "1"), model, "1", Model.model_validate(kind.settings), keep=keep)
