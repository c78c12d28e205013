"""Names of what is imported: ``package.module:NAME``."""


def importable(written: str, what: str, name: str) -> str:
    """The name as it is written; raises ValueError where it is none.

    >>> importable("my_package.metrics:MEAN_COST", "metric", "NAME")
    'my_package.metrics:MEAN_COST'
    """
    module, _, own = written.partition(":")
    if not all(step.isidentifier() for step in [*module.split("."), own]):
        msg = f"{written!r} is not a {what}; write package.module:{name}"
        raise ValueError(msg)
    return written
