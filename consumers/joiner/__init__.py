"""The joiner: predictions meet their labels."""
