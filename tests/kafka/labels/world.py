"""What is fed, and how the application is configured: two models with labels. People are asked about the first, and it loses a feature;
of the second one's rows a model learns.
"""

from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from driftbus.consumers.bus.interface import Output

from ...consumers.test_joiner import told
from ...streaming import BEGINNING, message
from .answers import ASKED, SETTINGS, unlike

#: Who is there, and is killed; the profiler reads labels too.
CREW = (
    *("profiler-a", "profiler-b", "joiner-a", "joiner-b", "detector-a", "detector-b"),
    *("diagnoser-a", "diagnoser-b", "evaluator-a", "clerk-a", "reviewer-a", "learner-a"),
)
APPLICATION = "labels"
#: Of record time; three predictions of m0 in two seconds, of m1 one in three. Late in it labels of m0 are turned now and then.
SECONDS, SECOND = 7_200, 1_000
CHANGE_S = 5_600
#: Some rows are unlike the reference then.
UNLIKE_S, UNLIKE = range(2_000, 3_000), 0.3
WORSE = 0.4
#: Some rows of m0 have no amount then: what is missing is told before a baseline stands.
LOST_S, LOST = range(4_200, 6_000), 0.4
PREDICTIONS, LABELS, IDLE, GOLDEN = "scored", "known", "idle", "g"
MODELS = ("m0", "m1")
PARTITIONS = {PREDICTIONS: 4, LABELS: 3}
#: What learns from the second one's rows.
LEARNT = {"learner": {"publish_every": 100, "losses": "10m"}}
#: The last row, and a time when every interval is final.
LAST, END = BEGINNING + SECONDS * SECOND, BEGINNING + (SECONDS + 5_400) * SECOND


def traffic(seed: int) -> list[Output]:
    """Predictions and their labels, late, twice, corrected, taken back, or never, in the order of their times."""
    draw, sent = np.random.default_rng(seed), list[Output]()
    for second, (model, part) in product(range(SECONDS), (("m0", 0), ("m0", 2), ("m1", 3))):
        if second % max(part, 1) == 0:
            time_, score, id_ = BEGINNING + second * SECOND + part, float(draw.beta(0.5, 0.5)), f"{model} {second}/{part}"
            drawn_ = message(draw, model)
            drawn_ = unlike(draw, drawn_) if model == ASKED and second in UNLIKE_S and draw.random() < UNLIKE else drawn_
            plain = msgspec.json.decode(drawn_, type=dict[str, Any])
            if model == ASKED and second in LOST_S and draw.random() < LOST:
                plain["features"]["amount"] = None
            value = msgspec.json.encode(plain | {"id": id_, "score": score})
            sent.append(Output(PREDICTIONS, int(draw.integers(4)), None, value, (), time_))
            turned = model == "m0" and second >= CHANGE_S and draw.random() < WORSE
            right = bool(draw.random() < score) != turned
            for known, label, revision in told(draw, time_):
                about = None if label is None else right if label else not right
                own = msgspec.json.encode({"id": id_, "label": right if revision == 1 else about, "rev": revision})
                sent.append(Output(LABELS, int(draw.integers(3)), None, own, (), known))
    return sorted(sent, key=lambda one: one.timestamp or 0)


def settings(address: str, folder: Path, golden: str, brokers: int) -> dict[str, Any]:  # a configuration as its user writes it
    """A stream with nothing in it has a live clock, so that golden sets are asked; what is compared has none."""
    own = {"topics": [LABELS], "wait": "30m", "early": "1m", "about": "10m", "mapping": {"revision": "rev"}}
    own_settings = {"stream": "predictions", "labels": "outcomes", "false_alarms": "1 per 1h"}
    call = {"http": {"url": f"{golden}/late/{{version}}", "version": "version", "at_once": 2}}
    return {
        "application": APPLICATION,
        "kafka": {"bootstrap.servers": address},
        "artifacts": str(folder / "artifacts"),
        "snapshot_every": "6s",
        "topics": {"partitions": 3, "replication": brokers},
        "streams": {
            "predictions": {"topics": [PREDICTIONS], "pane": "30s", "clock": "record"},
            "idle": {"topics": [IDLE], "pane": "10s", "clock": "live"},
        },
        "labels": {"outcomes": own},
        "models": {
            **{model: own_settings | (SETTINGS if model == ASKED else LEARNT) for model in MODELS},
            GOLDEN: {"stream": "idle", "golden": {"call": call, "deadline": "400ms", "within": "60s"}},
        },
    }
