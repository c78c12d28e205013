"""Loads ``driftbus.yaml``: secrets from the environment, and every mistake named by its full path."""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ...schemas.configuration import Configuration
from ..decode.personal import unusable_keys
from .environment import Expanded, Location, Step, expanded

DEFAULT_FILE = "driftbus.yaml"
#: Of a job's environment: its launcher's configuration, and the folder that relative places in it are of.
FILE, FOLDER = "DRIFTBUS_CONFIG", "DRIFTBUS_FOLDER"
#: librdkafka's settings that hold, or may hold, a secret.
_SECRET = re.compile(r"password|secret|token|^sasl\.(?!mechanism)|^ssl\.(key|certificate\.pem|keystore)")


class ConfigurationError(Exception):
    """What is wrong with a configuration, one line for each mistake."""


class KafkaSettings(dict[str, str | int | float | bool]):
    """librdkafka's settings; secrets are not shown when printed.

    >>> KafkaSettings({"bootstrap.servers": "kafka:9092", "sasl.password": "hunter2"})
    {'bootstrap.servers': 'kafka:9092', 'sasl.password': '***'}
    """

    def __repr__(self) -> str:
        return repr({key: "***" if _SECRET.search(key) else value for key, value in self.items()})


def load(path: Path | str = DEFAULT_FILE, environment: Mapping[str, str] = os.environ) -> Configuration:
    """The configuration in a file. Raises `ConfigurationError` that lists every mistake."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        msg = f'{path}: no such file; name another with --config FILE, or write one (README, "Your own topic")'
        raise ConfigurationError(msg) from None
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read: {error}"
        raise ConfigurationError(msg) from None
    try:
        return _placed(parsed(text, environment), environment).read_from(str(file.absolute()))
    except ConfigurationError as error:
        raise ConfigurationError("\n".join(f"{path}: {line}" for line in str(error).split("\n"))) from None


def _placed(configuration: Configuration, environment: Mapping[str, str]) -> Configuration:
    """In a job, which runs in a folder of its own: with the places that its launcher means."""
    folder = environment.get(FOLDER)
    if folder is None:
        return configuration
    places = {"artifacts": configuration.artifacts, "embedded": configuration.embedded}
    own = {key: str(Path(folder) / place) for key, place in places.items() if ":" not in place}  # neither an address nor :memory:
    return configuration.model_copy(update=own)


def parsed(text: str, environment: Mapping[str, str] = os.environ) -> Configuration:
    """The configuration that a YAML text describes. Raises `ConfigurationError` that lists every mistake."""
    try:
        document = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        msg = f"{place}{error.problem}"
        raise ConfigurationError(msg) from None
    if not isinstance(document, dict):
        msg = "is empty" if document is None else f"is a {type(document).__name__}, not keys with values"
        msg += '; it needs at least application and streams (README, "Your own topic")'
        raise ConfigurationError(msg)
    read = expanded(document, environment)
    if read.unset:
        raise _refusal(read.unset)
    try:
        configuration = Configuration.model_validate(read.content)
    except ValidationError as error:
        raise _refusal(_told(error.errors(include_url=False), read)) from None
    try:
        _check_detectors(configuration)
    except ConfigurationError as error:
        raise ConfigurationError(read.masked(str(error))) from None
    if wrong := [*unusable_keys(configuration, environment), *_written_secrets(configuration, read)]:
        raise _refusal(wrong)
    return configuration.model_copy(update={"kafka": KafkaSettings(configuration.kafka)})


def _refusal(mistakes: Iterable[str]) -> ConfigurationError:
    """A line for each, whatever stands in its keys."""
    return ConfigurationError("\n".join(mistake.replace("\n", "\\n") for mistake in mistakes))


def _written_secrets(configuration: Configuration, read: Expanded) -> Iterator[str]:
    """Secrets that stand in the file itself, which is read by more than those who may know them."""
    hidden: dict[tuple[str, ...], str | None] = {}
    for name, launcher in configuration.launchers.items():
        if (webhook := launcher.webhook) is not None:
            at = ("launchers", name, "webhook")
            hidden |= {(*at, "secret"): webhook.secret, (*at, "former_secret"): webhook.former_secret, **_tokens(at, webhook.headers)}
    for name, alert in configuration.alerts.items():
        if alert.alertmanager is not None:
            hidden |= _tokens(("alerts", name, "alertmanager"), alert.alertmanager.headers)
    for name, registry in configuration.registries.items():
        hidden |= _tokens(("registries", name, "mlflow"), registry.mlflow.headers)
    for key, value in hidden.items():
        if value is not None and key not in read.written and (key[0] == "alerts" or not value.startswith("file:")):
            path = "" if key[0] == "alerts" else ", or file:PATH"
            yield f"{'.'.join(key)}: is a secret, and stands in the file; write ${{NAME}}, of the environment{path}"


def _tokens(at: tuple[str, ...], headers: Mapping[str, str]) -> dict[tuple[str, ...], str | None]:
    return {(*at, "headers", header): value for header, value in headers.items() if header.lower() == "authorization"}


def _check_detectors(configuration: Configuration) -> None:
    """What is written of detectors by name, which only they can judge; those who ask for none need not wait for their import."""
    if any(settings.detectors for model in configuration.models.values() for settings in model.features.values()):
        from ...detectors.named.choice import mistakes_of
        from .plugins import UnusablePlugin, found_for

        try:
            wrong = [f"{path}: {reason}" for path, reason in mistakes_of(found_for(configuration.models.values()), configuration.models)]
        except UnusablePlugin as error:
            wrong = [str(error)]
        if wrong:
            raise _refusal(wrong)


class _Loader(yaml.SafeLoader):
    """YAML in which keys and times are text as written, and no key may stand twice."""

    #: Without times: ``start: 2026-01-01`` is the text that it looks like.
    yaml_implicit_resolvers = {
        letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # keys of any YAML type by yaml's contract
        """Keys stay text, so that a feature may be called ``on`` or ``1``."""
        self.flatten_mapping(node)
        found: dict[Any, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a word", problem_mark=key.start_mark)
            if key.value in found:
                raise yaml.MarkedYAMLError(problem=f"{key.value}: stands here a second time", problem_mark=key.start_mark)
            found[key.value] = self.construct_object(value, deep=True)
        return found


def _told(errors: Sequence[ErrorDetails], read: Expanded) -> Iterator[str]:
    """One line per mistake, in the words and the paths of the file."""
    for location, error in _of_one_branch(errors, read.content):
        path = ".".join(map(str, location))
        reason = _reason(error, location, read)
        yield f"{path}: {reason}" if path else reason


def _reason(error: ErrorDetails, location: Location, read: Expanded) -> str:
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(location[-1]), known := _keys_at(location[:-1]), n=1)
        return f"unknown key; did you mean {near[0]}?" if near else f"unknown key; known here: {', '.join(known)}"
    if error["type"] == "missing":
        return "is missing"
    written = read.written.get(location)
    if error["type"] == "value_error":
        reason = str(error["ctx"]["error"])
        if written is None:
            return read.masked(reason)
        _, semicolon, remedy = reason.rpartition("; ")  # in front of it stands the value, as it is or in parts
        return f"{written!r}: what the environment has for it does not do here{semicolon}{read.masked(remedy) if semicolon else ''}"
    message = error["msg"][:1].lower() + error["msg"][1:]
    if location[:1] == ("kafka",) or not isinstance(error["input"], str | int | float | bool | None):
        return message
    return f"{error['input'] if written is None else written!r}: {message}"


def _of_one_branch(errors: Sequence[ErrorDetails], document: object) -> Iterator[tuple[Location, ErrorDetails]]:
    """Where a value may take one of several forms, pydantic tells what each of them lacks: keep the nearest form's mistakes."""
    forms: dict[Location, dict[Step, list[tuple[Location, ErrorDetails]]]] = {}
    for error in errors:
        location, fork, form = _in_document(error, document)
        forms.setdefault(fork, {}).setdefault(form, []).append((location, error))
    for choices in forms.values():
        yield from min(choices.values(), key=lambda mistakes: (-max(len(location) for location, _ in mistakes), len(mistakes)))


