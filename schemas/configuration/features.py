"""``models.NAME.features:`` of the configuration, and from which effect on a change matters."""

import zoneinfo
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from ..fact import Setting
from ..stored.reference import FieldType
from .mapping import Path

#: Values that stand for none, and characters of each.
MOST_NULLS, MOST_NULL = 32, 100
#: Characters of a source's name, and of an owner's.
MOST_NAME = 100


class Important(Setting):
    """From which effect on a change matters: below it an episode is *minor*."""

    ks: float = Field(0.1, gt=0, le=1)
    psi: float = Field(0.1, gt=0)
    wasserstein_sd: float = Field(0.2, gt=0)
    nulls: float = Field(0.02, gt=0, le=1)
    unseen: float = Field(0.01, gt=0, le=1)
    correlation: float = Field(0.1, gt=0, le=2)
    word_share: float = Field(0.05, gt=0, le=1)


#: JSON has no other values that could stand for none.
NullValues = Annotated[tuple[Annotated[str, Field(max_length=MOST_NULL)] | float, ...], Field(max_length=MOST_NULLS)]


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        msg = f'"{name}" is not a time zone; write a name of the IANA database, such as Europe/Berlin'
        raise ValueError(msg) from None
    return name


Zone = Annotated[str, AfterValidator(_zone)]


class Chosen(NamedTuple):
    """A detector that is asked for by name, with its settings as they are written: the detector knows which there are."""

    name: str
    settings: dict[str, Any] = {}  # of differing types, by key


def _chosen(text: object) -> Chosen:
    match text:
        case Chosen():
            return text
        case str():
            return Chosen(text)
        case dict() if len(text) == 1:
            (name, settings), *_ = text.items()
            if isinstance(name, str) and isinstance(settings, dict | None):
                return Chosen(name, settings or {})
    msg = f"{text!r} is not a detector; write ks, or {{ks: {{rows: 1000}}}}"
    raise ValueError(msg)


_Detector = Annotated[
    Chosen,
    BeforeValidator(_chosen),
    PlainSerializer(lambda chosen: {chosen.name: chosen.settings}, return_type=dict[str, dict[str, Any]]),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "minProperties": 1, "maxProperties": 1}]}),
]


_Named = Annotated[str, Field(min_length=1, max_length=MOST_NAME)]

#: Of a feature's settings, those that say whose it is, where else to look, and what a feature log is compared by. They decide nothing that
#: is tested.
WHOSE = frozenset({"source", "owner", "as_of", "tolerance"})


class FeatureSettings(Setting):
    """What differs for a feature, or for all that match a pattern."""

    ignore: bool = False
    type: FieldType | None = None
    nulls: NullValues | None = Field(None, description="values that stand for none; null: those of the model")
    zone: Zone | None = Field(None, description="of times that name none (Europe/Berlin); null: that of the model")
    min_effect: float | None = Field(None, ge=0, le=3, description="in sd of the rank score; drift below it is not reported")
    direction: Literal["both", "up", "down"] = Field(
        "both", description="in which a change is drift; of two categories, of the last one's rate"
    )
    important: Important | None = None
    detectors: tuple[_Detector, ...] = Field((), description="asked for by name, beside the one that watches everything")
    source: _Named | None = Field(None, description="where its values come from: fields of one source break together")
    owner: _Named | None = Field(None, description="who is asked when it breaks")
    as_of: Path | None = Field(None, description="the path of the time, in a message, as of which its value is; null: that of its source")
    tolerance: float | None = Field(
        None, ge=0, le=1, description="served and offline values agree that differ by no more than this share of the larger; null: 1e-6"
    )


def _feature_settings(written_: object) -> object:
    return {"ignore": True} if written_ == "ignore" else written_


OrIgnore = BeforeValidator(_feature_settings, json_schema_input_type=FeatureSettings | Literal["ignore"])
