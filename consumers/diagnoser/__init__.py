"""Root causes: evidence of all kinds in, incidents out."""
