"""An episode in words and numbers: what changed, from what to what, where, and what to do about it."""

import json
import math
import shlex
from collections.abc import Iterator

from ...schemas.messages.drift import DriftedSignal, Effect, Statistics, ToldOutliers, ToldQueries
from ...schemas.messages.pane import OOD
from ..replay.event_line import length_of, place, short_id, whose
from ..replay.picture import label
from .episodes import ToldEpisode
from .histograms import side_by_side

_MOST_WORDS = 10


def described(episode: ToldEpisode) -> Iterator[str]:
    """All that the events tell, a line at a time."""
    first, last = episode.first, episode.last
    yield f"episode {episode.id}"
    yield f"  {last.model}/{last.version}, stream {last.stream}; {last.kind}, {last.severity}" + (f", {last.scope}" if last.scope else "")
    resolved = "" if episode.is_open else f"; {last.reason or 'recovered'} at {place(last.bucket[1])}, after {length_of(last)}"
    yield f"  since {place(first.onset)}; opened at {place(first.bucket[1])} by {first.detector}{resolved or '; open'}"
    doubts = [
        *([] if last.complete else ["rows of the last bucket came too late for it (complete: false)"]),
        *(["the wall clock closed the last bucket (clock_decided)"] if last.clock_decided else []),
    ]
    yield f"  {len(episode.events)} events; false alarms budgeted: {last.budget}" + "".join(f"; {doubt}" for doubt in doubts)
    for signal in last.signals:
        yield ""
        yield from _signal(signal)
    yield ""
    if last.queries is not None:
        yield from _asked(last.queries)
    if last.outliers is not None:
        yield from _fault(last.outliers)
    for further in last.further:
        sizes = ", ".join(f"{name} {size:.3g}" for name, size in further.effect.items())
        yield f"{label(further)} [{further.role}]: {further.change} ({sizes}){'' if further.open else ' (has returned)'}"
    if last.more_signals:
        yield f"and {last.more_signals:,} more signals"
    for used in last.panes:
        yield f"counted from {used.topic}[{used.partition}], offsets {used.offsets[0]:,} to {used.offsets[1]:,}"
    if last.more_panes:
        yield f"and from {last.more_panes:,} more partitions"
    yield from remedies(episode)


def _signal(signal: DriftedSignal) -> Iterator[str]:
    here = "" if signal.open else " (has returned)"
    only_in = f", only in {', '.join(signal.only_in)}" if signal.only_in else ""
    evidence = signal.log_evidence / math.log(10)
    yield f"{label(signal)} [{signal.role}]: {signal.change}{only_in}{here}"
    alarmed = ", ".join(alarm.detector for alarm in signal.alarms) or "-"
    yield f"  {signal.share:.0%} of the evidence; odds against chance 10^{evidence:.1f}; by {alarmed}"
    numbers = [] if signal.of == OOD else _numbers(signal.was, signal.now)  # the share that is flagged has been told
    for line in [*_effects(signal.effect), *numbers, *side_by_side(signal.reference, signal.current)]:
        yield f"  {line}"


def _asked(told: ToldQueries) -> Iterator[str]:
    explained = f"known queries explain {told.expected:.0%}"
    yield f"what is asked: {told.texts:,} flagged texts of {told.of}, {told.distinct:,} of them distinct; {explained}"
    for topic in told.topics:
        examples = "".join(f' | "{example}"' for example in topic.examples)
        yield f"  {topic.share:>4.0%} {', '.join(topic.words)}{examples}"
    words = f"; of all: {', '.join(told.words)}" if told.words else ""
    yield f"  {told.diffuse:>4.0%} like no others{words}"


def _fault(told: ToldOutliers) -> Iterator[str]:
    said = {"novelty": "new rows, no field's fault", "unknown": "too few outliers to say"}
    yield f"whose fault: {said.get(told.fault) or f'of {whose(told)}'}"
    yield f"  outliers (p <= .01): {told.share[0]:.1%} -> {told.share[1]:.1%} of rows; {told.masked:,} looked at without each field"
    for what, shares in (("", told.fields), ("source ", told.by_source)):
        for name, share in shares.items():
            yield f"  {max(share, 0):>4.0%} familiar without {what}{name}"


