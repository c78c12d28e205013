"""A configuration is read as written; every mistake is named by its path; secrets stay secret."""

from pathlib import Path

import pytest

from driftbus.consumers.process.settings import ConfigurationError, load, parsed

SMALLEST = "application: fraud-watch\nstreams: {predictions: {topics: [fraud.scored]}}\n"


def mistakes(text: str, **environment: str) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        parsed(text, environment)
    return str(refused.value).splitlines()


def test_what_is_not_written_has_a_default() -> None:
    configuration = parsed(SMALLEST)
    assert str(configuration.streams["predictions"].pane) == "10s"
    assert str(configuration.model("fraud").false_alarms) == "1 per 30d"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("models: {fraud: {false_alarm: 1 per 30d}}", "models.fraud.false_alarm: unknown key; did you mean false_alarms?"),
        ("models: {fraud: {false_alarms: often}}", 'models.fraud.false_alarms: "often" is not a rate of false alarms; write 1 per 30d'),
        ("models: {fraud: {reference: {fil: a.csv}}}", "models.fraud.reference.fil: unknown key; did you mean file?"),
        ("models: {fraud: {reference: {topic: t, strt: x}}}", "models.fraud.reference.strt: unknown key; did you mean start?"),
        ('models: {fraud: {features: {"amount*": {typ: numeric}}}}', "models.fraud.features.amount*.typ: unknown key; did you mean type?"),
        ("models: {fraud: {stream: other}}", "models.fraud.stream: 'other' is not among streams: predictions"),
        ("topics: {partitions: 0}", "topics.partitions: 0: input should be greater than or equal to 1"),
        ("kafka: {sasl.password: {a: 1}}", "kafka.sasl.password: "),
        ("colour: red", "colour: unknown key; known here: alerts, application, "),
        ("snapshot_every: 0", "snapshot_every: 0: input should be greater than or equal to 1"),
        ("metrics: {turn_within: -5}", "metrics.turn_within: -5: input should be greater than or equal to 1"),
        ("labels: {l: {topics: [l], about: 0}}", "labels.l.about: 0: input should be greater than or equal to 1"),
        ("labels: {l: {topics: [l], early: -1}}", "labels.l.early: -1: input should be greater than or equal to 0"),
        ("models: {fraud: {trailing: {every: 0}}}", "models.fraud.trailing.every: 0: input should be greater than or equal to 1"),
        ("models: {fraud: {silence: -60}}", "models.fraud.silence: -60: input should be greater than or equal to 1"),
    ],
)
def test_a_mistake_is_named_by_its_path(written: str, said: str) -> None:
    assert any(line.startswith(said) for line in mistakes(SMALLEST + written))


def test_a_stream_s_mistakes_are_named() -> None:
    text = "application: a\nstreams: {predictions: {topics: [t], pane: 10 sec, mapping: {features: [a..b, c], scor: s}}}"
    assert mistakes(text) == [
        'streams.predictions.pane: "10 sec" is not a duration; write 10s, 5m, 1h, 1d, month or 500 rows',
        'streams.predictions.mapping.features.0: "a..b" has an empty step in its path',
        "streams.predictions.mapping.scor: unknown key; did you mean score?",
    ]


def test_no_length_of_time_is_below_nothing_and_no_pane_is_nothing() -> None:
    written = "application: a\nstreams: {p: {topics: [t], pane: %s, grace: %s, patience: %s}}"
    assert parsed(written % ("10s", 0, 0)).streams["p"].grace == 0
    assert mistakes(written % (0, -1, "-5s")) == [
        'streams.p.pane: "0" is not a duration; write 10s, 5m, 1h, 1d, month or 500 rows',
        "streams.p.grace: -1: input should be greater than or equal to 0",
        'streams.p.patience: "-5s" is not a duration; write 10s, 5m, 1h or 1d',
    ]


def test_all_mistakes_are_told_at_once() -> None:
    assert mistakes("application: a b\nbus: pigeon") == [
        "application: 'a b': string should match pattern '^[A-Za-z0-9._-]+$'",
        "bus: 'pigeon': input should be 'kafka' or 'embedded'",
        "streams: is missing",
    ]


