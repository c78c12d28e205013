"""What a person has to change: never taken for the fault of a record."""


class Unusable(ValueError):
    """A setting, a file, a plug-in or a reference cannot be used; the message says which, why, and what to change."""
