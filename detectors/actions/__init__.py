"""Which jobs are asked for: a pure fold of one model's ledger."""