def test_a_key_that_stands_twice_is_refused() -> None:
    assert mistakes(SMALLEST + "models: {}\nmodels: {}") == ["line 4, column 1: models: stands here a second time"]


def test_words_stay_words() -> None:
    models = parsed(SMALLEST + "models: {fraud: {reference: {topic: t, start: 2026-01-01}, features: {on: ignore, 1: ignore}}}").models
    assert models["fraud"].feature("on").ignore
    assert models["fraud"].feature("1").ignore
    assert getattr(models["fraud"].reference, "start", None) == "2026-01-01"


@pytest.mark.parametrize(
    ("pane", "model", "said"),
    [
        (
            "6h",
            "season: day",
            "models.fraud.season: panes of 6h do not fit into the hours that it compares; write streams.predictions.pane: 1h",
        ),
        ("7m", "season: week", "models.fraud.season: panes of 7m do not fit into the hours"),
        ("month", "season: week", "models.fraud.season: panes of month do not fit into the hours"),
        ("month", "trailing: {}", "models.fraud.trailing.every: 7d is shorter than panes of month; write more"),
        ("10s", "trailing: {every: 20d}", "models.fraud.trailing: length: 28d must be 2 to 400 times every, which is 20d"),
        ("10s", "trailing: {every: 1m}", "models.fraud.trailing: length: 28d must be 2 to 400 times every, which is 1m"),
        ("10s", "segments: {by: country, most: 0}", "models.fraud.segments.most: 0: input should be greater than or equal to 1"),
    ],
)
def test_what_does_not_suit_the_panes_is_refused(pane: str, model: str, said: str) -> None:
    text = f"application: a\nstreams: {{predictions: {{topics: [t], clock: record, pane: {pane}}}}}\nmodels: {{fraud: {{{model}}}}}"
    assert mistakes(text)[0].startswith(said)


@pytest.mark.parametrize("pane", ["10s", "15m", "1h"])
def test_panes_that_fit_into_an_hour_suit_a_season(pane: str) -> None:
    text = f"application: a\nstreams: {{predictions: {{topics: [t], pane: {pane}}}}}\nmodels: {{fraud: {{season: day}}}}"
    assert parsed(text).model("fraud").season == "day"


@pytest.mark.parametrize("text", ["", "- a", "just words"])
def test_a_file_without_keys_is_told_what_it_needs(text: str) -> None:
    assert "it needs at least application and streams" in mistakes(text)[0]


def test_broken_yaml_is_told_its_line() -> None:
    assert mistakes("application: a\nstreams: [")[0].startswith("line 2, column 11")


def test_secrets_come_from_the_environment_and_are_never_shown() -> None:
    text = SMALLEST + "kafka: {sasl.username: '${USER_NAME}', sasl.password: 'x${PASSWORD}', bootstrap.servers: 'kafka:9092'}"
    configuration = parsed(text, {"USER_NAME": "anna", "PASSWORD": "hunter2${X}"})
    assert configuration.kafka["sasl.password"] == "xhunter2${X}"
    assert "hunter2" not in repr(configuration)
    assert "anna" not in str(configuration)
    assert "kafka:9092" in repr(configuration)


def test_a_variable_that_is_not_set_names_the_key_never_the_value() -> None:
    assert mistakes(SMALLEST + "kafka: {sasl.password: 'hunter2${PASSWORD}'}") == [
        "kafka.sasl.password: ${PASSWORD} is not set in the environment"
    ]


ANYWHERE = """\
application: ${TEAM}-watch
artifacts: s3://${BUCKET}/artifacts
topics: {partitions: "${PARTITIONS}"}
metrics: {port: "${PORT}"}
streams:
  predictions:
    topics: ["${TEAM}.scored", plain]
    pane: ${PANE}
    mapping: {model: "constant:$${TEAM}", score: "payload.$x"}
models:
  fraud:
    features:
      amount: {min_effect: "${EFFECT}"}
"""
ENVIRONMENT = {"TEAM": "fraud", "BUCKET": "b", "PARTITIONS": "3", "PORT": "0", "PANE": "1m", "EFFECT": "0.25"}


