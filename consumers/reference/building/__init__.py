"""Building a reference: from a table or a part of a topic to a profile."""
