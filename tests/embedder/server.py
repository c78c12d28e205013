"""An embedder on loopback: hashes of words, with noise in the last bits that differs from call to call, as that of a real one does."""

import hashlib
import json
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np

from ..loopback import Loopback, Silent

SIZE = 16


class Server(Loopback):
    """What it was asked, and how it behaves: ``down`` it answers nothing, ``refused`` texts it has no answer to."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.asked: list[list[str]] = []
        self.headers: list[str | None] = []
        self.down, self.refused = False, set[str]()
        self.draw = np.random.default_rng(1)

    def settings(self, **more: Any) -> dict[str, Any]:  # the keys of a configuration
        """Of ``streams.NAME.embedder``."""
        return {"url": f"{self.address}/embed", "name": "words", "revision": "1", "size": SIZE, **more}


class _Handler(Silent, BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        texts: list[str] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
        self.server.asked.append(texts)
        self.server.headers.append(self.headers.get("Authorization"))
        refused = self.server.down or any(text in self.server.refused for text in texts)
        noise = 1 + 1e-6 * self.server.draw.random((len(texts), SIZE))
        data = [{"index": i, "embedding": (vector(text) * noise[i]).tolist()} for i, text in enumerate(texts)]
        raw = b"{}" if refused else json.dumps({"data": data[::-1]}).encode()
        self.send_response(503 if refused else 200)
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("Connection", "close")  # so that a process that dies in a test leaves no socket open
        self.end_headers()
        self.wfile.write(raw)


def vector(text: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The sum of those of its words."""
    seeds = [int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest()) for word in text.split()]
    return np.asarray(sum((np.random.default_rng(seed).normal(0, 1, SIZE) for seed in seeds), np.zeros(SIZE)))


def serving() -> AbstractContextManager[Server]:
    """One that runs."""
    return Server().answering()
