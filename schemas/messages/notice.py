"""Notices: what an operator should know that is not drift."""

from typing import Any, Literal

from ..fact import Fact
from ..identity import derived_id


class Notice(Fact):
    """Published on the drift topic, once per cause.

    ``unmonitored``: a model version without a reference; ``unexpected``: a field that the reference does not know; ``lost``: offsets are
    gone that were to be read; ``begins``: a partition is read for the first time, and its first records are long gone: nothing is lost;
    ``set_aside``: a record that made a consumer raise; ``panes``: some are of another length than the detector's.
    """

    about: Literal["unmonitored", "unexpected", "lost", "begins", "set_aside", "panes"]
    model: str
    version: str
    stream: str | None = None
    bucket: int | None = None  #: ms; the bucket in which it was noticed
    text: str
    facts: dict[str, Any] = {}  # what the notice is about; free by kind
    identity: str  #: a hash of the facts that tell this cause from every other: joined into one text, those of two could be alike

    @property
    def id(self) -> str:
        """The same at every repetition."""
        return derived_id("notice", self.about, self.identity)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"io.driftbus.notice.{self.about}"
