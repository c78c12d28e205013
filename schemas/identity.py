"""Names that are functions of the log: whoever reads it again derives the same ids."""

import hashlib
import json


def derived_id(kind: str, *facts: str | int | None) -> str:
    """A 32-digit id of one kind of thing, from the facts that identify it.

    >>> derived_id("episode", "fraud-watch", "fraud", "3.2.1", 1_700_000_000_000)
    '055edca3579d04daa699e9d7077195ac'
    """
    return hashlib.sha256(json.dumps([kind, *facts], ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()[:32]


def content_hash(content: bytes) -> str:
    """The name of a stored content: ``sha256:`` and 64 digits."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
