"""What is known of how alike the training data a version's queries are: its tests, and what those unlike it are about."""

from collections.abc import Sequence

from ...detectors.familiarity import FamiliaritySettings, FamiliaritySuite
from ...detectors.neighbours.about import about
from ...schemas.configuration import Configuration
from ...schemas.messages.drift import ToldQueries, Topic
from ...schemas.stored.reference import TextProfile
from ..reference.artifacts import ArtifactStore
from ..reference.familiar import Content, Familiar
from .keys import StateKey
from .settings import configuration_hash

#: Of a text that stands for a topic, so many characters are shown; and so many topics.
_MOST_SHOWN, _MOST_TOPICS = 100, 10


class Familiarities:
    """By model version. Indexes are read when an episode is told of, and only where texts may be shown."""

    def __init__(self, configuration: Configuration, store: ArtifactStore) -> None:
        self._configuration, self._store, self._familiar = configuration, store, Familiar(store)

    def __call__(self, key: StateKey) -> FamiliaritySuite:
        """Its tests, compiled."""
        reference = self._store.reference(key.reference)
        return FamiliaritySuite(
            reference,
            FamiliaritySettings.of(reference, self._configuration.model(key.model)),
            application=self._configuration.application,
            stream=key.stream,
            configuration_hash=configuration_hash(self._configuration),
            reference_hash=key.reference,
        )

    def about(self, key: StateKey, signal: str, texts: Sequence[str], expected: float) -> ToldQueries | None:
        """What texts flagged in a signal are about; of them a part is ``expected`` of known queries."""
        reference = self._store.reference(key.reference)
        subject = next((one for one in self._familiar.subjects(reference) if one.profile.signal == signal), None)
        if subject is None or subject.profile.kind != "text":
            return None
        queries = subject.queries([Content(text, None) for text in texts])
        profile = next((field.values for field in reference.fields if field.name == subject.profile.of), None)
        found = about(texts, queries.vectors[queries.firsts[:-1]], profile if isinstance(profile, TextProfile) else None)
        return ToldQueries(
            of=subject.profile.of,
            texts=found.texts,
            distinct=found.distinct,
            expected=round(expected, 3),
            topics=tuple(
                Topic(
                    share=round(group.share, 3),
                    texts=group.texts,
                    words=group.words,
                    examples=tuple(texts[place][:_MOST_SHOWN] for place in group.examples),
                )
                for group in found.groups[:_MOST_TOPICS]
            ),
            diffuse=round(found.diffuse, 3),
            words=found.words,
        )
