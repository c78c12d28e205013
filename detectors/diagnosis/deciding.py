"""Which evidence decides about which cause: what can be confirmed, and be acted on, with what a model has, and what would add most."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from ...schemas.messages.root_cause import Cause

Kind = Literal["agreement", "same_code", "arrivals", "ood", "golden", "ages"]

#: Of the 131 incidents of the public suite, those exactly told and confirmed with all evidence; and by kind, how many of them are not
#: without it: ``python -m tests.incidents --without KIND`` (`docs/causes.md` has all of its figures).
ALL = 129
LOST: Mapping[Kind, int] = {"agreement": 62, "arrivals": 21, "ood": 31, "golden": 2, "ages": 0}


#: What says whether online and offline values agree: pairs of them, or that the same code makes both.
PAIRS: tuple[Kind, ...] = ("agreement", "same_code")


class Needs(NamedTuple):
    """What must be there for a cause to be confirmed, and what is told without it."""

    kinds: tuple[tuple[Kind, ...], ...]  #: any of each
    without: str = "stays suspected"
    acted_on: str | None = None  #: the training that may start of it by itself
    harm: bool = True  #: which needs labels, for it must be known to do harm


NEEDS: Mapping[Cause, Needs] = {
    "data_drift": Needs((PAIRS,), acted_on="fine-tuning"),
    "feature_drift": Needs((("arrivals",), PAIRS), acted_on="fine-tuning"),
    "feature_recalibration": Needs((PAIRS,), acted_on="retraining on recomputed history", harm=False),
    "feature_unavailability": Needs(()),
    "training_serving_skew": Needs((("agreement",),), "is told by values at a deployment alone,"),
    "prediction_label_bias": Needs((("ood",),), "is not told", acted_on="fine-tuning with labelled outliers"),
    "model_broken": Needs((("golden", "arrivals"),), "is not told"),
}
#: What of a cause, which needs no pairs, is not told without them.
_LESS: Mapping[Cause, str] = {"feature_unavailability": "another entity's value is not told, a default that training knew stays suspected"}
#: What to configure for each kind.
SETTINGS: Mapping[Kind, str] = {
    "agreement": "models.{model}.agreement (a feature log), or sources.NAME.same_code: true",
    "arrivals": "models.{model}.labels",
    "ood": "models.{model}.ood",
    "golden": "models.{model}.golden",
    "ages": "features.NAME.as_of, or sources.NAME.as_of",
}


class Standing(NamedTuple):
    """How it stands with one cause."""

    cause: Cause
    confirmed: bool
    because: str  #: what it lacks, or what of it is told less of


def standings(there: frozenset[Kind]) -> Iterator[Standing]:
    """Of every cause, with what is there."""
    for cause, needs in NEEDS.items():
        lacking = [" or ".join(some) for some in needs.kinds if there.isdisjoint(some)]
        if lacking:
            yield Standing(cause, False, f"{needs.without} without {' and '.join(lacking)}")
        else:
            yield Standing(cause, True, _LESS.get(cause, "") if there.isdisjoint(PAIRS) else "")


def acted_on(there: frozenset[Kind]) -> list[str]:
    """The trainings that may start without a person, with the causes that they follow."""
    found: dict[str, list[str]] = {}
    for one in standings(there):
        needs = NEEDS[one.cause]
        if one.confirmed and needs.acted_on is not None and ("arrivals" in there or not needs.harm):
            found.setdefault(needs.acted_on, []).append(one.cause.replace("_", " "))
    return [f"{training} ({', '.join(causes)})" for training, causes in found.items()]


def adds_most(there: frozenset[Kind]) -> Kind | None:
    """The kind without which most incidents are not told; None: nothing that is measured would add any.

    >>> adds_most(frozenset()), adds_most(frozenset({"agreement"})), adds_most(frozenset({"agreement", "arrivals", "ood", "golden"}))
    ('agreement', 'ood', None)
    """
    there = there | {"agreement"} if "same_code" in there else there
    lacking: list[Kind] = [kind for kind in SETTINGS if kind not in there and LOST[kind]]
    return max(lacking, key=lambda kind: LOST[kind], default=None)
