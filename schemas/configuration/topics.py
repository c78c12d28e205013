"""``topics:`` of the configuration: driftbus's own."""

from pydantic import Field

from ..fact import Setting


class KafkaTopics(Setting):
    """The topics of our own: names, and what `driftbus topics create` gives them."""

    prefix: str | None = Field(None, pattern=r"^[A-Za-z0-9._-]+$", description="of all their names; null: the application's name")
    partitions: int = Field(8, ge=1, le=1000, description="of summaries, snapshots and drift; fixed at creation")
    replication: int = Field(1, ge=1, le=10)

    def named(self, topic: str) -> str:
        """One of them, by its name without the prefix."""
        return f"{self.prefix}.{topic}"

    @property
    def summaries(self) -> str:
        """Panes and progress."""
        return f"{self.prefix}.summaries"

    @property
    def joins(self) -> str:
        """Predictions and labels that wait for each other."""
        return f"{self.prefix}.joins"

    @property
    def examples(self) -> str:
        """Predictions with all their features, and their first labels."""
        return f"{self.prefix}.examples"

    @property
    def learned(self) -> str:
        """What learners came to (compacted)."""
        return f"{self.prefix}.learned"

    @property
    def requests(self) -> str:
        """Rows that a learner's model is to predict."""
        return f"{self.prefix}.requests"

    @property
    def replies(self) -> str:
        """What it said to whoever asked."""
        return f"{self.prefix}.replies"

    @property
    def served(self) -> str:
        """The same as predictions, in the canonical form: a stream that can be watched."""
        return f"{self.prefix}.served"

    @property
    def performance(self) -> str:
        """What became of predictions, a record for every interval (compacted)."""
        return f"{self.prefix}.performance"

    @property
    def snapshots(self) -> str:
        """What detectors remember (compacted)."""
        return f"{self.prefix}.snapshots"

    @property
    def drift(self) -> str:
        """Drift events and notices."""
        return f"{self.prefix}.drift"

    @property
    def models(self) -> str:
        """Reference announcements (compacted)."""
        return f"{self.prefix}.models"

    @property
    def golden(self) -> str:
        """Golden evaluations: asked for, begun, answered, judged (compacted)."""
        return f"{self.prefix}.golden"

    @property
    def ood(self) -> str:
        """Samples of queries unlike the training data."""
        return f"{self.prefix}.ood"

    @property
    def embeddings(self) -> str:
        """The messages of the stream that has an embedder, each with the vector of its text."""
        return f"{self.prefix}.embeddings"

    @property
    def reviews(self) -> str:
        """Predictions that people are asked about, and what they answer."""
        return f"{self.prefix}.reviews"

    @property
    def feedback(self) -> str:
        """What people say of causes."""
        return f"{self.prefix}.feedback"

    @property
    def root_causes(self) -> str:
        """What is behind what drifts."""
        return f"{self.prefix}.root-causes"

    @property
    def actions(self) -> str:
        """The ledger: what decisions to retrain look at."""
        return f"{self.prefix}.actions"

    @property
    def retrain(self) -> str:
        """Requests to retrain, and what becomes of them."""
        return f"{self.prefix}.retrain"

    @property
    def alerts(self) -> str:
        """What has been told to whom."""
        return f"{self.prefix}.alerts"

    @property
    def dead_letter(self) -> str:
        """What could not be counted."""
        return f"{self.prefix}.dead-letter"
