#!/usr/bin/env python3
"""A real control plane of Kubernetes on this machine, without containers: `start` prints its kubeconfig, `stop` ends what `start` began.

It has etcd, the API server with RBAC, the controllers, the scheduler, and KWOK, which plays one node: a Pod ends as its label `plays` says
(`stages.yaml`), and its command does not run. `restart` kills the API server, and starts it again.

Needs Go 1.26 and openssl. The first time all is built from its Go modules into `.kubernetes/` of the checkout: some ten minutes on two
cores. It listens on 127.0.0.1 only. Nothing but Python's standard library is used, so that any Python can run it.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: Where programs and data are kept.
CACHE = HERE.parent.parent / ".kubernetes"
KUBERNETES, STAGING = "v1.36.3", "v0.36.3"
MODULES = {"k8s.io/kubernetes": KUBERNETES, "go.etcd.io/etcd/server/v3": "v3.6.8", "sigs.k8s.io/kwok": "v0.8.0"}
#: In the order in which they start: the package of each.
PROGRAMS = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
}
#: Users by the process that is one; the last is who starts all this.
USERS = {
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "admin": ("admin", "system:masters"),
}
API = "kube-apiserver"
#: Seconds that each may take to answer; five are usual, on a busy machine more.
PATIENCE_S = 120


class NoControlPlane(Exception):
    """It cannot be started here, and why."""


def programs() -> Path:
    """The folder of the five programs; built by Go when these versions have not been built before."""
    folder = CACHE / f"bin-{hashlib.sha256(json.dumps(MODULES).encode()).hexdigest()[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two that start at once build once
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            _go(partial, "mod", "init", "control-plane")
            _go(partial, "mod", "edit", "-godebug=default=go1.26", *(f"-require={name}@{version}" for name, version in MODULES.items()))
            _go(partial, "mod", "edit", *(f"-replace={name}={name}@{STAGING}" for name in _staging(partial)))
            for program, package in PROGRAMS.items():
                version = f"-X k8s.io/component-base/version.gitVersion={KUBERNETES}"
                _go(partial, "build", "-p", "2", "-trimpath", f"-ldflags=-s -w {version}", "-o", program, package)
            partial.rename(folder)
    return folder


def _staging(folder: Path) -> list[str]:
    """Modules that Kubernetes takes from its own repository: as a dependency it has to be told where else they are."""
    described = json.loads(_go(folder, "mod", "download", "-json", f"k8s.io/kubernetes@{KUBERNETES}"))
    lines = (line.split() for line in Path(described["GoMod"]).read_text().splitlines())
    return [words[0] for words in lines if len(words) == 3 and words[2].startswith("./staging/")]


def _go(folder: Path, *arguments: str) -> str:
    environment = os.environ | {"GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    command = [_tool("go", "Kubernetes is built from its Go module"), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        msg = f"go {' '.join(arguments)}: {done.stderr[-2000:]}"
        raise NoControlPlane(msg)
    return done.stdout


def _tool(name: str, purpose: str) -> str:
    found = shutil.which(name)
    if found is None:
        msg = f"{name} is not installed: {purpose}"
        raise NoControlPlane(msg)
    return found


def _is_taken(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


class ControlPlane:
    """One, in a directory that remembers it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self._state = self.directory / "state.json"

    @property
    def kubeconfig(self) -> Path:
        """Of its administrator."""
        return self.directory / "admin.kubeconfig"

    def start(self) -> Path:
        """Make it where there is none yet, start what does not run, wait until Jobs can be made; its kubeconfig."""
        folder = programs()
        if not self._state.exists():
            self._make()
        state = json.loads(self._state.read_text())
        for name in PROGRAMS:
            if self.pid(name) is None:
                self._run(folder / name, self._arguments(name, state["ports"]))
            if name == API:
                self._wait(API, "/readyz")
        self._call("/api/v1/nodes", {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "played"}})
        self._wait("kube-controller-manager", "/api/v1/namespaces/default/serviceaccounts/default")
        return self.kubeconfig

    def stop(self) -> None:
        """End all, the last first, and forget what it held."""
        for name in reversed(PROGRAMS):
            deadline = time.monotonic() + 20
            self._signal(name, signal.SIGTERM)
            while self.pid(name) is not None:
                if time.monotonic() > deadline:
                    self._signal(name, signal.SIGKILL)
                time.sleep(0.05)
        if self._state.exists():
            shutil.rmtree(self.directory)

    def kill(self, name: str) -> None:
        """SIGKILL one that listens; `start` brings it back. It has no arguments any more some time before its port is free."""
        self._signal(name, signal.SIGKILL)
        port = json.loads(self._state.read_text())["ports"][name]
        while self.pid(name) is not None or _is_taken(port):
            time.sleep(0.02)

    def pid(self, name: str) -> int | None:
        """The process of a program, if it runs and is ours: a number alone might be somebody else's by now."""
        file = self.directory / f"{name}.pid"
        if not file.exists():
            return None
        pid = int(file.read_text())
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # where we are its parent, so that it does not stay a zombie
        with contextlib.suppress(OSError):
            return pid if str(self.directory).encode() in Path(f"/proc/{pid}/cmdline").read_bytes() else None
        return None

    def _signal(self, name: str, number: int) -> None:
        if (pid := self.pid(name)) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _make(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)  # tokens and keys lie in it
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
            for one in sockets:
                one.bind(("127.0.0.1", 0))
            ports = dict(zip(("etcd", "peer", API), (one.getsockname()[1] for one in sockets), strict=True))
        key = str(self.directory / "accounts.key")
        openssl = _tool("openssl", "it makes the key that signs the tokens of service accounts")
        subprocess.run([openssl, "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        tokens = {name: os.urandom(16).hex() for name in USERS}
        rows = (f'{tokens[name]},{user},{user},"{groups}"\n' for name, (user, groups) in USERS.items())
        (self.directory / "tokens.csv").write_text("".join(rows))
        for name, token in tokens.items():
            cluster = {"server": f"https://127.0.0.1:{ports[API]}", "certificate-authority": str(self._certificate)}
            document = {
                "clusters": [{"name": "c", "cluster": cluster}],
                "users": [{"name": "u", "user": {"token": token}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
            file = self.directory / f"{name}.kubeconfig"
            file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **document}))
            file.chmod(0o600)
        self._state.write_text(json.dumps({"ports": ports, "token": tokens["admin"]}))

    @property
    def _certificate(self) -> Path:
        return self.directory / "certificates" / "apiserver.crt"

    def _arguments(self, name: str, ports: Mapping[str, int]) -> list[str]:
        """The words behind a program's name."""
        here, store = self.directory, f"http://127.0.0.1:{ports['etcd']}"
        known = f"--kubeconfig={here / f'{name}.kubeconfig'}"
        if name == "etcd":
            peer = f"http://127.0.0.1:{ports['peer']}"
            clients = [f"--listen-client-urls={store}", f"--advertise-client-urls={store}"]
            peers = [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}"]
            return [f"--data-dir={here / 'etcd'}", *clients, *peers]
        if name == API:
            key = here / "accounts.key"
            issuer = ["--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={key}"]
            listening = ["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--secure-port={ports[API]}"]
            return [
                *(f"--etcd-servers={store}", *listening, "--endpoint-reconciler-type=none", f"--cert-dir={self._certificate.parent}"),
                *(f"--token-auth-file={here / 'tokens.csv'}", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16"),
                *(*issuer, f"--service-account-signing-key-file={key}"),
            ]
        alone = ["--bind-address=127.0.0.1", "--secure-port=0", "--leader-elect=false"]
        if name == "kube-controller-manager":
            signing = [f"--service-account-private-key-file={here / 'accounts.key'}", f"--root-ca-file={self._certificate}"]
            return [known, *alone, *signing, "--use-service-account-credentials=true"]
        if name == "kube-scheduler":
            return [known, *alone]
        admin = f"--kubeconfig={self.kubeconfig}"
        return [admin, "--manage-all-nodes=true", f"--config={HERE / 'stages.yaml'}"]

    def _run(self, program: Path, arguments: list[str]) -> None:
        with (self.directory / f"{program.name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(program), *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory, start_new_session=True
            )
        (self.directory / f"{program.name}.pid").write_text(str(process.pid))
        process.returncode = 0  # it outlives this object, on purpose

    def _call(self, path: str, body: object = None) -> int:
        """The API server's answer to the administrator: its status; 0: none."""
        state = json.loads(self._state.read_text())
        headers = {"Authorization": f"Bearer {state['token']}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"https://127.0.0.1:{state['ports'][API]}{path}", content, headers)
        try:
            context = ssl.create_default_context(cafile=str(self._certificate))
            with urllib.request.urlopen(request, timeout=5, context=context) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def _wait(self, name: str, path: str) -> None:
        deadline, missed = time.monotonic() + PATIENCE_S, 0
        while self._call(path) != 200:
            missed = missed + 1 if self.pid(name) is None else 0  # a process that has just begun has no arguments for a moment
            if missed > 5 or time.monotonic() > deadline:
                log = (self.directory / f"{name}.log").read_text(errors="replace")[-2000:]
                msg = f"{name} does not answer. Its log ends: {log}"
                raise NoControlPlane(msg)
            time.sleep(0.1)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["start", "stop", "restart"])
    parser.add_argument("--directory", type=Path, default=CACHE / "plane", help="of data and logs; stop removes it")
    given = parser.parse_args()
    plane = ControlPlane(given.directory)
    try:
        if given.command == "restart":
            plane.kill(API)
        if given.command == "stop":
            plane.stop()
        else:
            sys.stdout.write(f"{plane.start()}\n")
    except NoControlPlane as error:
        sys.exit(f"control plane: {error}")


if __name__ == "__main__":
    main()