def _in_document(error: ErrorDetails, document: object) -> tuple[Location, Location, Step]:
    """The path of a mistake in the file; where pydantic's own path forks; and into which form (empty: it does not)."""
    path: Location = ()
    fork: Location | None = None
    form: Step = ""
    here = document
    for step in error["loc"][:-1] if error["type"] == "missing" else error["loc"]:
        try:
            here = here[step]  # type: ignore[index]  # of any type: what has no such step is a fork
        except (IndexError, KeyError, TypeError):
            fork, form = (path, step) if fork is None else (fork, form)
        else:
            path = (*path, step)
    path = (*path, error["loc"][-1]) if error["type"] == "missing" else path
    return path, path if fork is None else fork, form


def _keys_at(location: Location) -> list[str]:
    """The keys that may stand at a place, of all forms that its value may take."""
    schema = Configuration.model_json_schema()
    reached = [schema]
    for step in location:
        reached = [child for node in reached for child in _children(node, step, schema["$defs"])]
    return sorted({key for node in reached for form in _forms(node, schema["$defs"]) for key in form.get("properties", {})})


def _forms(node: dict[str, Any], definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:  # JSON Schema: any JSON
    if "$ref" in node:
        yield from _forms(definitions[node["$ref"].rpartition("/")[2]], definitions)
    for choice in node.get("anyOf", []):
        yield from _forms(choice, definitions)
    yield node


def _children(node: dict[str, Any], step: Step, definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:  # JSON Schema: any JSON
    for form in _forms(node, definitions):
        child = form.get("items") if isinstance(step, int) else form.get("properties", {}).get(step, form.get("additionalProperties"))
        if isinstance(child, dict):
            yield child
