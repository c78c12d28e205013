"""A block: the rows of one run of one input partition that wait for each other in one partition of the joins topic."""

from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from ..cloud_events import MSGPACK
from ..fact import Fact
from ..form import check_form, lean
from ..identity import derived_id
from ..integers import Boundary, Count, IntegerVector, Offset, PartitionNumber, Time
from .examples import features_of

#: How a block is to be read. Of form 2 are those that say of each row its segment and groups of features; of form 3 those whose rows carry
#: values of features.
FORM, FORM_OF_LABELS = 3, 2
#: Bytes of an id: a hash of its text.
ID_BYTES = 16
#: Features of which a row has a group, at most: a byte each.
MOST_BINNED = 24
#: Features of which a row carries the value, at most; bytes of one.
MOST_COMPARED, VALUE_BYTES = 24, 8
#: The byte of a feature without a value, or that the row's model has no groups of.
NO_BIN = 255
#: Of a row that was compared with the training data: it is no outlier.
NO_OUTLIER = 1
#: Of a score in a block: a probability of 1.
SCORE_ONE = 1 << 20
#: Bytes of a record, at most: of each row, and beside the text of each name.
LARGEST, ROW_BYTES, NAME_BYTES = 512 * 1024, 56, 64
#: Bytes of the features of one row: one with more is not written down whole, for it would fit into no record.
LARGEST_WHOLE = 400_000

_NONE = np.zeros(0, dtype=np.int64)
#: What a block says by not saying it.
_USUAL: dict[str, Any] = {"form": 1, "part": 0, "binned": 0, "bins": b"", "outliers": b"", "compared": 0, "carried": b"", "whole": ()}


class Whose(NamedTuple):
    """Of what model version a row is, and against which reference its version is watched; of a label only the model, if it names one.

    ``segment``: of the reference's rows, where it divides them. ``grouping``: by which groups its bins are to be read.
    """

    model: str
    version: str = ""
    reference: str = ""
    since: Boundary = 0
    segment: str | None = None
    grouping: str = ""


class Block(Fact):
    """A fact about the log, as a pane is: whoever reads the partition again makes the same blocks.

    Columns of n rows, in the order of their offsets. Ids and values are as `driftbus.schemas.outcome` has them.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)
    TYPE: ClassVar = "io.driftbus.block"
    content_type: ClassVar = MSGPACK

    join: str  #: the name of the labels that predictions wait for
    stream: str
    #: Of reviews a value is the case, its second half the revision. Of served and offline values of features it is 0: a row carries them.
    side: Literal["predictions", "labels", "reviews", "served", "offline"]
    topic: str
    topic_id: str
    partition: PartitionNumber
    first: Offset  #: first offset of the run
    last: Offset  #: last offset read in the run
    bucket: Time
    start: Time
    whose: tuple[Whose, ...]
    ids: Annotated[bytes, Field(description="16 bytes a row")]
    of: IntegerVector  #: index into ``whose``
    waters: IntegerVector  #: the high water of the partition behind each row, ms, from ``bucket`` on
    offsets: IntegerVector  #: from ``first`` on
    values: IntegerVector
    scores: IntegerVector = _NONE  #: of predictions, in units of 2^-20; -1: none
    revisions: IntegerVector = _NONE  #: of labels, the user's own number
    binned: Annotated[int, Field(ge=0, le=MOST_BINNED)] = 0  #: features of which the predictions have a bin
    bins: Annotated[bytes, Field(description="a byte a feature, row by row: its group; 255: none")] = b""
    #: A byte a row of the predictions, where their inputs are compared with the training data: 0: not scored, 1: no outlier, 2: an outlier.
    outliers: bytes = b""
    compared: Annotated[int, Field(ge=0, le=MOST_COMPARED)] = 0  #: values that a row carries
    carried: Annotated[bytes, Field(description="8 bytes a value, row by row, as `driftbus.detectors.agreement.codes` has them")] = b""
    #: Of predictions that are written down whole, row by row, their features as a map in msgpack; of others no bytes.
    whole: tuple[bytes, ...] = ()
    number: PartitionNumber = 0  #: of the joins topic
    part: Count = 0  #: one with many rows travels in parts
    form: int = FORM_OF_LABELS

    @property
    def rows(self) -> int:
        """Their number."""
        return len(self.of)

    @property
    def halves(self) -> NDArray[np.uint64]:
        """The ids as two numbers each, shape [n, 2]."""
        return np.frombuffer(self.ids, dtype="<u8").astype(np.uint64).reshape(-1, 2)

    @property
    def groups(self) -> NDArray[np.uint8]:
        """The bins, shape [n, binned]."""
        return np.frombuffer(self.bins, dtype=np.uint8).reshape(self.rows, self.binned)

    @property
    def codes(self) -> NDArray[np.int64]:
        """The values that rows carry, shape [n, compared]."""
        return np.frombuffer(self.carried, dtype="<i8").astype(np.int64).reshape(self.rows, self.compared)

    @property
    def id(self) -> str:
        """The same for everyone who cuts this run."""
        return derived_id("block", self.join, self.side, self.topic_id, self.partition, self.first, self.bucket, self.number, self.part)

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.TYPE

    @property
    def key(self) -> str:
        """Of the record."""
        return f"{self.topic}/{self.partition}"

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.key

    @property
    def time(self) -> int:
        """The end of its bucket."""
        return self.bucket

    def encoded(self) -> bytes:
        """As it travels: msgpack."""
        return msgspec.msgpack.encode(lean(self.model_dump(), _USUAL))

    @classmethod
    def decoded(cls, value: bytes) -> "Block":
        """What `encoded` wrote. Raises `NewerForm`, and `ValueError` where it is damaged."""
        plain = msgspec.msgpack.decode(value, type=dict[str, Any])
        check_form("block", plain, FORM)
        block = cls.model_validate(plain)
        second = block.scores if block.side == "predictions" else block.revisions
        lengths = {len(column) for column in (block.of, block.waters, block.offsets, block.values, second)} | {len(block.ids) // ID_BYTES}
        if len(lengths) > 1 or len(block.ids) % ID_BYTES or block.first > block.last:
            msg = f"a block of {sorted(lengths)} rows with {len(block.ids)} bytes of ids, offsets {block.first} to {block.last}"
            raise ValueError(msg)
        if len(block.bins) != block.rows * block.binned:
            msg = f"{len(block.bins)} bins of {block.rows} rows with {block.binned} each"
            raise ValueError(msg)
        if len(block.carried) != block.rows * block.compared * VALUE_BYTES:
            msg = f"{len(block.carried)} bytes of values of {block.rows} rows with {block.compared} each"
            raise ValueError(msg)
        if block.whole and len(block.whole) != block.rows:
            msg = f"features of {len(block.whole)} of {block.rows} rows"
            raise ValueError(msg)
        for packed in filter(None, block.whole):
            features_of(packed)
        if block.outliers and len(block.outliers) != block.rows:
            msg = f"{len(block.outliers)} flags of {block.rows} rows"
            raise ValueError(msg)
        if block.rows and not 0 <= int(block.of.min()) <= int(block.of.max()) < len(block.whose):
            msg = f"rows of {int(block.of.max())}, and there are {len(block.whose)} names"
            raise ValueError(msg)
        return block