def test_the_environment_may_stand_in_any_value() -> None:
    configuration = parsed(ANYWHERE, ENVIRONMENT)
    stream = configuration.streams["predictions"]
    assert (configuration.application, configuration.artifacts) == ("fraud-watch", "s3://b/artifacts")
    assert (stream.topics, str(stream.pane)) == (("fraud.scored", "plain"), "1m")
    assert (configuration.topics.partitions, configuration.model("fraud").feature("amount").min_effect) == (3, 0.25)
    assert configuration.metrics is not None
    assert configuration.metrics.port == 0


def test_two_dollars_are_a_literal() -> None:
    configuration = parsed(ANYWHERE, ENVIRONMENT)
    assert str(configuration.streams["predictions"].mapping.model).endswith("${TEAM}")
    assert parsed(SMALLEST + "kafka: {a: 'x$${B}', b: '$C', c: '$$', d: '${}'}", {}).kafka == {
        "a": "x${B}",
        "b": "$C",
        "c": "$$",
        "d": "${}",
    }


def test_what_the_environment_holds_is_not_read_again() -> None:
    assert parsed(ANYWHERE, {**ENVIRONMENT, "BUCKET": "$${TEAM}${TEAM}"}).artifacts == "s3://$${TEAM}${TEAM}/artifacts"


def test_every_variable_that_is_not_set_is_told_with_its_path() -> None:
    assert mistakes(ANYWHERE) == [
        "application: ${TEAM} is not set in the environment",
        "artifacts: ${BUCKET} is not set in the environment",
        "topics.partitions: ${PARTITIONS} is not set in the environment",
        "metrics.port: ${PORT} is not set in the environment",
        "streams.predictions.topics.0: ${TEAM} is not set in the environment",
        "streams.predictions.pane: ${PANE} is not set in the environment",
        "models.fraud.features.amount.min_effect: ${EFFECT} is not set in the environment",
    ]


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("bus: ${SECRET}", "bus"),
        ("application: 'a b${SECRET}'", "application"),
        ("topics: {partitions: '${SECRET}'}", "topics.partitions"),
        ("topics: {prefix: 'a ${SECRET}'}", "topics.prefix"),
        ("snapshot_every: x${SECRET}", "snapshot_every"),
        ("models: {fraud: {stream: '${SECRET}'}}", "models.fraud.stream"),
        ("models: {fraud: {false_alarms: '${SECRET}'}}", "models.fraud.false_alarms"),
        ("models: {fraud: {features: {amount: {detectors: ['${SECRET}']}}}}", "models.fraud.features"),
        ("models: {fraud: {features: {amount: {type: ' ${SECRET} '}}}}", "models.fraud.features.amount.type"),
        ("models: {fraud: {segments: {rules: {young: '${SECRET}'}}}}", "models.fraud.segments"),
        ("models: {fraud: {silence: '${SECRET}'}}", "models.fraud.silence"),
        ("kafka: {a: 1}\nembedded: ['${SECRET}']", "embedded"),
        ("metrics: {port: '${SECRET}', host: 1}", "metrics.port"),
    ],
)
@pytest.mark.parametrize("secret", ["hunter2", "hun'ter2\\\n", "two words; hunter2"])
def test_a_value_from_the_environment_is_never_told(written: str, path: str, secret: str) -> None:
    text = SMALLEST if not written.startswith("application") else SMALLEST.split("\n", 1)[1]
    told = "\n".join(mistakes(text + written, SECRET=secret))
    assert path in told
    assert "unter2" not in told
    assert "ter2" not in told
    assert "SECRET" in told or "embedded" in told


@pytest.mark.parametrize("name", ["a\\nok    all is well", "a\\x1b[2J", "a\\u2028b"])
def test_a_mistake_stays_a_line_whatever_its_key_is(name: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parsed(SMALLEST + f'models: {{fraud: {{features: {{"{name}": {{typ: numeric}}}}}}}}')
    assert str(refused.value).count("\n") == 0


def test_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml: no such file; name another with --config FILE"):
        load("nowhere.yaml")
    (tmp_path / "driftbus.yaml").write_text("application: a\nstream: {}")
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path / "driftbus.yaml")
    assert all(line.startswith(f"{tmp_path}/driftbus.yaml: stream") for line in str(refused.value).splitlines())
