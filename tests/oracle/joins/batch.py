"""The batch computation, straight from what readers took of the logs: every pair of a counted prediction and a label in its time.

It knows nothing of joins topics, alignment, stores, expiry or revisions.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from .rules import OTHERS, Row, predicted_in, spans
from .worlds import PANE, Join, Known, Predicted, World

#: (interval, model, version, place), what is counted.
Sums = dict[tuple[int, str, str, str, str], int]
#: In place of a model and version of a label that met nothing.
NONE = ""
#: A shorter delay than 2 to this is none.
_LEAST_DELAY = 10
#: Units of a probability; half a step of the square of what it is off; bins to rank by.
_ONE, _HALF_SQUARE, _RANKED = 1 << 20, 1 << 9, 64


class Totals(NamedTuple):
    """All that is known in the end."""

    revised: Sums  # by interval of prediction time
    arrived: Sums  # by the step in which it became known


def totals(world: World, join: Join, rows: Iterable[Row], over: int) -> Totals:
    """Of the rows of one join and partition; ``over``: so far all is over."""
    ordered = sorted(rows, key=lambda row: (row.bucket, row.order))
    known = [row for row in ordered if isinstance(row.content, Known)]
    tally = _Tally(world, join, Counter(), Counter())
    seen: dict[tuple[str, str, str], int] = {}
    matched: set[tuple[str, int]] = set()
    for row in ordered:
        if isinstance(row.content, Predicted):
            key = row.content[:3]
            again = key in seen and alive(row.bucket, seen[key], join.wait)
            seen[key] = row.bucket
            if again:
                tally.add(row, "duplicates")
                continue
            own = [one for one in known if isinstance(one.content, Known) and _meets(join, row, row.content, one, one.content)]
            matched |= {(one.source, one.offset) for one in own}
            _outcome(tally, row, row.content, own, over)
    for one in known:
        if (one.source, one.offset) not in matched and not alive(over, one.bucket, join.early):
            tally.add(one, "unmatched")
    return Totals(*({key: count for key, count in counts.items() if count} for counts in (tally.revised, tally.arrived)))


def alive(now: int, since: int, span: int) -> bool:
    """What came in one bucket, in another: whole buckets count."""
    return now - since <= span


class _Tally(NamedTuple):
    world: World
    join: Join
    revised: Counter[tuple[int, str, str, str, str]]
    arrived: Counter[tuple[int, str, str, str, str]]

    def add(self, row: Row, name: str, by: int = 1) -> None:
        self.revised[spans(self.join).about.end(row.bucket - 1), *self._whose(row), name] += by

    def arrive(self, row: Row, step: int, name: str) -> None:
        self.arrived[step, *self._whose(row), name] += 1

    def _whose(self, row: Row) -> tuple[str, str, str]:
        if isinstance(row.content, Predicted):
            return row.content.model, row.content.version, str(self.world.place(row.bucket))
        model = row.content.model
        return model if model in ("", *self.join.models) else OTHERS, NONE, NONE


def _meets(join: Join, row: Row, prediction: Predicted, one: Row, label: Known) -> bool:
    of_it = label.id == prediction.id and label.model in ("", prediction.model)
    return of_it and alive(one.bucket, row.bucket, join.wait) and alive(row.bucket, one.bucket, join.early)


def _outcome(tally: _Tally, row: Row, prediction: Predicted, own: list[Row], over: int) -> None:
    predicted, cell = predicted_in(prediction)
    tally.add(row, "predicted")
    tally.add(row, f"cell {cell}")
    states = {step: _in_force([one for one in own if one.bucket <= step]) for step in sorted({max(one.bucket, row.bucket) for one in own})}
    maturity = tally.join.maturity
    first = next((step for step, state in states.items() if state is not None), None)
    if maturity is None:
        ripe = first
    elif alive(over, row.bucket, maturity):
        ripe = None
    else:
        ripe = row.bucket + maturity + PANE
        tally.add(row, "due")
        tally.arrive(row, ripe, "due")
    if ripe is not None and first is not None:
        in_time = [state for step, state in states.items() if step < ripe or (maturity is None and step == ripe)]
        if in_time and in_time[-1] is not None:
            _first(tally, row, ripe, int(in_time[-1] != predicted), first - row.bucket)
    state = next(reversed(states.values()), None)
    if state is not None:
        _known(tally, row, prediction.score, int(state))
    elif not alive(over, row.bucket, tally.join.wait):
        tally.add(row, "expired")
        tally.add(row, f"cell {cell} expired")


def _first(tally: _Tally, row: Row, step: int, wrong: int, delay: int) -> None:
    """What is told of a prediction once, for ever."""
    tally.arrive(row, step, "n")
    if wrong:
        tally.arrive(row, step, "errors")
    place = f"delay {wrong} {_delay_bin(delay)}"
    tally.arrive(row, step, place)
    tally.add(row, place)


def _delay_bin(ms: int) -> int:
    """Eight to a power of two, from 2^10 ms on."""
    if ms < 1 << _LEAST_DELAY:
        return 0
    power = ms.bit_length() - 1
    return 1 + (power - _LEAST_DELAY) * 8 + ((ms << 3 >> power) - 8)


def _in_force(own: list[Row]) -> bool | None:
    best: tuple[int, int, tuple[int, str, int]] | None = None
    value: bool | None = None
    for one in own:
        assert isinstance(one.content, Known)
        order = one.content.revision, one.bucket, one.order
        if best is None or order > best:
            best, value = order, one.content.value
    return value


def _known(tally: _Tally, row: Row, score: float, value: int) -> None:
    """All that a prediction with an outcome counts in; scores are in fixed point."""
    assert isinstance(row.content, Predicted)
    predicted, cell = predicted_in(row.content)
    fixed = round(score * _ONE)
    for name, by in (
        ("n", 1),
        ("errors", value != predicted),
        (f"cell {cell} labelled", 1),
        (f"cell {cell} right", value == predicted),
        (f"cell {cell} scores", fixed),
        (f"true {value} predicted {predicted}", 1),
        (f"ranked {int(score * _RANKED)} {value}", 1),
        ("scored", 1),
        ("squares", ((value * _ONE - fixed) ** 2 + _HALF_SQUARE) // (2 * _HALF_SQUARE)),
    ):
        tally.add(row, name, int(by))
