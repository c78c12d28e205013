"""What people see of driftbus: the terminal, logs, metrics, and how things stand."""
