"""What it costs the decoding of predictions to look for golden rows: ``python -m tests.benchmarks.marked``.

The same batches with and without the look, by turns in one process; by the thread's own time, the middle of many rounds.
"""

import time
from statistics import median

from driftbus.consumers.decode.json import JSONDecoder

from .messages import MAPPING, messages, reference

ROWS, TOGETHER, ROUNDS = 10_000, 5_000, 50


def main() -> None:
    """Nanoseconds a row: nothing looked for (no id is mapped), ids, ids and headers."""
    fields, values = reference().fields, list(messages(ROWS))
    batches = [values[start : start + TOGETHER] for start in range(0, ROWS, TOGETHER)]
    headers = [() for _ in range(TOGETHER)]
    decoders = {
        "no id mapped": JSONDecoder(MAPPING.model_copy(update={"id": None})),
        "ids": JSONDecoder(MAPPING),
        "ids and headers": JSONDecoder(MAPPING, marked=True),
    }
    took: dict[str, list[float]] = {name: [] for name in decoders}
    for _ in range(ROUNDS):
        for name, decoder in decoders.items():
            start = time.thread_time()
            for batch in batches:
                decoder.identities(batch, None, headers if decoder.needs_headers else None)
                decoder.columns(fields, batch)
            took[name].append(time.thread_time() - start)
    for name, times in took.items():
        ratio = median(one / base for one, base in zip(times, took["no id mapped"], strict=True))
        middle, fastest = (1e9 * one / ROWS for one in (median(times), min(times)))
        print(f"{name:16}{middle:7,.0f} ns a row, {ratio:.3f} times the first, pair by pair; fastest {fastest:,.0f}")


if __name__ == "__main__":
    main()
