"""What the documents say is what the code does."""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from pydantic import BaseModel

from driftbus.consumers.command.main import main
from driftbus.consumers.pipeline.documents import consumers_table, permissions
from driftbus.consumers.pipeline.topology import INPUTS, ROLES, TOPOLOGY
from driftbus.consumers.process.settings import ConfigurationError, parsed
from driftbus.schemas import configuration as schema
from driftbus.schemas.configuration import Important, Stream, alerts, golden, launchers, registries
from driftbus.schemas.configuration.examples import ExamplesOf
from driftbus.schemas.configuration.mapping import Mapping
from driftbus.schemas.configuration.segments import Segments
from driftbus.schemas.fact import Setting
from driftbus.schemas.messages.prediction import Prediction

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def tables(text: str) -> Iterator[list[list[str]]]:
    """The cells of every table, its head and its rule left out."""
    for table, lines in itertools.groupby(text.splitlines(), lambda line: line.startswith("|")):
        if table:
            yield [[cell.strip() for cell in line.strip("|").split("|")] for line in list(lines)[2:]]


def test_the_configuration_loads() -> None:
    text, *further = blocks("yaml")
    configuration = parsed(text)
    assert configuration.model("fraud").feature("session_id").ignore
    assert configuration.model("fraud").feature("amount_usd").min_effect == 0.1
    for part in further:  # of models, in place of those
        assert parsed(f"{text.partition('models:')[0]}{part}").models


