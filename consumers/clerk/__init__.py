"""The clerk: facts of other topics of our own, to the summaries."""
