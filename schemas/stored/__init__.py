"""What lies beside the log: references and snapshots."""
