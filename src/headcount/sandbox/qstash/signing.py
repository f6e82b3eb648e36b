"""Signs deliveries as QStash does: a JWT over the destination and the body's hash."""

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

LIFETIME = 300  # seconds that a signature is good for


def _key(number: int) -> str:
    return f"sig_sandbox{number:021}"  # as long as a real one


@dataclass(frozen=True, slots=True)
class Keys:
    """The two keys a receiver must know: the one that signs, and the one after it."""

    current: str = field(default=_key(1), repr=False)
    next: str = field(default=_key(2), repr=False)

    def rotated(self) -> "Keys":
        """The next key becomes the current one, and a new one stands by."""
        return Keys(self.next, f"sig_{secrets.token_hex(14)}")


@dataclass(frozen=True, slots=True)
class Letter:
    """What one delivery carries, before it is sealed.

    `body` is sent as it is here, whatever the claims say of it.
    """

    body: bytes
    claims: Mapping[str, Any]
    key: str = field(repr=False)
    next_key: str = field(repr=False)
    seals: int = 1  # how many signature headers are sent

    @classmethod
    def addressed(cls, url: str, body: bytes, *, keys: Keys, at: float) -> Self:
        """A letter as it should be, signed with the current key at this time of day."""
        iat = int(at)
        claims = {
            "iss": "Upstash",
            "sub": url,
            "exp": iat + LIFETIME,
            "nbf": iat,
            "iat": iat,
            "jti": f"jwt_{secrets.token_hex(16)}",
            "body": body_hash(body),
        }
        return cls(body, claims, keys.current, keys.next)

    def claiming(self, **changes: object) -> "Letter":
        """The letter with some claims changed."""
        return replace(self, claims={**self.claims, **changes})

    def without(self, claim: str) -> "Letter":
        """The letter without one of its claims."""
        rest = {name: value for name, value in self.claims.items() if name != claim}
        return replace(self, claims=rest)

    @property
    def signature(self) -> str:
        """The value of the header `Upstash-Signature`."""
        return jwt(self.claims, self.key)


def body_hash(body: bytes) -> str:
    """The claim `body`, padded as in QStash's own example."""
    return urlsafe_b64encode(hashlib.sha256(body).digest()).decode()


def jwt(claims: Mapping[str, Any], key: str) -> str:
    """A JSON web token, signed by HS256 with the whole string of the key."""
    parts = ({"alg": "HS256", "typ": "JWT"}, dict(claims))
    signed = b".".join(_base64(json.dumps(part).encode()) for part in parts)
    mac = hmac.new(key.encode(), signed, hashlib.sha256).digest()
    return (signed + b"." + _base64(mac)).decode()


def _base64(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")
