"""An event in one line."""

from datetime import timedelta

from driftbus.consumers.replay.event_line import event_line, lasted
from driftbus.schemas.messages.drift import DriftedSignal, DriftEvent, Effect, Histogram
from driftbus.schemas.messages.notice import Notice

AMOUNT = DriftedSignal(
    name="amount",
    role="feature",
    share=0.9,
    change="mean up",
    log_evidence=16.0,
    effect=Effect(ks=0.31, psi=0.62),
    reference=Histogram(),
    current=Histogram(),
    rows=100,
)
OPENED = DriftEvent(
    episode="055edca3579d04daa699e9d7077195ac",
    sequence=0,
    status="opened",
    model="fraud",
    version="3.2.1",
    stream="predictions",
    reference="sha256:ab",
    kind="input",
    bucket=("2026-03-01T10:00:00Z", "2026-03-01T10:00:10Z"),
    onset="2026-03-01T09:58:40Z",
    signals=(AMOUNT, AMOUNT.model_copy(update={"name": "country", "of": "availability", "share": 0.1, "change": "more nulls"})),
    detector="esr",
    budget="1 per 30d",
    severity="major",
    complete=True,
    clock_decided=False,
    configuration="sha256:77",
)


def test_an_opening_says_what_changed_and_how_much() -> None:
    expected = (
        "2026-03-01 10:00  OPENED    055edca3  fraud/3.2.1  major     amount: mean up (KS .31  PSI .62), country (availability): more nulls"
    )
    assert event_line(OPENED) == expected


def test_a_resolution_says_after_how_long() -> None:
    resolved = OPENED.model_copy(
        update={"status": "resolved", "sequence": 1, "bucket": ("2026-03-03T16:00:00Z", "2026-03-03T17:00:00Z"), "reason": "recovered"}
    )
    assert event_line(resolved).endswith("amount, country (availability)  recovered after 2 d 7 h")


def test_many_signals_are_counted() -> None:
    many = tuple(AMOUNT.model_copy(update={"name": f"f{i}"}) for i in range(7))
    assert "f2: mean up, f3: mean up and 3 more" in event_line(OPENED.model_copy(update={"signals": many}))


def test_a_notice_is_its_text() -> None:
    notice = Notice(about="unmonitored", model="fraud", version="4", text="model fraud/4 is not monitored", identity="fraud/4")
    assert event_line(notice).split() == ["NOTICE", "model", "fraud/4", "is", "not", "monitored"]


def test_a_moment_lasts_no_time() -> None:
    assert lasted(timedelta(0)) == "0 s"
