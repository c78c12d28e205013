"""The cost of a row when many models share a topic: 100 models of 5 schemas, against one; the profiler with its panes in transactions.

Both topics have as many rows of as many fields. Of 50,000 rows of a partition one model makes one pane, a hundred make a hundred.
"""

import statistics
import tempfile
from collections.abc import Iterator

from driftbus.schemas.stored.reference import Reference

from .ladder import DISTINCT, Rung, interleaved, ratio
from .messages import messages, reference
from .world import Result, fill, input_topic, table

MODELS = 100
#: What the numeric features of each schema are called: names of one length, so that all messages are.
SCHEMAS = ("amount", "figure", "metric", "weight", "rating")
ROWS = 500_000
ROUNDS = 5


def schema_of(model: int) -> str:
    """The feature names of a model."""
    return SCHEMAS[model % len(SCHEMAS)]


def references() -> Iterator[Reference]:
    """One for every model: of one content, apart from names."""
    one = reference()
    for model in range(MODELS):
        fields = (field.model_copy(update={"name": field.name.replace("amount", schema_of(model))}) for field in one.fields)
        yield one.model_copy(update={"model": f"m{model:04}", "fields": tuple(fields)})


def payloads() -> list[bytes]:
    """The messages of one model, given to a hundred in turn."""
    return [
        payload.replace(b'"fraud"', f'"m{row % MODELS:04}"'.encode(), 1).replace(b'"amount', f'"{schema_of(row % MODELS)}'.encode())
        for row, payload in enumerate(messages(DISTINCT))
    ]


def measure(address: str) -> Result:
    """Rows a second with one model and with many, round by round."""
    single, many = list(messages(DISTINCT)), payloads()
    with tempfile.TemporaryDirectory() as folder, input_topic(address) as lone, input_topic(address) as shared:
        fill(address, lone, ROWS, lambda row: single[row % DISTINCT])
        # A row's partition goes by its number, and so does its model: shifted a little, every model comes to every partition.
        fill(address, shared, ROWS, lambda row: many[(row + row // MODELS) % DISTINCT])
        one = Rung(address, folder, [reference()], lone)
        hundred = Rung(address, folder, list(references()), shared)
        figures = interleaved(
            {
                "1 model": (lambda: one.profiled(ROWS), ROWS),
                f"{MODELS} models of {len(SCHEMAS)} schemas": (lambda: hundred.profiled(ROWS), ROWS),
            },
            ROUNDS,
        )
    return {"rows": ROWS, "models": figures}


def shown(result: Result) -> str:
    """Both as a table."""
    figures: dict[str, Result] = result["models"]
    one = next(iter(figures.values()))
    rows = [
        (
            name,
            f"{1e9 / statistics.median(figure['wall_ns']):,.0f}",
            f"{statistics.median(figure['wall_ns']):,.0f}",
            f"{statistics.median(figure['processor_ns']):,.0f}",
            f"{ratio(figure['wall_ns'], one['wall_ns']):.2f}",
            f"{ratio(figure['processor_ns'], one['processor_ns']):.2f}",
        )
        for name, figure in figures.items()
    ]
    return table(("models", "rows/s", "ns a row", "of them its thread's", "cost against one model", "its thread's"), rows)
