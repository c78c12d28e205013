"""From what is written of detectors by name to their settings."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ...schemas.configuration import Chosen, Model
from .interface import NamedDetector

Kinds = Mapping[str, type[NamedDetector]]


class Mistake(NamedTuple):
    """What is wrong, and where."""

    path: str
    reason: str


def mistakes(kinds: Kinds, path: str, chosen: Sequence[Chosen]) -> Iterator[Mistake]:
    """What is wrong with detectors that are written at ``path``."""
    for place, (name, settings) in enumerate(chosen):
        if name not in kinds:
            near = difflib.get_close_matches(name, kinds, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(kinds)}, and those that installed packages bring"
            yield Mistake(f"{path}.{place}", f"there is no detector {name!r}; {remedy}")
            continue
        try:
            kinds[name].model_validate(settings)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                yield Mistake(".".join(map(str, (path, place, name, *one["loc"]))), _reason(one, kinds[name]))


def _reason(error: ErrorDetails, kind: type[NamedDetector]) -> str:
    if error["type"] == "extra_forbidden":
        return f"unknown key; known here: {', '.join(kind.model_json_schema()['properties'])}"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    return f"{error['input']!r}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def mistakes_of(kinds: Kinds, models: Mapping[str, Model]) -> Iterator[Mistake]:
    """Of all detectors of all models."""
    for name, model in models.items():
        for pattern, settings in model.features.items():
            yield from mistakes(kinds, f"models.{name}.features.{pattern}.detectors", settings.detectors)


def settings_of(kinds: Kinds, model: str, settings: Model, feature: str) -> list[tuple[str, NamedDetector]]:
    """The detectors that are asked for on a feature, by name. Raises ValueError where `mistakes` has something to say."""
    chosen = settings.feature(feature).detectors
    for path, reason in mistakes(kinds, f"models.{model}.features.{feature}.detectors", chosen):
        msg = f"{path}: {reason}"
        raise ValueError(msg)
    return [(name, kinds[name].model_validate(written)) for name, written in chosen]
