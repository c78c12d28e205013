"""A call has one end, by its deadline, and none shows what it was sent with."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from driftbus.consumers.calls.answers import Erred, TimedOut
from driftbus.consumers.calls.connection import Connection

from .receivers import receiving


@pytest.mark.parametrize("secret", ["a-secret\r\nX-Evil: 1", "a-secret\n", "a-secret€"])
def test_what_no_header_may_hold_is_an_error_that_does_not_show_it(secret: str) -> None:
    with receiving() as receiver, closing(Connection(receiver.address, {"Authorization": secret})) as one:
        with pytest.raises(Erred) as error:
            one.ask("POST", "/", b"{}", time.monotonic() + 5)
        assert "a-secret" not in str(error.value)
        assert error.value.__cause__ is None
        assert error.value.__suppress_context__, "a traceback would show it"


@pytest.mark.parametrize(("host", "path"), [("a..b", "/"), ("x" * 70 + ".org", "/"), ("127.0.0.1", "/übung"), ("127.0.0.1", "/a b")])
def test_an_address_that_is_none_is_an_error_like_others(host: str, path: str) -> None:
    with receiving() as receiver, closing(Connection(receiver.address.replace("127.0.0.1", host), {})) as one, pytest.raises(Erred):
        one.ask("POST", path, b"{}", time.monotonic() + 5)


@contextmanager
def away() -> Iterator[tuple[str, int]]:
    """A machine that does not answer who wants to connect: its queue is full."""
    with socket.socket() as full, socket.socket() as waits:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waits.setblocking(False)
        waits.connect_ex(full.getsockname())
        yield full.getsockname()


def named(monkeypatch: pytest.MonkeyPatch, *places: tuple[str, int]) -> None:
    """Every name is that of these machines."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_of_several_machines_that_are_away_is_given_up_by_the_deadline(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    with away() as place, closing(Connection(f"{scheme}://several.example:1", {})) as one:
        named(monkeypatch, *[place] * 40)
        began = time.monotonic()
        with pytest.raises(TimedOut):
            one.ask("POST", "/", b"{}", began + 0.5)
        assert time.monotonic() - began < 10, "each was given as long"


def test_a_machine_that_is_away_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with away() as place, receiving("200") as receiver, closing(Connection("http://several.example:1", {})) as one:
        named(monkeypatch, place, ("127.0.0.1", receiver.server_port))
        assert one.ask("POST", "/", b"{}", time.monotonic() + 4).status == 200


def test_what_is_cut_while_it_connects_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with away() as place, receiving("200") as receiver, closing(Connection("http://several.example:1", {})) as one:
        named(monkeypatch, place, ("127.0.0.1", receiver.server_port))
        began = time.monotonic()
        cut = threading.Timer(0.2, one.cut)
        cut.start()
        with pytest.raises(TimedOut):
            one.ask("POST", "/", b"{}", began + 20)
        cut.join()
        assert time.monotonic() - began < 9, "the first was waited for"
        assert not receiver.calls


@pytest.mark.parametrize(
    ("url", "place", "host"),
    [
        ("http://[2001:db8::5]/retrain", ("2001:db8::5", 80), "[2001:db8::5]"),
        ("http://[::1]", ("::1", 80), "[::1]"),
        ("http://[::1]:8080", ("::1", 8080), "[::1]:8080"),
        ("http://[::1]:80", ("::1", 80), "[::1]"),
        ("http://[2001:DB8::99]:65535/a", ("2001:db8::99", 65535), "[2001:db8::99]:65535"),
        ("http://[::ffff:127.0.0.1]/", ("::ffff:127.0.0.1", 80), "[::ffff:127.0.0.1]"),
        ("http://127.0.0.1/", ("127.0.0.1", 80), "127.0.0.1"),
        ("http://several.example", ("several.example", 80), "several.example"),
        ("https://[2001:db8::5]/retrain", ("2001:db8::5", 443), None),
        ("https://[2001:db8::5]:8443", ("2001:db8::5", 8443), None),
        ("https://[fe80::1:2:443]", ("fe80::1:2:443", 443), None),
    ],
)
def test_the_end_of_an_address_is_no_port(monkeypatch: pytest.MonkeyPatch, url: str, place: tuple[str, int], host: str | None) -> None:
    asked = list[tuple[str, int]]()
    with receiving("200") as receiver, closing(Connection(url, {})) as one:

        def looked_up(name: str, port: int, **_: object) -> list[object]:
            asked.append((name, port))
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", receiver.server_port))]

        monkeypatch.setattr(socket, "getaddrinfo", looked_up)
        if host is None:
            with pytest.raises(Erred):  # it speaks no TLS
                one.ask("POST", "/", b"{}", time.monotonic() + 5)
        else:
            assert one.ask("POST", "/", b"{}", time.monotonic() + 5).status == 200
            assert receiver.calls[0][2]["host"] == host
    assert asked == [place]
