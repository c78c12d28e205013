"""What is known of a field, for people."""

from collections.abc import Collection
from datetime import timedelta

from ...schemas.stored.reference import CategoricalProfile, EmbeddingProfile, NumericProfile, ProfiledField, Reference, TextProfile
from ..replay.event_line import lasted

#: Of those of a field, so many are shown.
_MOST_CATEGORIES = 4
#: Places of the median, and of the 99th percentile, in `NumericProfile.quantiles`.
_MEDIAN, _LAST = 3, 6


def described(reference: Reference, muted: Collection[str] = ()) -> list[str]:
    """A line for every field, and for every column that is ignored; ``muted``: fields that the settings ignore by now."""
    lines = []
    for field in reference.fields:
        if field.name in muted:
            lines.append(f"  {field.name:<28} ignored: models.{reference.model}.features")
            continue
        share = field.availability.counts[0] / max(1, sum(field.availability.counts))
        lines.append(f"  {field.name:<28} {field.role:<10} {field.type:<12} {share:>6.1%} present  {facts(field)}".rstrip())
    return lines + [f"  {name:<28} ignored: {reason}" for name, reason in reference.ignored.items()]


def facts(field: ProfiledField) -> str:
    """Of its values in the reference, the few that tell whether it was read as it was meant."""
    match field.values:
        case NumericProfile() as ages if field.type == "timestamp":
            return f"median age {_age(ages.quantiles[_MEDIAN])}, 99 % below {_age(ages.quantiles[_LAST])}{_dependence(ages)}"
        case NumericProfile() as numbers:
            extent = f"{numbers.minimum:.4g} to {numbers.maximum:.4g}"
            return f"{extent}, mean {numbers.mean:.4g}, sd {numbers.sd:.4g}{_dependence(numbers)}"
        case CategoricalProfile() as categories:
            more = ", ..." if categories.distinct > _MOST_CATEGORIES else ""
            return f"{categories.distinct} categories: {', '.join(categories.categories[:_MOST_CATEGORIES])}{more}"
        case TextProfile() as text:
            words = f", {len(text.words.words):,} words: {', '.join(text.words.words[:_MOST_CATEGORIES])}, ..." if text.words else ""
            return f"{text.length.mean:.0f} characters on average{words}"
        case EmbeddingProfile() as vectors:
            spread = f"{vectors.distance.quantiles[_MEDIAN]:.4g}"
            axes = ", ".join(f"{component.sd:.3g}" for component in vectors.components[:_MOST_CATEGORIES])
            return f"{vectors.size:,} numbers, median distance from their centroid {spread}, sd along their main axes {axes}"
    return "only its availability is watched"


def _dependence(numbers: NumericProfile) -> str:
    return f", {numbers.tau[0]:.0f} rows count as one" if numbers.tau[0] > 1 else ""


def _age(seconds: float) -> str:
    """Two units; a time that lies ahead is of negative age."""
    return f"{'-' if seconds < 0 else ''}{lasted(timedelta(seconds=abs(seconds)))}"
