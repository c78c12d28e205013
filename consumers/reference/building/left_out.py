"""Messages that a reference is not built from, by the reason."""

from collections import Counter

from ....schemas.text import REASON, fitted
from ...decode.personal import plain_reason

#: Reasons that are told apart: each names a model, or quotes a message.
MOST_REASONS = 1_000


class LeftOut(Counter[str]):
    """How many messages were not used, by reason; beyond `MOST_REASONS` of these, together."""

    def __init__(self, *, withheld: bool = False) -> None:
        """``withheld``: what messages hold is kept out of the reasons."""
        super().__init__()
        self.withheld = withheld

    def note_bad(self, reason: str, value: bytes | None) -> None:
        """One that cannot be read, or is nobody's."""
        self.note(plain_reason(value) if self.withheld else reason)

    def note(self, reason: str, messages: int = 1) -> None:
        """Some more."""
        short = fitted(reason, REASON)
        self[short if short in self or len(self) < MOST_REASONS else "for other reasons"] += messages
