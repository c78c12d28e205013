"""A file through the product: its rows as messages, what comes out as lines, measures and a picture."""
