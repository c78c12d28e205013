"""Incidents with known causes, injected into real data where such things happen, and how well they are told."""
