"""Asking other people's servers: an answer by the deadline, bounded, or none."""
