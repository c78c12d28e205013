"""What rules for personal data cost a row that is decoded, in pairs: ``python -m tests.benchmarks.personal``.

Messages of 20 numbers and 3 categories, beside a customer's address and a question of some 60 characters, of which one in ten holds what a
mask is for. Each round decodes them once without a rule and once with each; medians of the ratios and of the differences are told.
"""

import json
import statistics
import time
from collections.abc import Callable

import numpy as np

from driftbus.consumers.decode.json import JSONDecoder
from driftbus.consumers.decode.personal import Keys, key_id
from driftbus.schemas.configuration.patterns import bounded
from driftbus.schemas.stored.reference import AvailabilityProfile, FieldRule, ProfiledField

from .messages import MAPPING, messages, reference

ROWS, ROUNDS = 10_000, 15
KEY = b"a key of a benchmark"
MASKS = (bounded("[0-9]{13,19}"), bounded(r"[\w.+-]{1,64}@[\w.-]{1,253}"))
#: Texts on which a pattern does much: none of what it looks for, and much that begins like it.
HARD = {
    "digits, 12 at a time": "123456789012 " * 770,
    "one word of 10,000 letters": "a" * 10_000,
    "usual prose": "what is the balance of it? " * 370,
}


def payloads() -> list[bytes | None]:
    draw = np.random.default_rng(7)
    words = ["what", "is", "the", "balance", "of", "my", "account", "please", "transfer", "card"]
    found: list[bytes | None] = []
    for row, payload in enumerate(messages(ROWS)):
        message = json.loads(payload)
        text = " ".join(draw.choice(words, 10))
        text += " 4111111111111111" if row % 20 == 0 else " ann@example.org" if row % 20 == 10 else ""
        message["features"] |= {"customer": f"c{draw.integers(2_000)}@example.org", "question": text}
        found.append(json.dumps(message, separators=(",", ":")).encode())
    return found


def fields(customer: FieldRule | None, question: FieldRule | None) -> tuple[ProfiledField, ...]:
    there = AvailabilityProfile(counts=(ROWS, 0, 0, 0))
    own = reference().fields
    return (
        *own,
        ProfiledField(name="customer", type="categorical", availability=there, rule=customer),
        ProfiledField(name="question", type="text", availability=there, rule=question),
    )


def seconds(run: Callable[[], object]) -> float:
    began = time.thread_time()
    run()
    return time.thread_time() - began


def main() -> None:
    values = payloads()
    hashed, masked = FieldRule(hash=key_id(KEY)), FieldRule(mask=MASKS)
    cases = {"no rule": fields(None, None), "hash": fields(hashed, None), "mask": fields(None, masked), "both": fields(hashed, masked)}
    cases["both dropped"] = cases["no rule"][:-2]
    decoders = {name: JSONDecoder(MAPPING, keys=Keys({key_id(KEY): KEY})) for name in cases}
    took: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, wanted in cases.items():
            took[name].append(seconds(lambda: decoders[name].columns(wanted, values)))  # noqa: B023
    for name in cases:
        ratio = statistics.median(ours / none for ours, none in zip(took[name], took["no rule"], strict=True))
        more = statistics.median(ours - none for ours, none in zip(took[name], took["no rule"], strict=True)) / ROWS * 1e9
        print(f"{name:<14}{statistics.median(took[name]) / ROWS * 1e9:8,.0f} ns a row{ratio:7.2f} times{more:+8,.0f} ns")
    rule = Keys({}).rule(masked)
    for name, text in HARD.items():
        print(f"{name:<28}{min(seconds(lambda: rule.of_text(text)) for _ in range(5)) / len(text) * 1e9:8,.0f} ns a character")  # noqa: B023


if __name__ == "__main__":
    main()
