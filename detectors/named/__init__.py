"""Detectors that users ask for by name: one file each, and one line in `built_in`."""
