"""A real MLflow: ``python -m tests.registrar.mlflow``. A version goes its way there as on the stand-in of the gate.

It makes an environment of its own (620 MB, once), and starts a server on the loopback interface.
"""

import os
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import others
from .way import goes_its_way

MLFLOW = "mlflow==3.17.2"
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "PYTHONPATH": ""}


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A server; its address."""
    programs, port = others.environment(".venv-mlflow", MLFLOW) / "bin", others.free_port()
    words = ["server", "--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder / "artifacts")]
    variables, address = _QUIET | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}, f"http://127.0.0.1:{port}"

    def answers() -> None:
        urllib.request.urlopen(f"{address}/health", timeout=5).close()

    with others.running([programs / "mlflow", *words], folder, variables, answers):
        yield address


def main() -> None:
    """What the command line asks for."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as address:
        began = time.monotonic()
        goes_its_way(address, "eta late")
        print(f"{MLFLOW}: a version went its way, each step twice, in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
