"""The reference of a version that a job made: features as in the rows that it was trained on, outputs as the new model answers.

What the old version answered on those rows says nothing of the new one. So outputs come from rows that were held out, which the job let its
model answer (`answers.parquet`); without them they are not watched.
"""

from pathlib import Path

from ....detectors.counting.layout import layout
from ....schemas.configuration import Configuration
from ....schemas.stored.reference import Reference
from ....schemas.text import REMARK, fitted
from ..artifacts import ArtifactStore
from ..embedding import embedded_by
from ..familiar import FOLDER
from ..outputs import FEWEST, by_hand, come_by_themselves
from .accepted import spliced
from .build import FEWEST_ROWS, build_reference
from .embedded import with_vectors
from .job_rows import ANSWERS, JobData, job_answers, job_rows

#: Settings of a reference of outputs alone.
OF_OUTPUTS = {"ood": None, "segments": None, "season": None, "trailing": None, "pairs": None, "volume": False}


def reference_of_job(configuration: Configuration, model: str, version: str, data: JobData, store: ArtifactStore) -> Reference:
    """The reference of a version from its job's folder; its indexes go to the ``store``."""
    settings, name = configuration.model(model), configuration.stream_of(model)
    rows = settings.model_copy(update={"volume": False})  # labelled ones, without those of faults: no measure of traffic
    with job_rows(data, settings.zone) as source, with_vectors(source, configuration, name) as embedded:
        keep, pane = store.beside(FOLDER).put, configuration.streams[name].pane
        made = embedded_by(configuration, build_reference(embedded, model, version, rows, pane, keep))
    outputs = _outputs(configuration, model, version, data.answers)
    if isinstance(outputs, str):
        return made.model_copy(update={"warnings": (*made.warnings, fitted(outputs, REMARK))})
    return with_outputs(made, outputs)


def _outputs(configuration: Configuration, model: str, version: str, answers: Path | None) -> Reference | str:
    """The profile of what it answered; or why there is none."""
    if answers is None:
        why = f"the job left no {ANSWERS}, the new model's answers to rows that were held out"
        by_itself = f"when it has answered {FEWEST:,} they are"
        then = by_itself if come_by_themselves(configuration, model) else by_hand(configuration, model, version)
        return f"prediction and score are not watched: {why}; {then}"
    settings = configuration.model(model)
    if settings.season is not None:
        return f"prediction and score are not watched: {ANSWERS} says nothing of each hour, and models.{model}.season compares hours"
    with job_answers(answers, settings.zone) as source:
        if source.rows < FEWEST_ROWS:
            return f"prediction and score are not watched: {answers} has {source.rows:,} rows, {FEWEST_ROWS} are needed"
        return build_reference(source, model, version, settings.model_copy(update=OF_OUTPUTS))


def with_outputs(made: Reference, outputs: Reference) -> Reference:
    """With the fields of outputs; of these nothing is known in segments."""
    merged = made.model_copy(update={"fields": (*made.fields, *outputs.fields), "warnings": (*made.warnings, *outputs.warnings)})
    places = layout(made), layout(made), layout(merged)
    segments = [one.model_copy(update={"counts": tuple(spliced(one, None, places, ()).tolist())}) for one in made.segments]
    return merged.model_copy(update={"segments": tuple(segments)})
