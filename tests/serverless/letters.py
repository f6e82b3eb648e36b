"""Messages signed as QStash signs them, and in all the ways that it never does."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from serverless.site import KEYS, PUBLIC

from headcount.sandbox.qstash import Letter, jwt
from headcount.serverless import PROCESS, SWEEP

Headers = list[tuple[str, str]]
Forgery = Callable[[Letter], tuple[bytes, Headers]]
HOUR = 3600
STRANGER = "sig_of_somebody_else_altogether_"


def a_letter(body: bytes, path: str = PROCESS, *, url: str = PUBLIC) -> Letter:
    """A good letter, signed now."""
    return Letter.addressed(url + path, body, keys=KEYS, at=time.time())


def about(job_id: str, path: str = PROCESS) -> Letter:
    return a_letter(json.dumps({"jobId": job_id}).encode(), path)


def sealed(letter: Letter) -> tuple[bytes, Headers]:
    """What is sent of a letter."""
    return letter.body, [("Upstash-Signature", letter.signature)]


def with_token(token: str) -> Forgery:
    return lambda letter: (letter.body, [("Upstash-Signature", token)])


def changed(forge: Callable[[Letter], Letter]) -> Forgery:
    return lambda letter: sealed(forge(letter))


def claiming(**claims: object) -> Forgery:
    return changed(lambda letter: letter.claiming(**claims))


def shifted(seconds: int, *names: str) -> Forgery:
    """The times of these claims, moved."""
    return changed(
        lambda letter: letter.claiming(
            **{name: letter.claims[name] + seconds for name in names}
        )
    )


def lacking(claim: str) -> Forgery:
    return changed(lambda letter: letter.without(claim))


def by_algorithm(name: str, digest: str) -> Forgery:
    """Signed with our key, but by another algorithm."""

    def forge(letter: Letter) -> tuple[bytes, Headers]:
        signed = unsigned(letter.claims, name)
        mac = hmac.digest(letter.key.encode(), signed.encode(), digest)
        token = f"{signed}.{_base64(mac)}"
        return letter.body, [("Upstash-Signature", token)]

    return forge


def unsigned(claims: Mapping[str, Any], algorithm: str) -> str:
    parts = ({"alg": algorithm, "typ": "JWT"}, dict(claims))
    return ".".join(_base64(json.dumps(part).encode()) for part in parts)


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _with_other_claims(letter: Letter) -> tuple[bytes, Headers]:
    """The claims replaced under a signature that is real."""
    head, _, mac = letter.signature.split(".")
    more = unsigned(letter.claiming(exp=int(time.time()) + HOUR).claims, "HS256")
    token = f"{head}.{more.split('.')[1]}.{mac}"
    return letter.body, [("Upstash-Signature", token)]


def _padded_garbage(letter: Letter) -> tuple[bytes, Headers]:
    return letter.body, [("Upstash-Signature", f"{letter.signature}.{'A' * 40}")]


FORGERIES: dict[str, Forgery] = {
    "no signature": lambda letter: (letter.body, []),
    "an empty signature": with_token(""),
    "no token at all": with_token("trust me"),
    "two dots and nothing else": with_token(".."),
    "a token of 8,000 characters": with_token("A" * 8_000),
    "letters that are not base64": with_token("%%%.%%%.%%%"),
    "a list for claims": with_token(jwt({}, KEYS.current).replace("e30", "W10")),
    "a fourth part": _padded_garbage,
    "signed twice": lambda letter: (
        letter.body,
        [("Upstash-Signature", letter.signature)] * 2,
    ),
    "two signatures in one line": lambda letter: (
        letter.body,
        [("Upstash-Signature", f"{letter.signature}, {letter.signature}")],
    ),
    "a good and a bad signature": lambda letter: (
        letter.body,
        [
            ("Upstash-Signature", letter.signature),
            ("Upstash-Signature", replace(letter, key=STRANGER).signature),
        ],
    ),
    "as a bearer": lambda letter: (
        letter.body,
        [("Authorization", f"Bearer {letter.signature}")],
    ),
    "a stranger's key": changed(lambda letter: replace(letter, key=STRANGER)),
    "an empty key": changed(lambda letter: replace(letter, key="")),
    "a key of the sandbox": changed(
        lambda letter: replace(letter, key="sig_sandbox000000000000000000001")
    ),
    "a published key": changed(
        lambda letter: replace(letter, key="sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r")
    ),
    "the key without its first letters": changed(
        lambda letter: replace(letter, key=letter.key.removeprefix("sig_"))
    ),
    "other claims under a real signature": _with_other_claims,
    "the algorithm none": lambda letter: (
        letter.body,
        [("Upstash-Signature", f"{unsigned(letter.claims, 'none')}.")],
    ),
    "the algorithm HS512": by_algorithm("HS512", "sha512"),
    "said to be RS256": by_algorithm("RS256", "sha256"),
    "expired an hour ago": shifted(-HOUR - 300, "exp", "iat", "nbf"),
    "expired a minute ago": shifted(-360, "exp", "iat", "nbf"),
    "good only from an hour ahead": shifted(HOUR, "nbf"),
    "issued an hour ahead": shifted(HOUR, "iat", "exp"),
    "without an expiry": lacking("exp"),
    "an expiry that is a text": claiming(exp="never"),
    "an expiry that is true": claiming(exp=True),
    "an infinite beginning": claiming(nbf=float("inf")),
    "without a beginning": lacking("nbf"),
    "another issuer": claiming(iss="Downstash"),
    "without an issuer": lacking("iss"),
    "another host": claiming(sub=f"https://elsewhere.example{PROCESS}"),
    "another route of ours": claiming(sub=PUBLIC + SWEEP),
    "by plain HTTP": claiming(sub=f"http://app.example{PROCESS}"),
    "with a slash at the end": claiming(sub=f"{PUBLIC}{PROCESS}/"),
    "with a query": claiming(sub=f"{PUBLIC}{PROCESS}?a=1"),
    "many destinations": claiming(sub=[PUBLIC + PROCESS]),
    "without a destination": lacking("sub"),
    "the host that it is sent to": lambda letter: sealed(
        letter.claiming(sub=f"http://127.0.0.1{PROCESS}")
    ),
    "an altered body": lambda letter: (
        letter.body + b" ",
        [("Upstash-Signature", letter.signature)],
    ),
    "an empty body": lambda letter: (
        b"",
        [("Upstash-Signature", letter.signature)],
    ),
    "the hash of another body": claiming(
        body=_base64(hashlib.sha256(b"other").digest())
    ),
    "no hash of the body": lacking("body"),
    "a hash that is a number": claiming(body=1),
    "a hash in letters of no alphabet": claiming(body="\u2603" * 43),
}
