"""Signatures of webhooks, as Standard Webhooks has them: whoever has the secret knows that a call is ours, of now, and whole."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from ..calls.secrets import UnusableSecret

_PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The bytes of a secret, which is ``whsec_`` and base64. Raises `UnusableSecret`.

    >>> key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")[:4]
    b'1\\xf2\\x90\\xf6'
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or len(key) < 16:
        msg = "it is no secret of Standard Webhooks: whsec_ and the base64 of 24 to 64 bytes"
        raise UnusableSecret(msg)
    return key


def signature(keys: Sequence[bytes], identity: str, at_s: int, body: bytes) -> str:
    """Of a call: one by each key, so that a receiver may change from one to the other.

    >>> key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    >>> signature([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = f"{identity}.{at_s}.".encode() + body
    return " ".join("v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys)
