"""QStash's signatures: a JSON web token over the destination and the body's hash.

Checked here rather than by the SDK, whose receiver tolerates no difference between two
clocks, takes only text, and tells a stranger the same as a mistake of ours.
"""

import binascii
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Any

LEEWAY = 20  # seconds that the two clocks may differ
LARGEST = 4_096  # characters of a token; real ones have some 400


class BadSignature(Exception):  # noqa: N818 - it names the thing at fault
    """The message is not from QStash, or not for us; the text is for our log only."""


def check(
    token: str, body: bytes, *, urls: Collection[str], keys: Collection[str], now: float
) -> None:
    """See that the body was signed by one of the keys, for one of the URLs, just now.

    Raises:
        BadSignature: it was not, and why.
    """
    claims = _claims(token, keys)
    if claims.get("iss") != "Upstash":
        raise BadSignature(f"expected the issuer Upstash, not {claims.get('iss')!r}")
    if claims.get("sub") not in urls:
        raise BadSignature(f"made for {claims.get('sub')!r}, expected one of {urls}")
    _check_times(claims, now)
    _check_body(claims.get("body"), body)


def _claims(token: str, keys: Collection[str]) -> Mapping[str, Any]:
    """What a token claims, if one of the keys has signed it."""
    parts = token.split(".")
    if len(token) > LARGEST or len(parts) != 3 or not token.isascii():
        raise BadSignature("there is not exactly one token in the header")
    if _decoded(parts[0]).get("alg") != "HS256":
        raise BadSignature("expected the algorithm HS256")
    signed, mac = f"{parts[0]}.{parts[1]}".encode(), parts[2].rstrip("=").encode()
    if not any([hmac.compare_digest(_mac(signed, key), mac) for key in keys]):  # noqa: C419 - all are tried, so that the time does not tell which
        raise BadSignature("signed by none of our keys")
    return _decoded(parts[1])


def _mac(signed: bytes, key: str) -> bytes:
    return _unpadded(hmac.digest(key.encode(), signed, "sha256"))


def _unpadded(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")


def _decoded(part: str) -> Mapping[str, Any]:
    try:
        found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise BadSignature("a part of the token is no JSON in base64") from None
    if not isinstance(found, dict):
        raise BadSignature("a part of the token is no JSON object")
    return found


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    """See that the token is good by now, and not yet expired; `nbf` may be 0."""
    expires = _time(claims, "exp")
    begins = max(_time(claims, "nbf"), _time(claims, "iat"))
    if not now < expires + LEEWAY:
        raise BadSignature("it has expired")
    if not begins - LEEWAY <= now:
        raise BadSignature("it is good from a later time only")


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadSignature(f"expected a number as {name}")
    return value


def _check_body(claimed: object, body: bytes) -> None:
    if not isinstance(claimed, str) or not claimed.isascii():
        raise BadSignature("nothing is claimed of the body")
    expected = _unpadded(sha256(body).digest())
    if not hmac.compare_digest(claimed.rstrip("=").encode(), expected):
        raise BadSignature("the body is not the one that was signed")
