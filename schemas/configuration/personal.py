"""``models.NAME.personal`` of the configuration: what of users' data is left out, or changed, before anything is stored or published."""

import fnmatch
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from ..fact import Setting
from ..stored.reference import FieldRule
from .patterns import MOST_PATTERNS, MaskPattern

#: The name of a variable of the environment.
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
#: A field's own name, or a pattern of names.
Names = tuple[Annotated[str, Field(min_length=1, max_length=500)], ...]


class Personal(Setting):
    """Rules of features, by name or pattern; of several that fit one, `drop` goes before `hash`, and `hash` before `mask`. And of ids."""

    drop: Names = Field((), description="features that are read into nothing that is stored or published")
    hash: Names = Field((), description="features whose values are known by a keyed hash alone")
    mask: dict[str, Annotated[tuple[MaskPattern, ...], Field(min_length=1, max_length=MOST_PATTERNS)]] = Field(
        {}, description="by feature, what of a text is replaced by ***: regular expressions"
    )
    id: bool = Field(False, description="ids of predictions are known by a keyed hash alone")
    key: Variable | None = Field(None, description="the environment's variable that holds the key of the hashes")

    @model_validator(mode="after")
    def _key_of_hashes(self) -> "Personal":
        if self.hash and self.key is None:
            msg = "key: is missing: without one anybody can hash what might stand there; name a variable of the environment that holds it"
            raise ValueError(msg)
        if self.key is not None and not (self.hash or self.id):
            msg = "key: nothing is hashed with it; write hash or id, or leave it out"
            raise ValueError(msg)
        return self

    def __bool__(self) -> bool:
        """Whether there are any rules."""
        return bool(self.drop or self.hash or self.mask or self.id)

    def dropped(self, feature: str) -> str | None:
        """The name or pattern by which a feature is dropped.

        >>> Personal(drop=("ssn", "card_*")).dropped("card_number"), Personal(drop=("ssn",)).dropped("amount")
        ('card_*', None)
        """
        return _fitting(self.drop, feature)

    def rule(self, feature: str, key: str | None) -> FieldRule | None:
        """What becomes of the values of a feature that is not dropped; ``key``: by what the key of its hashes is known.

        >>> Personal(mask={"question": ("[0-9]{13,19}",)}).rule("question", None)
        FieldRule(hash=None, mask=('[0-9]{13,19}',))
        """
        if _fitting(self.hash, feature) is not None:
            return FieldRule(hash=key)
        patterns = tuple(one for name, own in self.mask.items() if _fits(name, feature) for one in own)
        return FieldRule(mask=patterns) if patterns else None

    def first(self, features: Mapping[str, object]) -> str | None:
        """The first of these features that a rule is about."""
        return next((name for name in features if self.dropped(name) or self.rule(name, "")), None)


def _fitting(names: Names, feature: str) -> str | None:
    return next((name for name in names if _fits(name, feature)), None)


def _fits(name: str, feature: str) -> bool:
    return name == feature or fnmatch.fnmatchcase(feature, name)
