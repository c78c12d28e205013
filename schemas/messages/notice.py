"""Notices: what an operator should know that is not drift."""

from typing import Any, ClassVar, Literal

from ..cloud_events import JSON
from ..fact import Fact
from ..identity import derived_id
from ..text import REASON, fitted
from .of_version import OfVersion
from .progress import InputPartition

About = Literal[
    "unmonitored", "unexpected", "lost", "begins", "made_again", "set_aside", "panes", "unreadable", "foreign", "metric", "marked"
]


class Notice(OfVersion, Fact):
    """Published on the drift topic, once per cause.

    ``unmonitored``: a model version without a reference; ``unexpected``: a field that the reference does not know; ``lost``: offsets are
    gone that were to be read; ``begins``: a partition is read for the first time, and its first records are long gone: nothing is lost;
    ``made_again``: a topic was deleted and created again, and is read from its beginning;
    ``set_aside``: a record that made a consumer raise; ``panes``: some are of another length than the detector's; ``unreadable``: a record
    on a topic of our own that is none of driftbus's, or damaged; ``foreign``: records of another application there; ``metric``: a user's
    own fails on rows; ``marked``: predictions that say they are of a golden evaluation, and none such is open.
    """

    content_type: ClassVar = JSON

    about: About
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

    @property
    def time(self) -> int:
        """The bucket in which it was noticed; the epoch where it speaks of none."""
        return self.bucket or 0

    def encoded(self) -> bytes:
        """As it travels: JSON."""
        return self.model_dump_json(exclude_none=False).encode()

    @classmethod
    def begins(cls, application: str, stream: str | None, place: InputPartition, first: int) -> "Notice":
        """Say where reading begins: nobody had read what retention took before that, so nothing of ours is lost.

        A group whose committed offsets the broker has forgotten (``offsets.retention.minutes``) looks the same.
        """
        return cls(
            about="begins",
            model="-",
            version="-",
            stream=stream,
            text=f"{place.topic}[{place.partition}] is read for the first time, from offset {first}: what was before had been deleted",
            facts={"topic": place.topic, "partition": place.partition, "first": first},
            identity=derived_id("begins", application, stream, *place.key, first),
        )

    @classmethod
    def lost(cls, application: str, stream: str | None, place: InputPartition, start: int, first: int) -> "Notice":
        """Say that retention took records before they were read: never a silent reset."""
        named = f"{place.topic}[{place.partition}]"
        return cls(
            about="lost",
            model="-",
            version="-",
            stream=stream,
            text=f"{named}: offsets {start} to {first - 1} were deleted before they were read; raise retention.ms of the topic",
            facts={"topic": place.topic, "partition": place.partition, "from": start, "to": first - 1},
            identity=derived_id("lost", application, *place.key, start, first),
        )

    @classmethod
    def made_again(cls, application: str, stream: str | None, place: InputPartition, former: str, stopped: int) -> "Notice":
        """Say that a topic is another one than before; what was behind the last position in the old one is gone with it."""
        named = f"{place.topic}[{place.partition}]"
        return cls(
            about="made_again",
            model="-",
            version="-",
            stream=stream,
            text=f"{named} was deleted and made again: it is read from its beginning; the old one had been read up to offset {stopped}",
            facts={"topic": place.topic, "partition": place.partition, "former": former, "topic_id": place.topic_id, "to": stopped},
            identity=derived_id("made-again", application, *place.key, former),
        )

    @classmethod
    def unreadable(cls, application: str, place: InputPartition, offset: int, reason: str, remedy: str = "") -> "Notice":
        """Say that a record on one of our own topics was set aside; of many that follow it nothing more is said."""
        return cls(
            about="unreadable",
            model="-",
            version="-",
            text=(
                f"{place.topic}[{place.partition}]@{offset} was set aside: {reason}; it is among the dead letters, and so are those that "
                f"follow. {remedy or 'Only driftbus should write to this topic'}"
            ),
            facts={"topic": place.topic, "partition": place.partition, "offset": offset},
            identity=derived_id("unreadable", application, *place.key, offset),
        )

    @classmethod
    def bad_snapshot(cls, application: str, place: InputPartition, at: int, reason: str) -> "Notice":
        """Say that a snapshot was not used."""
        return cls(
            about="unreadable",
            model="-",
            version="-",
            text=f"a snapshot on {place.topic}[{place.partition}] was not used: {reason}; what it would have saved is folded again",
            facts={"topic": place.topic, "partition": place.partition, "at": at},
            identity=derived_id("snapshot", application, *place.key, at),
        )

    @classmethod
    def foreign(cls, application: str, other: str, topic: str) -> "Notice":
        """Say once that another application writes to the same topics; its records are passed over."""
        return cls(
            about="foreign",
            model="-",
            version="-",
            text=(
                f"application {other} writes to {topic} too; its records are passed over. To have topics of its own, let it leave out "
                "topics.prefix"
            ),
            facts={"application": other, "topic": topic},
            identity=derived_id("foreign", application, other, topic),
        )

    @classmethod
    def marked(cls, application: str, stream: str, place: InputPartition, evaluation: str, rows: int, bucket: int) -> "Notice":
        """Say that rows are left out for a golden evaluation that is not open: they are hidden from all that is watched."""
        named = f"{place.topic}[{place.partition}]"
        return cls(
            about="marked",
            model="-",
            version="-",
            stream=stream,
            bucket=bucket,
            text=(
                f"{named} has predictions that are marked as those of golden evaluation {fitted(evaluation, REASON)}, which is not open; "
                "they are left out of all that is watched. See who repeats the header driftbus-evaluation, or an id that begins with "
                "driftbus-golden/"
            ),
            facts={"topic": place.topic, "partition": place.partition, "evaluation": fitted(evaluation, REASON), "rows": rows},
            identity=derived_id("marked", application, stream, *place.key, evaluation),
        )

    @classmethod
    def of_set_aside(cls, application: str, stream: str | None, place: InputPartition, offset: int, reason: str) -> "Notice":
        """Say that a record made a consumer raise, and was set aside (`driftbus.consumers.process.last_net`)."""
        named = f"{place.topic}[{place.partition}]@{offset}"
        return cls(
            about="set_aside",
            model="-",
            version="-",
            stream=stream,
            text=f"{named} was set aside: {reason}; it is among the dead letters. This is a fault of driftbus: please report it",
            facts={"topic": place.topic, "partition": place.partition, "offset": offset},
            identity=derived_id("set-aside", application, *place.key, offset),
        )