def test_the_message_fits_the_mapping() -> None:
    text = blocks("yaml")[0]
    message = json.loads(blocks("json")[0])
    mapping = parsed(text).streams["predictions"].mapping
    for place in (mapping.model, mapping.version, mapping.id, mapping.prediction, mapping.score):
        value: Any = message  # any JSON
        assert place is not None
        for step in place.path:
            value = value[step]
        assert value is not None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_is_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    shown = "\n".join([*blocks("sh", text), *re.findall(r"`([^`\n]+)`", text)])
    for line in re.findall(r"^(?:\$ )?driftbus (?!-)([^#\n]*)", shown, re.MULTILINE):
        command: click.Command = main
        words = re.split(r"[,;]", line)[0].split()
        while words:
            if isinstance(command, click.Group) and words[0].islower():
                _, found, words = command.resolve_command(click.Context(command, resilient_parsing=True), words)
                assert found is not None, f"driftbus {line}: there is no such command"
                command = found
                continue
            word = words.pop(0)
            if word.startswith("--"):
                assert any(word in option.opts for option in command.params), f"driftbus {line}: there is no {word}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    named = {(ROOT / "docs" / target).resolve() for target in re.findall(r"\]\(([^)#]+)\)", index)}
    assert set((ROOT / "docs").rglob("*.md")) <= {*named, ROOT / "docs/README.md"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", document.read_text(encoding="utf-8"), re.MULTILINE)) <= set(targets)


def test_the_consumers_are_those_of_the_topology() -> None:
    assert next(table for table in tables(README) if table[0][0] == f"`{ROLES[0]}`") == consumers_table()


def test_the_permissions_are_those_of_the_topology() -> None:
    written = next(tables((ROOT / "docs/acls.md").read_text(encoding="utf-8")))
    assert [row for row in written if row[0] in ROLES] == permissions()


#: Of records that only ever get more fields: who does not know a kind of them leaves it out.
BACKWARDS = {"models", "golden", "reviews", "drift", "snapshots"}


def test_an_upgrade_has_every_role_and_readers_before_writers() -> None:
    told = next(rows for rows in tables((ROOT / "docs/operating.md").read_text(encoding="utf-8")) if rows[0][0] == "1")
    steps = {role: int(step) for step, roles in told for role in re.findall(r"`(\w+)`", roles)}
    assert steps.keys() == set(ROLES)
    written = [(node.role, topic) for node in TOPOLOGY for topic in node.writes if topic not in BACKWARDS]
    late = [
        (reader.role, topic, by) for reader in TOPOLOGY for by, topic in written if topic in reader.reads and steps[reader.role] > steps[by]
    ]
    assert not late


def test_long_files_stand_in_the_table_with_their_one_idea() -> None:
    """Of Python; those of the benchmarks' raw figures and the locked dependencies are data."""
    files = [file for folder in ("schemas", "detectors", "consumers", "tests", "deploy") for file in (ROOT / folder).rglob("*.py")]
    long = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    long = {name: lines for name, lines in long.items() if lines > 300}
    written = {
        row[0].strip("`"): int(row[1]) for row in list(tables((ROOT / "docs/architecture.md").read_text(encoding="utf-8")))[-1] if row[2]
    }
    assert written.keys() == long.keys()
    assert all(long[name] <= most for name, most in written.items())


def documented() -> dict[str, dict[str, str]]:
    """Keys and defaults, by the heading of their table."""
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    sections = re.split(r"^## (.*)$", text, flags=re.MULTILINE)[1:]
    return {
        heading: {key.strip("`"): default.strip("`") for key, default, _ in next(tables(body))}
        for heading, body in zip(sections[::2], sections[1::2], strict=True)
        if any(tables(body))
    }


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("The file", schema.Configuration),
        ("topics", schema.KafkaTopics),
        ("metrics", schema.Metrics),
        ("serving", schema.Serving),
        ("streams.NAME", schema.Stream),
        ("streams.NAME.mapping", Mapping),
        ("streams.NAME.embedder", schema.Embedder),
        ("labels.NAME", schema.Labels),
        ("labels.NAME.mapping", schema.LabelMapping),
        ("labels.NAME.columns", schema.LabelColumns),
        ("features.NAME", schema.FeatureLog),
        ("features.NAME.mapping", schema.FeatureMapping),
        ("features.NAME.columns", schema.FeatureColumns),
        ("sources.NAME", schema.SourceSettings),
        ("models.NAME", schema.Model),
        ("models.NAME.diagnosis", schema.Diagnosis),
        ("models.NAME.personal", schema.Personal),
        ("models.NAME.agreement", schema.Agreement),
        ("models.NAME.outcomes", schema.OutcomesOf),
        ("models.NAME.examples", ExamplesOf),
        ("models.NAME.pairs", schema.PairSettings),
        ("models.NAME.segments", Segments),
        ("models.NAME.learner", schema.LearnerOf),
        ("models.NAME.trailing", schema.Trailing),
        ("models.NAME.review", schema.Review),
        ("models.NAME.golden", schema.Golden),
        ("models.NAME.golden.call.kserve", golden.KServe),
        ("models.NAME.golden.call.http", golden.PlainHTTP),
        ("models.NAME.golden.call.topics", golden.RequestReply),
        ("models.NAME.golden.call.callable", golden.PythonCallable),
        ("models.NAME.retrain.POLICY", schema.Policy),
        ("models.NAME.retrain.POLICY.data", schema.TrainingRows),
        ("models.NAME.promotion", schema.Promotion),
        ("launchers.NAME", schema.Launcher),
        ("launchers.NAME.command", launchers.Command),
        ("launchers.NAME.webhook", launchers.Webhook),
        ("launchers.NAME.kubernetes", launchers.KubernetesJob),
        ("registries.NAME", registries.Registry),
        ("registries.NAME.mlflow", registries.MLflow),
        ("alerts.NAME", schema.Alert),
        ("alerts.NAME.alertmanager", alerts.Alertmanager),
        ("alerts.NAME.apprise", alerts.Apprise),
        ("models.NAME.reference, a file", schema.Table),
        ("models.NAME.reference, a part of a topic", schema.TopicSlice),
        ("models.NAME.features.PATTERN", schema.FeatureSettings),
        ("important", schema.Important),
    ],
)
def test_every_key_of_the_configuration_is_documented_with_its_default(heading: str, model: type[BaseModel]) -> None:
    def default(name: str) -> str:
        field = model.model_fields[name]
        if field.is_required():
            return "-"
        if isinstance(field.default, BaseModel):
            return "below"
        return json.dumps(model.model_construct().model_dump(mode="json", include={name})[name])

    assert documented()[heading] == {name: default(name) for name in model.model_fields}


#: Keys that whole settings are handed on with, to code that knows them: river's, and effects' bounds by their name.
HANDED_ON = "driftbus.detectors"


def settings_of(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in kind.__subclasses__():
        if not child.__module__.startswith(HANDED_ON):
            yield child
        yield from settings_of(child)


def test_every_key_is_read() -> None:
    sources = [path for room in ("schemas", "detectors", "consumers") for path in (ROOT / room).rglob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    kinds: list[type[BaseModel]] = [*settings_of(Setting), Prediction]
    dead = [
        f"{kind.__name__}.{key}"
        for kind in kinds
        if kind is not Important  # of which every key is the name of an effect
        for key in kind.model_fields
        if (kind, key) != (Stream, "format")  # of one value: it says what the messages are, and refuses what they are not
        if not re.search(rf"(\.{key}\b(?!\())|(\"{key}\")", code)
    ]
    assert dead == []


def test_every_topic_of_our_own_is_on_the_page_of_personal_data() -> None:
    """Whoever adds one says what of users' data it holds."""
    page = (ROOT / "docs/personal_data.md").read_text(encoding="utf-8")
    topics = {topic for node in TOPOLOGY for topic in (*node.reads, *node.writes)} - {INPUTS}
    assert {f"`PREFIX.{topic}`" for topic in topics} <= set(re.findall(r"`PREFIX\.[a-z-]+`", page))


@pytest.mark.parametrize("key", ["segment"])
def test_keys_that_nothing_read_are_gone(key: str) -> None:
    assert key not in Mapping.model_fields
    assert key not in Prediction.model_fields
    with pytest.raises(ConfigurationError, match="unknown key"):
        parsed(f"application: a\nstreams: {{s: {{topics: [t], mapping: {{{key}: somewhere}}}}}}")
