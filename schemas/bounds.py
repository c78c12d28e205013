"""How large each record of our own may be, whatever the data: a broker takes 1,048,588 bytes by default, and librdkafka 1,000,000.

A record beyond it stops whoever writes it, at every start anew. So what has no bound of its own is cut, listed or split here and in the
messages; `docs/schemas.md` has the table.
"""

from .text import Use

#: Any text of a record that has no use of its own in `text`.
TEXT = Use(4_000, anything=True)
#: A text in a signal of an event that would be too large with it whole.
DETAIL = Use(100, anything=True)
#: Topics of a stream, and characters of the name of each (Kafka's own bound).
MOST_TOPICS, LONGEST_TOPIC = 1_000, 249

#: By record: bytes of its key, value and headers together.
RECORDS = {
    "pane": 600_000,
    "progress": 500_000,
    "block": 600_000,
    "examples": 600_000,
    "example-answer": 20_000,
    "example-hold": 20_000,
    "learned-change": 20_000,
    "learned-losses": 20_000,
    "learned-model": 20_000,
    "performance": 50_000,
    "contest": 200_000,
    "ood-sample": 50_000,
    "snapshot": 600_000,
    "drift-event": 800_000,
    "root-cause": 500_000,
    "notice": 100_000,
    "dead-letter": 150_000,
    "announcement": 50_000,
    "model-event": 50_000,
    "coincidence": 200_000,
    "feedback": 50_000,
    "evidence": 250_000,
    "action-incident": 300_000,
    "action-reach": 800_000,
    "action-contest": 200_000,
    "action": 50_000,
    "job-status": 50_000,
    "alerted": 20_000,
    "retrain-request": 900_000,
    "promotion": 50_000,
    "golden-set": 100_000,
    "golden-proposal": 50_000,
    "golden-request": 50_000,
    "golden-started": 20_000,
    "golden-result": 600_000,
    "golden-evaluation": 500_000,
    "review-request": 200_000,
    "review-answer": 50_000,
    "review-slot": 200_000,
    "review-label": 10_000,
    "reviewed": 50_000,
    "candidates": 500_000,
}
