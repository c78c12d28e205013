"""Which incidents hold a model's learner: those that forbid every job, until they do no more."""

from collections.abc import Iterator, Mapping

from ...detectors.actions.state import Ledger
from ...schemas.messages.example_words import ExampleHold


class Holds:
    """By model, what its learner was told: the onset of each incident that holds it."""

    def __init__(self, told: Mapping[str, Mapping[str, int]]) -> None:
        self._told = {model: dict(own) for model, own in told.items()}

    def said(self, model: str, ledger: Ledger) -> Iterator[ExampleHold]:
        """What is news to it: an incident, an onset that is found to be earlier, or that one is over."""
        told, now = self._told.setdefault(model, {}), {name: ledger.incidents[name].said.onset for name in ledger.faults()}
        for name, since in now.items():
            if since < told.get(name, since + 1):
                told[name] = since
                yield ExampleHold(model=model, time=ledger.now, incident=name, since=since)
        for name in sorted(told.keys() - now.keys()):
            del told[name]
            yield ExampleHold(model=model, time=ledger.now, incident=name)

    def plain(self) -> dict[str, dict[str, int]]:
        """As it stands in a snapshot."""
        return self._told
