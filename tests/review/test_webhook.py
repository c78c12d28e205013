"""The receiver of webhooks: a word that something is new, from whom the address was told, and nothing else."""

import http.client
from urllib.parse import urlsplit

import pytest

from driftbus.consumers.desk.webhook import received
from driftbus.consumers.process.http_server import ServingError


def post(address: str, path: str | None = None, body: bytes = b"{}", **headers: str) -> int:
    """The status of the answer."""
    to = urlsplit(address)
    connection = http.client.HTTPConnection(to.hostname or "", to.port, timeout=10)
    try:
        connection.request("POST", to.path if path is None else path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_many_calls_are_one_piece_of_news() -> None:
    with received(0) as (address, news):
        assert not news.is_set()
        assert [post(address, body=b"x" * 10_000) for _ in range(3)] == [204, 204, 204]
        assert news.is_set()
        news.clear()
        assert not news.is_set()


@pytest.mark.parametrize("path", ["/", "/wrong", "/a/b", "/%ff?"])
def test_who_does_not_know_the_address_is_not_heard(path: str) -> None:
    with received(0) as (address, news):
        assert post(address, path) == 404
        assert post(address, Host="attacker.example") == 421
        assert not news.is_set()


def test_it_is_on_this_machine_alone_and_its_secret_is_new_each_time() -> None:
    with received(0) as (first, _):
        port = urlsplit(first).port
        assert urlsplit(first).hostname == "127.0.0.1"
        with pytest.raises(ServingError, match=f"--webhook {port}"), received(port or 0):
            pass
    with received(0) as (second, _):
        assert urlsplit(second).path != urlsplit(first).path
