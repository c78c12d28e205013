"""Fields of references, as short as tests want them."""

from driftbus.schemas.stored.reference import AvailabilityProfile, CategoricalProfile, NumericProfile, ProfiledField, Role

THERE = AvailabilityProfile(counts=(1, 0, 0, 0))


def number(name: str, *, parse: bool = False, role: Role = "feature") -> ProfiledField:
    profile = NumericProfile(
        edges=(0.0,), bin_of=(0, 1), counts=(0, 1), values=(0.0, 0.0), above=1, mean=0, sd=1, minimum=0, maximum=0, parse=parse
    )
    return ProfiledField(name=name, role=role, type="numeric", values=profile, availability=THERE)


def category(name: str, *, role: Role = "feature") -> ProfiledField:
    return ProfiledField(
        name=name, role=role, type="categorical", values=CategoricalProfile(categories=("a",), counts=(1, 0)), availability=THERE
    )


def boolean(name: str) -> ProfiledField:
    profile = CategoricalProfile(categories=("false", "true"), counts=(1, 1, 0), boolean=True)
    return ProfiledField(name=name, type="boolean", values=profile, availability=THERE)
