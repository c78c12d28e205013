"""The reader of what reviewers answer, where labels come too: which cases are answered, for the joiner. A fold, of the profiler's role.

An answer is no label of its stream: no label waits for it, and in no sum is it counted. The joiner says what the labels say of its case,
and who folds the reviews sets that beside what the reviewers said. So the reviews hold nobody up, whatever the stream's clock: they are cut
as live ones are, and their blocks are nothing that a step awaits.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from ...schemas.configuration import Configuration
from ...schemas.messages.block import Block, Whose
from ...schemas.messages.example_words import ExampleAnswer
from ...schemas.messages.progress import InputPartition, Progress
from ...schemas.messages.review import ReviewAnswer
from ...schemas.outcome import halves_of, id_halves, id_text
from ..bus import own
from ..bus.interface import Output
from ..decode.outcomes import NoOutcome, Outcomes
from ..decode.personal import label_key
from ..process.consumer import Making
from ..reference import examples
from ..reference.reviews import read
from ..streams.buckets import Buckets
from ..streams.cut import Cut, Item, WrongClock
from ..streams.records import Records
from .joins import published
from .reader import StreamReader
from .runs import NOTHING_ASIDE, ClosedRun


def answer_readers(making: Making) -> list[StreamReader]:
    """One, where people are asked about a model that has labels."""
    configuration = making.configuration
    side = _AnswerSide(configuration)
    if not side.labels:
        return []
    topic = configuration.topics.reviews
    stream = configuration.read_as(next(iter(side.labels.values())))
    stream = stream.model_copy(update={"topics": (topic,), "clock": "live", "where": None})
    return [StreamReader(making.bus, configuration, topic, stream, side, making.wall)]


class _AnswerSide:
    """What is made of answers."""

    counted = ()
    key = "topics"

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        #: The labels of the models that people are asked about.
        self.labels = {
            name: model.labels for name, model in configuration.models.items() if model.review is not None and model.labels is not None
        }
        self._keys = {name: label_key(configuration, labels) for name, labels in self.labels.items()}

    def keep_up(self) -> None:
        """Nothing is announced of answers."""

    def retired(self) -> dict[str, int]:
        """That is told by those who read predictions."""
        return {}

    def tally(self, place: InputPartition, tiling: Buckets) -> "AnswerTally":
        return AnswerTally(self._configuration, place, self.labels, self._keys)

    def outputs(self, run: ClosedRun) -> Iterable[Output]:
        return [*published(self._configuration, run.blocks), *run.outputs]

    def progress(self, progress: Progress, closed: Sequence[ClosedRun]) -> Iterable[Output]:
        """Nobody waits for answers."""
        return ()


class AnswerTally:
    """Gathers the answered cases of one partition. What cannot be read is told by those who fold it."""

    def __init__(self, configuration: Configuration, place: InputPartition, labels: Mapping[str, str], keys: Mapping[str, bytes]) -> None:
        self._configuration, self._place, self._labels, self._keys = configuration, place, labels, keys
        self._blocks: list[Block] = []  # of the run that is open
        self._words: list[Output] = []  # of the same: what learners are told
        learning = {name: own for name, own in labels.items() if configuration.models[name].learner is not None}
        self._outcomes = {name: Outcomes(configuration.labels[own]) for name, own in learning.items()}

    def add(self, records: Records, items: Sequence[Item], aside: Mapping[int, str] = NOTHING_ASIDE) -> list[ClosedRun]:
        """Take what `cut` said of these records; a time decides nothing of an answer, a wrong one neither."""
        closed: list[ClosedRun] = []
        keys, headers = (records.keys(), records.headers()) if items and len(records) else ([], [])
        for item in items:
            if isinstance(item, Cut):
                closed.append(ClosedRun(item, [], 0, blocks=self._blocks, outputs=self._words))
                self._blocks, self._words = [], []
                continue
            start, stop = (item.index, item.index + 1) if isinstance(item, WrongClock) else (item.start, item.stop)
            for row in range(start, stop):
                offset = int(records.offsets[row])
                with suppress(own.Foreign, own.Unreadable):
                    said = read(self._configuration.application, keys[row], records.values[row], headers[row])
                    if offset not in aside and isinstance(said, ReviewAnswer):
                        self._take(offset, said, int(records.timestamps[row]))
        return closed

    def _take(self, offset: int, answer: ReviewAnswer, written: int) -> None:
        labels = self._labels.get(answer.model)
        if labels is None or (halves := self._halves(answer)) is None:
            return
        self._tell(offset, answer, written, id_text(*halves[0].tolist()))
        zero, case = np.zeros(1, dtype=np.int64), np.frombuffer(bytes.fromhex(answer.case), dtype=">i8").astype(np.int64)
        self._blocks.append(
            Block(
                join=labels,
                stream=self._configuration.topics.reviews,
                side="reviews",
                topic=self._place.topic,
                topic_id=self._place.topic_id,
                partition=self._place.partition,
                first=offset,
                last=offset,
                bucket=answer.slot,
                start=answer.slot,
                whose=(Whose(answer.model, answer.version),),
                ids=halves.astype("<u8").tobytes(),
                of=zero,
                waters=zero,
                offsets=zero,
                values=case[:1],
                revisions=case[1:],
                number=int(halves[0, 1] % np.uint64(self._configuration.topics.partitions)),
            )
        )

    def _tell(self, offset: int, answer: ReviewAnswer, written: int, example: str) -> None:
        """A learner, if the model has one, what the label should be; a word that is none is told by those who fold the reviews.

        Of when: the page's clock, which is the same in a replay; but not later than the log has it.
        """
        outcomes, place = self._outcomes.get(answer.model), self._place
        if outcomes is None or answer.label is None:
            return
        with suppress(NoOutcome):
            time, label = min(written, answer.answered), outcomes.of(answer.label)
            of = {"topic_id": place.topic_id, "partition": place.partition, "offset": offset}
            word = ExampleAnswer(model=answer.model, time=time, example=example, label=label, **of)
            self._words.append(examples.output(self._configuration, word))

    def _halves(self, answer: ReviewAnswer) -> NDArray[np.uint64] | None:
        """Of the id of its prediction; None: it has none."""
        if answer.prediction_hash is not None:
            return halves_of(answer.prediction_hash)
        return id_halves([answer.prediction_id], self._keys[answer.model]) if answer.prediction_id else None
