"""A calibration: how often a cause that was told with a score was right, by what people said of former incidents."""

import msgspec
from pydantic import model_validator

from ..fact import Fact
from ..form import check_form
from ..integers import Count

#: How it is to be read.
FORM = 1
#: Confidence is never less, nor more, whatever people said.
LEAST, MOST = 0.05, 0.99


class CauseCalibration(Fact):
    """Of one cause: a curve through these points, straight between them, level outside."""

    scores: tuple[float, ...]  #: ascending
    confidence: tuple[float, ...]  #: at each of them; never falls
    confirmed: Count
    rejected: Count

    @model_validator(mode="after")
    def _is_a_curve(self) -> "CauseCalibration":
        if not self.scores or len(self.scores) != len(self.confidence):
            msg = f"{len(self.scores)} scores have {len(self.confidence)} confidences"
            raise ValueError(msg)
        if any(not one < two for one, two in zip(self.scores, self.scores[1:], strict=False)):
            msg = "its scores do not ascend"
            raise ValueError(msg)
        rising = all(one <= two for one, two in zip(self.confidence, self.confidence[1:], strict=False))
        if not rising or not LEAST <= self.confidence[0] <= self.confidence[-1] <= MOST:
            msg = f"its confidences fall, or are outside {LEAST} to {MOST}"
            raise ValueError(msg)
        return self


class Calibration(Fact):
    """At ``URL/calibrations/sha256-DIGITS.json``, or a file of that content: of the causes of which people said enough."""

    causes: dict[str, CauseCalibration]
    form: int = FORM

    def encoded(self) -> bytes:
        """The same of the same."""
        return msgspec.json.encode(self.model_dump(), order="sorted")

    @classmethod
    def decoded(cls, content: bytes) -> "Calibration":
        """What `encoded` wrote. Raises `NewerForm`, and `ValueError` where it is damaged."""
        plain = msgspec.json.decode(content, type=dict[str, object])
        check_form("calibration", plain, FORM)
        return cls.model_validate(plain)
