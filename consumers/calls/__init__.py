"""Asking what other people run: an answer by the deadline, bounded, or none."""
