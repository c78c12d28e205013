"""A real MLflow: ``python -m tests.registrar.mlflow``. A version goes its way there as on the stand-in of the gate.

It makes an environment of its own (620 MB, once), and starts a server on the loopback interface.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .way import goes_its_way

ENVIRONMENT = Path(__file__).parents[2] / ".venv-mlflow"
MLFLOW = "mlflow==3.17.2"
_STARTS_S = 180
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "PYTHONPATH": ""}


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A server; its address."""
    if not (ENVIRONMENT / ".ready").exists():
        venv.create(ENVIRONMENT, with_pip=True, clear=True, symlinks=True)
        subprocess.run([ENVIRONMENT / "bin/python", "-m", "pip", "install", "--quiet", MLFLOW], check=True)
        (ENVIRONMENT / ".ready").touch()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["server", "--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder / "artifacts")]
    with (folder / "mlflow.log").open("wb") as log:
        environment = os.environ | _QUIET | {"PATH": f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        started = subprocess.Popen([ENVIRONMENT / "bin/mlflow", *words], stdout=log, stderr=log, env=environment, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(_STARTS_S):
            if started.poll() is not None:
                sys.exit((folder / "mlflow.log").read_text()[-3_000:])
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5).close()
                break
            except OSError:
                time.sleep(1)
        yield address
    finally:
        started.terminate()
        started.wait(30)


def main() -> None:
    """What the command line asks for."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as address:
        began = time.monotonic()
        goes_its_way(address, "eta late")
        print(f"{MLFLOW}: a version went its way, each step twice, in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
