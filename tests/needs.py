"""What some tests need of a machine. The gate (CI=true) has it or fails; elsewhere they are left out, and the last lines say so."""

import os
import shutil

import pytest

HOW = "install Java 17 and Maven, or set DRIFTBUS_TEST_KAFKA=host:port to a broker whose topics tests may make"


def demanded() -> bool:
    """Whether nothing may be left out."""
    return os.environ.get("CI") == "true"


def tools_for_brokers() -> None:
    """Leave the test out where no Kafka can be started."""
    missing = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
    if missing and not demanded():
        pytest.skip(f"needs a real Kafka, and there is no {' and no '.join(missing)} to start one: {HOW}")
