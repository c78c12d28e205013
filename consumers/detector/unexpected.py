"""Fields that the reference does not know: told once each, so that a change of the messages is seen where it begins."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...schemas.configuration import Configuration, Table
from ...schemas.identity import derived_id
from ...schemas.messages.notice import Notice
from ...schemas.messages.pane import MOST_UNEXPECTED, Pane, Unexpected, commonest
from ...schemas.text import UNKNOWN_FIELD, fitted

#: Model versions of which it is remembered what has been told; of the longest forgotten one it would be told again, under the same ids.
MOST_VERSIONS = 1_000


@dataclass
class UnexpectedFields:
    """What has been told of the model versions of one summaries partition, at most `MOST_UNEXPECTED` names of each."""

    configuration: Configuration
    told: dict[tuple[str, str], list[str]] = field(default_factory=dict)  #: by model and version

    def notices(self, model: str, version: str, end: int, panes: Sequence[Pane]) -> list[Notice]:
        """Of the panes of one bucket, the names that have not been told."""
        found: dict[str, Unexpected] = {}
        for one in (one for pane in panes for one in pane.unexpected):
            found[one.name] = one._replace(rows=one.rows + found[one.name].rows) if one.name in found else one
        if not found:
            return []
        told, settings = self._told((model, version)), self.configuration.model(model)
        ignored = [fitted(name, UNKNOWN_FIELD) for name in settings.reference.ignore] if isinstance(settings.reference, Table) else ()
        names = [one for one in found.values() if one.name not in (*told, *ignored) and not settings.feature(one.name).ignore]
        new = commonest(names)[: MOST_UNEXPECTED - len(told)]
        told += (one.name for one in new)
        sampled = sum(pane.sampled for pane in panes)
        return [self._notice(model, version, panes[0].stream, end, one, sampled) for one in new]

    def _told(self, version: tuple[str, str]) -> list[str]:
        told = self.told[version] = self.told.pop(version, [])  # the last one is the youngest
        if len(self.told) > MOST_VERSIONS:
            del self.told[next(iter(self.told))]
        return told

    def _notice(self, model: str, version: str, stream: str, end: int, one: Unexpected, sampled: int) -> Notice:
        return Notice(
            about="unexpected",
            model=model,
            version=version,
            stream=stream,
            bucket=end,
            text=(
                f"model {model}/{version} gets a field {one.name!r} ({one.kind}) that its reference does not know, in {one.rows} of the "
                f"{sampled} rows looked at; build a reference that has it, or write models.{model}.features.{one.name}: ignore"
            ),
            facts={"field": one.name, "type": one.kind, "rows": one.rows, "sampled": sampled},
            identity=derived_id("unexpected", self.configuration.application, model, version, one.name),
        )

    def plain(self) -> list[list[Any]]:  # texts, and lists of them
        """As it stands in a snapshot."""
        return [[*version, names] for version, names in self.told.items()]

    @classmethod
    def restored(cls, configuration: Configuration, plain: object) -> "UnexpectedFields":
        """What `plain` wrote; an earlier form, whose names could be of two versions, is told again."""
        rows = plain if isinstance(plain, list) else []
        return cls(configuration, {(model, version): list(names) for model, version, names in rows})
