"""What is done about events: the ledger, its rules, the decider."""
