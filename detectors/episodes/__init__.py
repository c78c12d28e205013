"""Episodes: a state and a bucket in, the state and its events out; alarms, windows, what is open, and how it resolves."""
