"""Performance as a table: an interval of predictions a row, in the width there is; below it what happened meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...schemas.cloud_events import iso
from ...schemas.messages.performance import Performance
from ..replay.event_line import event_line, place, short_id
from ..replay.series import BOUNDED, ByPeople, began, by_people, versions
from ..replay.terminal import Styled
from .deployments import Known
from .episodes import ToldEpisode
from .performance import Story
from .screen import Table

#: Columns of a terminal that the wide table needs.
WIDE = 150
_NONE = "-"
#: A row of which labels still come.
_LIGHT = "dim"


def table(story: Story, metric: str, width: int) -> Table:
    """By the time of the predictions; versions that serve at the same time stand below each other."""
    several, wide = len({one.version for one in story.records}) > 1, width >= WIDE
    people = any(_by_people(story, one, metric) for one in story.records)
    made = _wide(metric, people=people) if wide else _narrow(metric, several=several, people=people)
    for one in _in_order(story.records):
        is_ripe = one.key in story.matured
        cells = _wide_row(one, metric) if wide else _narrow_row(one, metric, several=several, is_ripe=is_ripe)
        cells += _reviewed(_by_people(story, one, metric), is_wide=wide) if people else []
        last = [_state(one, is_ripe=is_ripe), ", ".join(_meanwhile(story, one))] if wide else [_marks(story, one)]
        row = [*cells, *last]
        made.row(*(row if is_ripe else [Styled(cell, _LIGHT) for cell in row]))
    return made


def title(story: Story, metric: str) -> str:
    """Of what, from when to when, and when that was known."""
    first, last = min(one.start for one in story.records), max(one.about for one in story.records)
    of = sorted({f"{one.model}/{one.version}" for one in story.records})
    segment = f" [{story.records[0].segment}]" if story.records[0].segment else ""
    known = max(one.through for one in story.records)
    when = f"made from {place(iso(first))} to {place(iso(last))} UTC, as of {place(iso(known))}"
    return f"{', '.join(of)}{segment}: {metric} of the predictions {when}"


def legend(story: Story, width: int) -> Iterator[str]:
    """What signs mean, of those that are there; and what numbers do not say."""
    if clipped := sum(one.clipped for one in story.records):
        yield f"{clipped:,} labelled predictions were so far off that they count as nearer: mae and rmse are larger than told"
    if width >= WIDE:
        return
    signs = {
        "~ labels still come": any(one.key not in story.matured for one in story.records),
        "! an episode of performance was open": any("!" in _marks(story, one) for one in story.records),
        "^ what serves changed": any("^" in _marks(story, one) for one in story.records),
    }
    if any(signs.values()):
        yield ";  ".join(sign for sign, is_there in signs.items() if is_there)


def happened(story: Story) -> list[str]:
    """What happened, in its order: episodes opened and resolved, versions deployed."""
    events = [event for episode in story.episodes for event in episode.events if event.status != "updated"]
    lines = [(event.time, event_line(event)) for event in events] + [(one.at, _line(one)) for one in story.deployments]
    return [line for _, line in sorted(lines, key=lambda timed: timed[0])]


def plain(story: Story) -> Iterator[dict[str, Any]]:  # JSON
    """Everything that is known of each interval, and what happened in it."""
    for one in _in_order(story.records):
        deployments = [{"at": known.at, **known.event.plain()} for known in _deployed(story, one)]
        episodes = [episode.id for episode in _open(story, one)]
        beside = {"matured": one.key in story.matured, "episodes": episodes, "deployments": deployments}
        found = story.by_people(one)
        yield one.model_dump(mode="json") | beside | ({} if found is None else {"reviewed": found.model_dump(mode="json")})


def _in_order(records: Sequence[Performance]) -> list[Performance]:
    return sorted(
        (one for _, own in versions(records) for one in own), key=lambda one: one.start
    )  # stable: the version that served first comes first


def _wide(metric: str, *, people: bool) -> Table:
    people_say = ("reviewed", "95 %") if people else ()
    headings = ("made", "labelled", "expired", *_headings(metric), *people_say, "state", "meanwhile")
    return Table("predictions of", "version", *headings, wide=("version", "meanwhile"))


def _headings(metric: str) -> list[str]:
    """Of what is told of a metric; of labels only the accuracy has an interval."""
    return [metric, *(["95 %"] if metric == BOUNDED else []), "estimated", "completed"]


def _by_people(story: Story, one: Performance, metric: str) -> ByPeople | None:
    found = story.by_people(one)
    return None if found is None else by_people(found, metric)


def _reviewed(found: ByPeople | None, *, is_wide: bool) -> list[str]:
    """What people's answers say of all predictions, and its interval, for which a narrow table has no room."""
    value = _NONE if found is None else f"{found.value:.4g}"
    if not is_wide:
        return [value]
    bounded = found is not None and found.low is not None and found.high is not None
    return [value, f"{found.low:.4g} .. {found.high:.4g}" if found is not None and bounded else _NONE]


