"""A model that was learnt, as it is handed to whoever serves it: plain data, read without running any of it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from . import state
from .candidates import FAST, SLOW, Candidate, Kind

FeatureKind = Literal["number", "text", "boolean"]
#: How it is to be read.
FORM = 1
_PACES = (SLOW, FAST)


class _Model(msgspec.Struct, array_like=True):
    form: int
    kind: Kind
    seed: int
    pace: int  #: of slow, or of fast
    state: bytes
    features: dict[str, FeatureKind] = {}


class Served(NamedTuple):
    """Who answers, and the features that were ever there when it learnt."""

    candidate: Candidate
    features: Mapping[str, FeatureKind]


def written(kind: Kind, seed: int, pace: int, content: bytes, features: Mapping[str, FeatureKind]) -> bytes:
    """What a candidate of these settings wrote, with these."""
    return msgspec.msgpack.encode(_Model(FORM, kind, seed, pace, content, dict(features)))


def read(content: bytes) -> Served:
    """What `written` wrote. Raises `driftbus.detectors.learning.state.Foreign` where it is none of this release's."""
    try:
        model = msgspec.msgpack.decode(content, type=_Model)
    except (msgspec.MsgspecError, ValueError) as error:
        msg = f"not a model that was learnt: {error}"
        raise state.Foreign(msg) from error
    if model.form != FORM or not 0 <= model.pace < len(_PACES):
        msg = f"a model of form {model.form}, and this release reads form {FORM}"
        raise state.Foreign(msg)
    return Served(Candidate(model.kind, _PACES[model.pace], model.seed).restored(model.state), model.features)
