"""A request on the topic to its reply, and to the prediction as it was served: pure functions of the request and the models."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ...schemas.cloud_events import Headers
from ...schemas.configuration import Configuration
from ..bus.interface import Output
from ..bus.sizes import MOST_BYTES, bytes_of
from ..decode.marked import HEADER
from ..process.last_net import of_a_record, told
from .models import Loaded, Models, Said
from .reading import Refused

#: Characters of an id.
LONGEST_ID = 500
#: Those of it that an error has.
_SHOWN = 60


class Answer(NamedTuple):
    """What is written for a request, and why it could not be answered."""

    outputs: list[Output]
    refused: str | None = None


class Row(NamedTuple):
    """One that is to be predicted."""

    id: str
    features: Mapping[str, object]


def answered(configuration: Configuration, models: Models, value: bytes | None, headers: Headers, timestamp: int) -> Answer:
    """The reply to a request, and its prediction. Who cannot be answered is told why, if his request has an id; what nobody foresaw, and
    what no topic would take, is no reason to answer nobody else.
    """
    marks, id_ = tuple((name, content) for name, content in headers or () if name.lower() == HEADER), None
    try:
        request = _request(value)
        id_ = _text(request, "id")
        outputs = fitting(_outputs(configuration, models.now, id_, request, timestamp, marks), models.most_bytes)
    except Refused as error:
        refused = str(error)
    except Exception as error:
        if not of_a_record(error):
            raise
        refused = told(error)
    else:
        return Answer(outputs)
    if id_ is None:
        return Answer([], refused)
    reply = _reply(configuration, id_, {"id": id_, "error": refused}, marks)
    return Answer([reply if _size(reply) <= models.most_bytes else reply._replace(headers=())], refused)


def _outputs(
    configuration: Configuration, models: Mapping[str, Loaded], id_: str, request: Mapping[str, object], timestamp: int, marks: Headers
) -> list[Output]:
    """Of a request that can be answered. Raises `Refused`."""
    model, features = model_of(models, _text(request, "model")), request.get("features")
    if not isinstance(features, dict):
        msg = "features: an object of names and values is needed"
        raise Refused(msg)
    said = model.answers([features])
    reply = {"id": id_, "model": model.name, "version": model.version, "artifact": artifact(model), **said[0]._asdict()}
    return [
        _reply(configuration, id_, reply, marks),
        *predictions(configuration, model, [Row(id_, features)], said, timestamp, marks),
    ]


def predictions(
    configuration: Configuration, model: Loaded, rows: Sequence[Row], said: Sequence[Said], timestamp: int, marks: Headers
) -> list[Output]:
    """As they were served: in the canonical form (`driftbus.schemas.messages.prediction`), of a stream that can be watched. With all that
    its reference watches: else nobody could ever learn from what was not there yet when the first model was published.
    """
    outputs, watched = [], sorted(model.reading.known - model.features.keys())
    for row, one in zip(rows, said, strict=True):
        known = {name: row.features.get(name) for name in model.features} if model.features else _plain(row.features)
        known |= {name: row.features[name] for name in watched if name in row.features}
        served = {"model": model.name, "version": model.version, "id": row.id, "features": known, **one._asdict()}
        content = msgspec.json.encode(served)
        outputs.append(Output(configuration.topics.served, None, row.id.encode(), content, marks, timestamp))
    return outputs


def fitting(outputs: list[Output], most: int) -> list[Output]:
    """The same, if a topic takes each. Raises `Refused`: one that is too large would be no record, and with it the others would be none."""
    for one in outputs:
        if (size := _size(one)) > most:
            whose = repr((one.key or b"").decode()[:_SHOWN])
            limit = f"a record of {one.topic} at most {most:,}, by its {MOST_BYTES}"
            msg = f"features: what is said of {whose} has up to {size:,} bytes, and {limit}"
            raise Refused(msg)
    return outputs


def _size(output: Output) -> int:
    return bytes_of(output.key, output.value, output.headers)


def model_of(models: Mapping[str, Loaded], name: str) -> Loaded:
    """Who answers. Raises `Refused`."""
    if name not in models:
        msg = f"model: {name[:LONGEST_ID]!r} has no learner; there are {', '.join(sorted(models))}"
        raise Refused(msg)
    return models[name]


def artifact(model: Loaded) -> str | None:
    """The hash of what answers; None: it has learnt nothing yet."""
    return None if model.event is None else model.event.artifact


def _plain(features: Mapping[str, object]) -> dict[str, object]:
    """What could be a feature: of a model that knows none yet."""
    return {name: value for name, value in features.items() if value is None or isinstance(value, bool | int | float | str)}


def _request(value: bytes | None) -> dict[str, Any]:  # JSON
    try:
        request = msgspec.json.decode(value or b"")
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        msg = f"no JSON: {error}"
        raise Refused(msg) from None
    if not isinstance(request, dict):
        msg = f"a request is an object, and this is a {type(request).__name__}"
        raise Refused(msg)
    return request


def _text(request: Mapping[str, object], name: str) -> str:
    text = request.get(name)
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_ID:
        msg = f"{name}: a text of at most {LONGEST_ID} characters is needed, and it is {'missing' if text is None else repr(text)[:60]}"
        raise Refused(msg)
    return text


def _reply(configuration: Configuration, id_: str, reply: Mapping[str, object], marks: Headers) -> Output:
    return Output(configuration.topics.replies, None, id_.encode(), msgspec.json.encode(reply), marks)
