"""What causes of a model's drift can be told with what is configured, for `check` and `status`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...detectors.diagnosis.deciding import ALL, LOST, SETTINGS, Kind, acted_on, adds_most, standings
from ...schemas.configuration import Configuration
from ...schemas.stored.reference import Reference


@dataclass(frozen=True)
class Decided:
    """Of one model."""

    model: str
    confirmed: tuple[str, ...]
    not_confirmed: dict[str, str]  #: cause -> what it lacks
    less: dict[str, str]  #: cause -> what of it is not confirmed
    by_itself: tuple[str, ...]  #: trainings that may start without a person
    adds_most: str | None  #: the setting, and by how much

    def lines(self) -> Iterator[str]:
        """In words."""
        yield f"causes that can be confirmed: {', '.join(map(_words, self.confirmed))}"
        for cause, because in (*self.not_confirmed.items(), *self.less.items()):
            yield f"{_words(cause)}: {because}"
        yield f"may start without a person, once allowed: {'; '.join(self.by_itself) or 'nothing'}"
        if self.adds_most is not None:
            yield f"would add most: {self.adds_most}"


def decided(configuration: Configuration, reference: Reference) -> Decided | None:
    """Of a model with a reference; None: nobody looks for its causes."""
    model, features = reference.model, [field.name for field in reference.fields if field.role == "feature"]
    settings = configuration.model(model)
    if settings.diagnosis is None:
        return None
    there = _there(configuration, model, features)
    told = list(standings(there))
    most = adds_most(there)
    return Decided(
        model=model,
        confirmed=tuple(one.cause for one in told if one.confirmed),
        not_confirmed={one.cause: one.because for one in told if not one.confirmed},
        less={one.cause: one.because for one in told if one.confirmed and one.because},
        by_itself=tuple(acted_on(there)),
        adds_most=None if most is None else f"{SETTINGS[most].format(model=model)} ({LOST[most]} of {ALL} test incidents need it)",
    )


def _there(configuration: Configuration, model: str, features: Sequence[str]) -> frozenset[Kind]:
    settings = configuration.model(model)
    found: dict[Kind, bool] = {
        "agreement": settings.agreement is not None,
        "same_code": bool(features) and all(configuration.source(settings.feature(name).source).same_code for name in features),
        "arrivals": settings.labels is not None,
        "ood": settings.ood is not None,
        "golden": settings.golden is not None,
        "ages": any(configuration.as_of(model, name) is not None for name in features),
    }
    return frozenset(kind for kind, so in found.items() if so)


def _words(name: str) -> str:
    return name.replace("_", " ")