def _effects(effect: Effect) -> Iterator[str]:
    told = [
        *([f"flagged {effect.flagged[0]:.1%} -> {effect.flagged[1]:.1%}"] if effect.flagged else []),
        *([f"KS {effect.ks:.3g}"] if effect.ks else []),
        *([f"PSI {effect.psi:.3g}"] if effect.psi else []),
        *([f"Wasserstein {effect.wasserstein_sd:.3g} sd"] if effect.wasserstein_sd else []),
        *([f"{effect.unseen:.1%} where the reference has none"] if effect.unseen else []),
        *([f"a word's share by {effect.word_share:.1%}"] if effect.word_share else []),
    ]
    if told:
        yield f"how large: {', '.join(told)}"
    if effect.correlation:
        yield f"correlation {effect.correlation[0]:.2f} -> {effect.correlation[1]:.2f}"
    if effect.new_categories:
        yield f"new: {', '.join(effect.new_categories)}"
    for word in effect.words[:_MOST_WORDS]:
        yield f"in texts: {word.word!r} {word.shares[0]:.1%} -> {word.shares[1]:.1%}"
    if effect.nulls and effect.nulls[0] != effect.nulls[1]:
        yield f"without a valid value: {effect.nulls[0]:.2%} -> {effect.nulls[1]:.2%}"


def _numbers(was: Statistics | None, now: Statistics | None) -> Iterator[str]:
    """A line a number that both sides have."""
    if now is None:
        return
    before = was or Statistics(rows=0)
    pairs = {
        "rows": (before.rows, now.rows),
        "mean": (before.mean, now.mean),
        "sd": (before.sd, now.sd),
        "median": (before.median, now.median),
        "distinct": (before.distinct, now.distinct),
    }
    for name, (then, since) in pairs.items():
        if since is not None and then is not None:
            yield f"{name:<8} {_number(then):>12} -> {_number(since)}"
    if before.quantiles and now.quantiles:
        spans = [f"{_number(one[0])} to {_number(one[-1])}" for one in (before.quantiles, now.quantiles)]
        yield f"1 to 99 %: {' -> '.join(spans)}"


def _number(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:.6g}"


def remedies(episode: ToldEpisode) -> Iterator[str]:
    """What somebody can do who knows this change, each as it is written."""
    if not episode.is_open:
        return
    last = episode.last
    signals = episode.drifted
    yield ""
    silence = any(signal.change.startswith("silent") for signal in signals)
    if not silence:
        yield f"it is the new normal:    driftbus reference accept {short_id(episode.id)}"
    else:
        yield f"it is meant to be still: models: {{{_key(last.model)}: {{silence: never}}}}, or driftbus retire {shlex.quote(last.model)}"
    features = [signal for signal in signals if signal.role == "feature" and signal.of not in ("pair", OOD)]
    for name in dict.fromkeys(signal.name for signal in features):
        yield f"mute a feature:          models: {{{_key(last.model)}: {{features: {{{_key(name)}: ignore}}}}}}"
    if features:
        name = features[0].name
        yield f"only larger changes:     models: {{{_key(last.model)}: {{features: {{{_key(name)}: {{min_effect: 0.5}}}}}}}}"
    if any(signal.of == OOD for signal in signals):
        yield f"how much matters:        models: {{{_key(last.model)}: {{ood: {{important: 0.1}}}}}}"
        if last.queries is None and any(signal.of == OOD and signal.role == "feature" for signal in signals):
            yield f"what is asked:           models: {{{_key(last.model)}: {{ood: {{samples: true}}}}}}, which stores users' texts"
    if any(signal.of in {"pair", "joint distance"} for signal in signals):
        yield f"no pairs:                models: {{{_key(last.model)}: {{pairs: off}}}}"
    if any(signal.of == "volume" for signal in signals) and not silence:
        yield f"no volume:               models: {{{_key(last.model)}: {{volume: false}}}}"


def _key(name: str) -> str:
    """As a key of YAML."""
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() and not name.startswith("-") else json.dumps(name)
