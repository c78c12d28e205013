"""The decider: which jobs are asked for."""
