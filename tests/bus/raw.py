"""Records as no client library of ours would write them: Kafka's protocol by hand (Produce, version 3; record batches of version 2)."""

import socket
import struct
import time
from collections.abc import Sequence
from functools import reduce

Record = tuple[bytes, Sequence[tuple[bytes, bytes]]]  # value, headers


def produce(address: str, topic: str, records: Sequence[Record], partition: int = 0) -> None:
    """Write them to a broker that leads the partition."""
    batch = _batch(records)
    name = topic.encode()
    request = struct.pack(">hhihhhi", 0, 3, 1, -1, -1, -1, 30_000)  # no client's name, in no transaction, written by all replicas
    request += struct.pack(f">ih{len(name)}siii", 1, len(name), name, 1, partition, len(batch)) + batch
    host, port = address.split(",")[0].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as connection, connection.makefile("rb") as answers:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = answers.read(struct.unpack(">i", answers.read(4))[0])
    _, _, length = struct.unpack_from(">iih", answer)
    _, _, code = struct.unpack_from(">iih", answer, 10 + length)
    assert code == 0, f"the broker answers {code}"


def _batch(records: Sequence[Record]) -> bytes:
    now, last = int(time.time() * 1000), len(records) - 1
    body = struct.pack(">hiqqqhii", 0, last, now, now, -1, -1, -1, len(records)) + b"".join(map(_record, range(len(records)), records))
    checked = struct.pack(">I", _crc32c(body)) + body
    return struct.pack(">qiib", 0, 5 + len(checked), -1, 2) + checked


def _record(number: int, record: Record) -> bytes:
    value, headers = record
    body = b"\0" + _varint(0) + _varint(number) + _varint(-1) + _sized(value) + _varint(len(headers))
    return _sized(body + b"".join(_sized(name) + _sized(content) for name, content in headers))


def _sized(content: bytes) -> bytes:
    return _varint(len(content)) + content


def _varint(number: int) -> bytes:
    zigzag = number << 1 if number >= 0 else (-number << 1) - 1
    found = bytearray()
    while zigzag > 0x7F:
        found.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    return bytes([*found, zigzag])


def _crc32c(content: bytes) -> int:
    """Castagnoli's, bit by bit: a few records are enough."""

    def step(crc: int, byte: int) -> int:
        return reduce(lambda c, _: c >> 1 ^ (0x82F63B78 if c & 1 else 0), range(8), crc ^ byte)

    return reduce(step, content, 0xFFFFFFFF) ^ 0xFFFFFFFF
