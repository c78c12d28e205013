"""A post-mortem: what became of an incident, and how it is known, as one document."""
