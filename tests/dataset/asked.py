"""Requests for the data of a job, and what a folder holds, as rows."""

from pathlib import Path
from typing import Any

import duckdb

from driftbus.consumers.bus.interface import Bus, TopicPartition
from driftbus.schemas.configuration import Configuration
from driftbus.schemas.messages.retrain import RetrainData, RetrainRequest, Source, Trigger
from driftbus.schemas.stored.dataset import Manifest

JOB = "0b6f21c45d3e4a6f8b7c9d0e1f2a3b4c"
Row = dict[str, Any]  # of Parquet


def sources(bus: Bus, configuration: Configuration, model: str) -> tuple[Source, ...]:
    """All that the topics of a model's data hold now, as the intake writes it down."""
    names = configuration.stream_of(model), *configuration.models[model].joins
    topics = dict.fromkeys(topic for name in names for topic in configuration.read[name].topics)
    found = []
    for topic in bus.describe(list(topics)).values():
        for number in range(topic.partitions):
            offsets = bus.watermarks(TopicPartition(topic.name, number))
            found.append(Source(topic=topic.name, topic_id=topic.id, partition=number, offsets=offsets))
    return tuple(found)


def request(model: str, until: int, **data: Any) -> RetrainRequest:  # fields of its data
    return RetrainRequest(
        job=JOB,
        model=model,
        version="1",
        policy="monthly",
        attempt=1,
        trigger=Trigger(kind="schedule", id="1"),
        requested=until,
        deadline=until + 3_600_000,
        data=RetrainData(until=until, **data),
    )


def rows(folder: Path) -> list[Row]:
    """All of them, in their order."""
    manifest = Manifest.decoded((folder / "manifest.json").read_bytes())
    found: list[Row] = []
    with duckdb.connect(":memory:") as connection:
        for part in manifest.parts:
            read = connection.execute(f"select * from read_parquet('{folder / part.file}')")
            names = [name for name, *_ in read.description or ()]
            found += [dict(zip(names, row, strict=True)) for row in read.fetchall()]
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """Every file, by its name."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