def _numbers(one: Performance, metric: str, *, is_wide: bool) -> list[str]:
    within = _NONE
    if one.low is not None and one.high is not None:
        within = f"{one.low:.3f} .. {one.high:.3f}" if is_wide else f"{_short(one.low)}-{_short(one.high)}"
    of = [_number(told, metric) for told in (one.realised, one.estimated, one.completed)]
    return [of[0], *([within] if metric == BOUNDED else []), *of[1:]]


def _wide_row(one: Performance, metric: str) -> list[str]:
    counts = [f"{count:,}" for count in (one.predicted, one.labelled, one.expired)]
    return [place(iso(one.start)), one.version, *counts, *_numbers(one, metric, is_wide=True)]


def _state(one: Performance, *, is_ripe: bool) -> str:
    return "final" if one.final else "matured" if is_ripe else "labels still come"


def _narrow(metric: str, *, several: bool, people: bool) -> Table:
    headings = ("labelled", *_headings(metric), *(["reviewed"] if people else []), "")
    return Table("made", *(["version"] if several else []), *headings, wide=("version",))


def _narrow_row(one: Performance, metric: str, *, several: bool, is_ripe: bool) -> list[str]:
    labelled = f"{_count(one.labelled)}/{_count(one.predicted)}{'' if is_ripe else '~'}"
    return [place(iso(one.start))[5:], *([one.version] if several else []), labelled, *_numbers(one, metric, is_wide=False)]


def _meanwhile(story: Story, one: Performance) -> Iterator[str]:
    """Short, so that the lines below the table can be found by it."""
    for known in _deployed(story, one):
        yield f"{known.event.version} {known.event.kind.replace('_', ' ')}"
    for episode in _open(story, one):
        yield f"{short_id(episode.id)} {episode.last.severity}"


def _marks(story: Story, one: Performance) -> str:
    return ("^" if _deployed(story, one) else "") + ("!" if _open(story, one) else "")


def _deployed(story: Story, one: Performance) -> list[Known]:
    return [known for known in story.deployments if one.start <= known.at < one.about]


def _open(story: Story, one: Performance) -> list[ToldEpisode]:
    """Episodes of the version that were open then, from their onset on."""
    return [
        episode
        for episode in story.episodes
        if episode.first.version == one.version
        and began(episode.events).timestamp() * 1000 < one.about
        and (episode.is_open or episode.last.time > one.start)
    ]


def _line(one: Known) -> str:
    event = one.event
    also = [f"job {event.job}" if event.job else "", f"from {event.parent}" if event.parent else ""]
    parts = [f"{place(iso(one.at)):<16}", event.kind.replace("_", " ").upper(), f"{event.model}/{event.version}", *filter(None, also)]
    return "  ".join(parts)


def _count(number: int) -> str:
    """Four characters at most, up to a billion.

    >>> _count(9_999), _count(12_345), _count(1_234_567)
    ('9999', '12k', '1M')
    """
    return str(number) if number < 10_000 else f"{number // 1_000}k" if number < 1_000_000 else f"{number // 1_000_000}M"


def _short(share: float) -> str:
    return f"{share:.3f}".removeprefix("0")


def _number(metrics: Mapping[str, float | None], name: str) -> str:
    value = metrics.get(name)
    return _NONE if value is None else f"{value:.4g}"
