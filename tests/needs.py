"""What some tests need of a machine. The gate (CI=true) has it or fails; elsewhere they are left out, and the last lines say so."""

import os
import shutil

import pytest

HOW = (
    "install Java 17 and Maven, or have a Docker engine with the image apache/kafka (tests/broker.py), "
    "or set DRIFTBUS_TEST_KAFKA=host:port to a broker whose topics tests may make"
)


def demanded() -> bool:
    """Whether nothing may be left out."""
    return os.environ.get("CI") == "true"


def without_java() -> list[str]:
    """What is missing to start a Kafka by Java."""
    return [tool for tool in ("java", "mvn") if shutil.which(tool) is None]


def leave_out(why: str) -> None:
    """Skip the test; in the gate it fails."""
    (pytest.fail if demanded() else pytest.skip)(f"needs a real Kafka, and {why}: {HOW}")


def tools_for_brokers() -> None:
    """Leave the test out where no brokers can be started that it may kill: those of Docker it may not."""
    if missing := without_java():
        leave_out(f"there is no {' and no '.join(missing)} to start one that the test may kill")
