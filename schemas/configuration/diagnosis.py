"""``models.NAME.diagnosis:`` and ``sources:`` of the configuration: how causes are looked for, and where values come from."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from ..fact import Setting
from .features import MOST_NAME
from .mapping import Path

_Threshold = Annotated[float, Field(allow_inf_nan=False)]


class Diagnosis(Setting):
    """How causes are looked for behind what becomes of one model."""

    thresholds: dict[str, _Threshold] = Field({}, description="by name, those that differ from the defaults")
    calibration: Annotated[str, Field(min_length=1, max_length=1_000)] | None = Field(
        None, description="what `driftbus feedback calibrate` stored, by its hash, or a file of that content"
    )


#: None: nobody looks. What is written as null has the defaults.
OrOff = Annotated[
    Diagnosis | None,
    BeforeValidator(
        lambda written: None if written in (False, "off") else Diagnosis() if written is None else written,
        json_schema_input_type=Diagnosis | Literal["off"] | None,
    ),
    PlainSerializer(lambda one: "off" if one is None else one.model_dump(), return_type=object),
]


class SourceSettings(Setting):
    """What is known of all values that come from one source."""

    owner: Annotated[str, Field(min_length=1, max_length=MOST_NAME)] | None = Field(None, description="who is asked when it breaks")
    as_of: Path | None = Field(None, description="the path of the time, in a message, as of which its values are")
    same_code: bool = Field(False, description="the same code makes its values for training and for serving: the two cannot differ")
