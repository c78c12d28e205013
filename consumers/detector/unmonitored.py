"""Model versions that nothing is known of, since they have no reference: told once each, as long as they are not too many."""

from ...detectors.episodes.step import Bucket
from ...schemas.configuration import Configuration
from ...schemas.identity import derived_id
from ...schemas.messages.notice import Notice
from ...schemas.messages.pane import OTHERS

#: Names of unmonitored model versions that an application tells, shared out among the partitions of the summaries; others are pooled.
MOST_UNMONITORED = 1_000


def unmonitored(
    configuration: Configuration,
    told: set[tuple[str, ...]],
    whose: tuple[str, str, str],
    bucket: Bucket,
    remedy: str,
    pooled_before: int,
) -> Notice | None:
    """What is said of a stream's model and version; beyond `MOST_UNMONITORED` names, once for all others. None: it has been ``told``.

    ``pooled_before``: how many the profiler had pooled already.
    """
    stream, *version = whose
    model, number = version
    most = MOST_UNMONITORED // configuration.topics.partitions
    pooled = number == OTHERS or (tuple(version) not in told and len(told) >= most)
    name = (OTHERS,) if pooled else tuple(version)
    if name in told:
        return None
    told.add(name)
    end = configuration.streams[stream].pane.place(bucket.end)
    rows = f"{bucket.rows:,} rows on stream {stream} in the bucket that ends at {end}"
    return Notice(
        about="unmonitored",
        model=OTHERS if pooled else model,
        version="-" if pooled else number,
        stream=stream,
        bucket=bucket.end,
        text=f"further model versions that are not monitored are no longer named ({max(pooled_before, 1):,} of them with {rows}); "
        "if there should not be so many, see whether the mapping takes something else for the model or its version"
        if pooled
        else f"model {model}/{number} is not monitored: {rows}; {remedy}",
        facts={"rows": bucket.rows, "versions": max(pooled_before, 1)} if pooled else {"rows": bucket.rows},
        identity=derived_id("unmonitored", configuration.application, *name),
    )
