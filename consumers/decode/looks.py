"""What bytes that cannot be read look like: forms that are not JSON, each by what its first bytes say."""

#: By how a value begins; the first that fits.
_BEGINNINGS = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\xff\x06\x00\x00sNaPpY", "snappy"),
    (b"PAR1", "Parquet"),
    (b"Obj\x01", "an Avro file"),
    (b"\xef\xbb\xbf", "JSON behind a byte order mark"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"<", "XML"),
    (b'"{', "JSON inside a JSON text"),
)
#: Confluent's framing: a zero, the schema's number in four bytes, then Avro or Protobuf, or JSON.
_FRAME = 5
_HEAD = 256


def looks_like(value: bytes | None) -> str:
    """One or two words for it.

    >>> looks_like(b"\\x00\\x00\\x00\\x00\\x07\\x02abc"), looks_like(b"1,2.5,DE"), looks_like(b'{"a": 1')
    ('the framing of a schema registry (Avro or Protobuf)', 'CSV', 'JSON that is cut off or broken')
    """
    if not value:
        return "nothing"
    head = value[:_HEAD]
    for beginning, what in _BEGINNINGS:
        if head.startswith(beginning):
            return what
    if head[0] == 0 and len(value) > _FRAME:
        return f"the framing of a schema registry ({'JSON' if head[_FRAME : _FRAME + 1] in b'{[' else 'Avro or Protobuf'})"
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return "bytes that are no text"
        text = head[: error.start].decode()
    text = text.lstrip()
    if text.startswith("{"):
        return "JSON that is cut off or broken"
    if text[:1] in {"[", '"'} or (text[:1].isdigit() and "," not in text and ";" not in text):
        return "JSON that is no object"
    line = text.splitlines()[0] if text else ""
    if any(line.count(separator) >= 1 for separator in (",", ";", "\t")):
        return "CSV"
    return "text that is no JSON"
