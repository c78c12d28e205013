"""The intake: what other topics say, and the time, to the ledger."""
