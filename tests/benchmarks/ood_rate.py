"""What comparing queries costs, beside embedding them: ``python -m tests.benchmarks.ood_rate [ROWS] [ROUNDS]``, 40,000 and 5 unless said.

Different texts, spliced of product reviews, films, editorials and tweets (`familiarity.spliced`) and cut to some 41 and 96 characters; an
index of 10,000 of them, others held out; about a twentieth of fresh ones is flagged. In every round one after the other: embedding alone;
the index, all levels counted, one in 16 looked at exactly; and the real profiler on an embedded bus without and with ``ood:``, panes of an
hour, and of some 15 rows. Ratios are of embedding to embedding and comparing, in each round: of the index, and of what ``ood:`` adds to the
profiler. Then rows of tables. Processor time of one BLAS thread. Raw figures: ``results/ood_rate.json``.
"""

import json
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is read, as a profiler's process has it

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from driftbus.consumers.bus.embedded import EmbeddedBus
from driftbus.consumers.bus.interface import Output
from driftbus.consumers.pipeline.runner import Pipeline
from driftbus.consumers.profiler.unlike import EXACTLY
from driftbus.consumers.reference.artifacts import ArtifactStore
from driftbus.consumers.reference.familiar import Familiar, Subject
from driftbus.consumers.streams.records import end_records
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.stored.reference import Reference

from ..consumers.unlike_world import PARTITIONS, TOPIC, built, prepare, settings
from ..streaming import BEGINNING
from .familiarity import spliced
from .masks import TRAINING as TABLE_ROWS
from .masks import flights
from .masks import made as made_table
from .world import RESULTS, Result, machine

ROWS, ROUNDS, TRAINING = 40_000, 5, 20_000
#: Characters that texts are cut to, at a space, so that they have 41 on the average; all others stay as they are, 96 on the average.
CUT = {41: 46, 96: 10_000}
#: Rows come one a second to 4 partitions: a pane has all of them, or some 15.
PANES = {"large": "30d", "small": "1m"}
#: Texts that a profiler reads at once.
AT_ONCE = 5_000
#: Rows that are read before the clock runs.
WARM = 100
Rows = Sequence[dict[str, Any]]


class World(NamedTuple):
    """Rows on the bus, and a reference."""

    chosen: Configuration
    reference: Reference
    rows: Rows


def texts(characters: int, number: int) -> list[str]:
    """So many different ones."""
    found: dict[str, None] = {}
    for text in spliced(2 * number, 1):
        cut = text[: CUT[characters] + 1].rpartition(" ")[0] if len(text) > CUT[characters] else text
        found[cut or text[: CUT[characters]]] = None
    return list(found)[:number]


def world(folder: Path, rows: Rows, training: int, ood: dict[str, Any] | None, pane: str) -> World:
    """The first rows are the training data."""
    folder.mkdir()
    lines = (msgspec.json.encode({**row, "prediction": "a", "at": BEGINNING - 1_000 * at}) for at, row in enumerate(rows[:training], 1))
    (folder / "train.jsonl").write_bytes(b"\n".join(lines))
    chosen = settings(folder, ood, stream={"pane": pane})
    return World(chosen, built(chosen), rows[training:])


def profiled(world: World) -> float:
    """Seconds of the processor, from the rows after the first hundred to the last pane: an index is read once a process."""
    with closing(EmbeddedBus(":memory:", "test", "log")) as bus:
        prepare(bus, world.chosen, world.reference)
        sent = _sent(world.rows)
        bus.publish(sent[:WARM])
        with closing(Pipeline(bus, world.chosen, ["profiler"])) as pipeline:
            while pipeline.turn():
                pass
            bus.publish(sent[WARM:])
            bus.publish(end_records("test", TOPIC, PARTITIONS, BEGINNING + (len(sent) + 3_600) * 1_000))
            began = time.process_time()
            for _ in pipeline.run_until_end():
                pass
            return time.process_time() - began


def _sent(rows: Rows) -> list[Output]:
    """One a second, over the partitions in turn; the first ones once more in front."""
    found = []
    for number, row in enumerate([*rows[:WARM], *rows]):
        value = {"model": "m0", "version": "1", "id": f"p{number}", "features": row, "prediction": "a"}
        found.append(Output(TOPIC, number % PARTITIONS, None, msgspec.json.encode(value), (), BEGINNING + number * 1_000))
    return found


def took(action: Callable[[], object]) -> float:
    """Seconds of the processor."""
    began = time.process_time()
    action()
    return time.process_time() - began


