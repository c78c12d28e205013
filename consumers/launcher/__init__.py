"""Starts what was asked for: a command, a webhook, a Kubernetes Job; and says how it stands."""
