"""``models.NAME.ood:`` of the configuration: whether what is asked is like the training data."""

from typing import Annotated, Literal

from pydantic import Field

from ..fact import Setting

#: Fields that are scored, each by itself.
MOST_SUBJECTS = 8
#: In place of a field's name: all fields of a row together.
ROW = "row"


class Ood(Setting):
    """How queries are compared with the reference's rows. ``ood: {}`` is enough."""

    of: Annotated[str, Field(min_length=1)] | Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_SUBJECTS)] | None = Field(
        None, description="a text or an embedding, a list of these, or row; null: each text and embedding, where there is none row"
    )
    sample: int = Field(1, ge=1, le=10_000, description="rows of which one is scored")
    embedder: Literal["tokens", "sketch"] | None = Field(None, description="of texts; null: chosen by tokens per word")
    samples: bool = Field(False, description="users' texts may stand in panes, events and on PREFIX.ood")
    probe: str | None = Field(None, description="a file of texts or rows that must be flagged")
    important: float = Field(0.02, gt=0, le=1, description="by which the share flagged at p <= .05 grows, from which on it matters")

    @property
    def subjects(self) -> tuple[str, ...]:
        """What is scored; none: whatever there is."""
        return () if self.of is None else (self.of,) if isinstance(self.of, str) else tuple(dict.fromkeys(self.of))
