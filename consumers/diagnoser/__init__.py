"""The diagnoser: evidence of all kinds in, root causes out."""