def of_index(world: World) -> tuple[Callable[[], float], Callable[[], float], dict[str, float]]:
    """Embedding alone, comparing what was embedded, at all levels; and of how many characters the texts are, and how many are flagged."""
    (subject,) = Familiar(ArtifactStore(world.chosen.artifacts)).subjects(world.reference)
    assert isinstance(subject, Subject)
    live = [str(row["question"]) for row in world.rows]
    batches = [live[first : first + AT_ONCE] for first in range(0, len(live), AT_ONCE)]
    index = subject.index
    read = [index.read(batch) for batch in batches]
    exactly = [np.arange(len(batch)) % EXACTLY == 0 for batch in batches]

    def compare() -> list[Any]:
        return [index.cells(one.vectors, None, one.firsts, exactly=some) for one, some in zip(read, exactly, strict=True)]

    cells = np.concatenate(compare())
    about = {
        "characters": round(statistics.mean(map(len, live)), 1),
        "reference": world.reference.familiarity[0].rows,
        "flagged": round(float(np.mean((cells > 1) & (cells < 5))), 4),
    }
    return lambda: took(lambda: [index.read(batch) for batch in batches]), lambda: took(compare), about


def interleaved(runs: dict[str, Callable[[], float]], rows: int, rounds: int) -> dict[str, list[float]]:
    """Microseconds a row of every run, in every round, the first of which is not counted."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            us = run() / rows * 1e6
            if number:
                found[name].append(round(us, 2))
    return found


def of_texts(folder: Path, characters: int, embedder: str, rows: int, rounds: int) -> Result:
    """Figures of one embedder, and their ratios."""
    found: Rows = [{"question": text} for text in texts(characters, TRAINING + rows)]
    runs: dict[str, Callable[[], float]] = {}
    about: dict[str, float] = {}
    for pane, length in PANES.items():
        for way, ood in (("without", None), ("with", {"of": "question", "embedder": embedder})):
            own = world(folder / f"{pane} {way}", found, TRAINING, ood, length)
            runs[f"profiler {way}, {pane} panes"] = lambda own=own: profiled(own)  # type: ignore[misc]
            if ood is not None and not about:
                runs["embedding alone"], runs["index"], about = of_index(own)
    figures = interleaved(runs, rows, rounds)
    embed = figures["embedding alone"]
    added = {pane: _less(figures[f"profiler with, {pane} panes"], figures[f"profiler without, {pane} panes"]) for pane in PANES}
    compared = [one + other for one, other in zip(embed, figures["index"], strict=True)]
    ratios = {
        "index alone": _ratio(embed, compared),
        **{f"through the product, {pane} panes": _ratio(embed, added[pane]) for pane in PANES},
    }
    return {**about, "us_a_row": figures, "ratio_to_embedding": ratios, "small_beside_large_panes": _ratio(added["small"], added["large"])}


def of_table(folder: Path, table: str, rows: int, rounds: int) -> Result:
    """Figures of rows of a table."""
    data = {"flights": flights, "made": made_table}[table](np.random.default_rng(0)).at(slice(TABLE_ROWS + rows))
    columns = {name: column.tolist() for name, column in {**data.numbers, **data.texts}.items()}
    found = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    ways = (("without", None), ("with", {"of": "row"}))
    worlds = {
        f"profiler {way}, {pane} panes": world(folder / f"{pane} {way}", found, TABLE_ROWS, ood, length)
        for pane, length in PANES.items()
        for way, ood in ways
    }
    runs: dict[str, Callable[[], float]] = {name: lambda own=own: profiled(own) for name, own in worlds.items()}  # type: ignore[misc]
    figures = interleaved(runs, rows, rounds)
    added = {pane: _less(figures[f"profiler with, {pane} panes"], figures[f"profiler without, {pane} panes"]) for pane in PANES}
    return {"fields": len(columns), "us_a_row": figures, "small_beside_large_panes": _ratio(added["small"], added["large"])}


def _less(figures: Iterable[float], others: Iterable[float]) -> list[float]:
    return [one - other for one, other in zip(figures, others, strict=True)]


def _ratio(figures: Iterable[float], others: Iterable[float]) -> float:
    """The median of their ratios within a round."""
    return round(statistics.median(one / other for one, other in zip(figures, others, strict=True)), 3)


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and keep the raw figures."""
    rows, rounds = (int(arguments[place]) if len(arguments) > place else own for place, own in enumerate((ROWS, ROUNDS)))
    found: Result = {"rows": rows, "rounds": rounds}
    with tempfile.TemporaryDirectory() as name:
        for embedder in ("tokens", "sketch"):
            for characters in CUT:
                folder = Path(name) / f"{embedder} {characters}"
                folder.mkdir()
                found[f"{embedder}, {characters} characters"] = of_texts(folder, characters, embedder, rows, rounds)
        for table in ("flights", "made"):
            folder = Path(name) / table
            folder.mkdir()
            found[f"rows of {table}"] = of_table(folder, table, rows, rounds)
    for way, own in found.items():
        if isinstance(own, dict):
            print(way, json.dumps({key: value for key, value in own.items() if key != "us_a_row"}))
            for run, figures in own["us_a_row"].items():
                middle = statistics.median(figures)
                print(f"  {run:<32} {middle:8.1f} us a row {1e6 / middle:12,.0f} rows/s of one core")
    about = {**machine(), "load": round(os.getloadavg()[0], 1)}
    (RESULTS / "ood_rate.json").write_text(json.dumps({"machine": about, **found}, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
