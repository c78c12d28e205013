import driftbus.consumers  # noqa: F401  in front of numpy: how many threads its products have is decided there
