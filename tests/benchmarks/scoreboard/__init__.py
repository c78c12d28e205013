"""Ours and the peers on the same seeded streams, in one run: false alarms, and delays at equal false alarms."""
