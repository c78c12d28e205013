"""What the diagnoser's fold remembers, as parts of a snapshot: a model by itself, and each window by itself, for most do not change."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from ...detectors.diagnosis.finding import Finding, Map, Piece
from ...detectors.diagnosis.incidents import Home, Incident, Onset, Word
from ...detectors.diagnosis.windows import Windows
from ..streams.align import Aligner
from .exhibit import Exhibit
from .group import Group
from .kinds import Kinds
from .known import Known
from .model import Model
from .watched import Watched

_MODEL, _WINDOW = "model", "window"


def parts(model: Model) -> Iterator[tuple[str, bytes]]:
    """Of one model."""
    versions = []
    for home, watched in model.versions.items():
        plain, sums = watched.plain()
        versions.append(plain)
        yield from ((_key(_WINDOW, model.name, *home, name), content) for name, content in sums.items())
    incidents = [[_plain(one) for one in some] for some in (model.incidents.open, model.incidents.ended)]
    yield _key(_MODEL, model.name), msgspec.msgpack.encode([versions, model.known.plain(), incidents, model.heard])


def models(
    parts_: Mapping[str, bytes], model_of: Callable[[str], Model], watched_of: Callable[[str, Home, int], Watched]
) -> Iterator[Model]:
    """All that `parts` wrote."""
    for key, content in parts_.items():
        kind, name, *_ = msgspec.json.decode(key, type=list[str])
        if kind != _MODEL:
            continue
        model = model_of(name)
        versions, known, incidents, *heard = msgspec.msgpack.decode(content)
        model.heard = heard[0] if heard else None  # unknown to former releases
        model.known = Known.restored(known)
        model.incidents.open, model.incidents.ended = ([_incident(one) for one in some] for some in incidents)
        for plain_home, numbers, windows in versions:
            home = Home(*plain_home)
            watched = watched_of(name, home, numbers[0])
            _, watched.latest, watched.touched, watched.ran, watched.runs, watched.outcomes, watched.news = numbers
            watched.windows = Windows.restored(windows, partial(_sums, parts_, name, home))
            model.versions[home] = watched
        yield model


def _sums(parts_: Mapping[str, bytes], model: str, home: Home, window: str) -> bytes:
    return parts_[_key(_WINDOW, model, *home, window)]


def aligner(group: Group, numbers: dict[str, Any], exhibits: Mapping[int, Exhibit]) -> Aligner[Exhibit]:
    """Of a group, as it was; of what waits only its own models'."""
    own, before = {**numbers, "pending": [one for one in numbers["pending"] if one[1] in exhibits]}, group.aligner
    return Aligner.restored(before.buckets, before.patience, own, exhibits, before.streams)


def numbers_of(aligners: Mapping[str, Any], kinds: Kinds) -> dict[str, Any] | None:
    """What a group's aligner knew; of kinds of evidence that are new, what that one of the same stream knew which was furthest back.

    What waits is that of all of the stream: models may have come from another group, with what waits of them.
    """
    of_stream = [numbers for name, numbers in sorted(aligners.items()) if name.partition("+")[0] == kinds.stream]
    if not of_stream:
        return None
    own = aligners.get(str(kinds)) or min(of_stream, key=lambda numbers: numbers["evaluated"])
    pending = sorted((one for numbers in of_stream for one in numbers["pending"]), key=lambda one: (one[0], one[1]))
    return {**own, "pending": pending}


def _key(*names: str) -> str:
    """Names may hold anything."""
    return msgspec.json.encode(names).decode()


def _plain(incident: Incident) -> dict[str, Any]:  # plain data
    return {
        "id": incident.id,
        "finding": msgspec.to_builtins(incident.finding),
        "onset": list(incident.onset),
        "numbers": [incident.begun, incident.since, max(incident.firm.values(), default=0), incident.revision, incident.ended],
        "firm": [[*home, number] for home, number in incident.firm.items()],
        "said": [incident.status, incident.reason, incident.superseded_by, incident.artifact],
        "news": [[*home, news] for home, news in incident.said.items()],
        "word": None if incident.word is None else list(incident.word),
        "missed": [[*home, number] for home, number in incident.missed.items()],
        "adopted": sorted(map(list, incident.adopted)),
        "versions": incident.versions,
    }


def _incident(plain: Mapping[str, Any]) -> Incident:
    begun, since, firm, revision, ended = plain["numbers"]
    missed = {Home(*home): number for *home, number in plain["missed"]}
    of_each = {Home(*home): number for *home, number in plain["firm"]} if "firm" in plain else dict.fromkeys(missed, firm)
    status, reason, superseded_by, artifact = plain["said"]
    return Incident(
        id=plain["id"],
        finding=_finding(plain["finding"]),
        onset=Onset(*plain["onset"]),
        begun=begun,
        since=since,
        status=status,
        reason=reason,
        superseded_by=superseded_by,
        ended=ended,
        firm=of_each,  # one number in former releases
        missed=missed,
        adopted={Home(*home) for home in plain["adopted"]},
        versions=list(plain["versions"]),
        revision=revision,
        said={Home(*home): news for *home, news in plain["news"]},
        artifact=artifact,
        word=Word(*plain["word"]) if plain.get("word") else None,
    )


def _finding(plain: Mapping[str, Any]) -> Finding:
    map_ = plain["map"]
    listed = {
        "features": tuple(plain["features"]),
        "alternatives": tuple(plain["alternatives"]),
        "evidence": [Piece(*one) for one in plain["evidence"]],
        "map": None if map_ is None else Map(*map_),
    }
    return Finding(**{**plain, **listed})
