"""All the ways in which the QStash sandbox misbehaves, each declared in `FAULTS`."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from headcount.sandbox.faults import Rule
from headcount.sandbox.qstash.answers import Answer, refusal
from headcount.sandbox.qstash.signing import LIFETIME, Letter, body_hash
from headcount.sandbox.topics import dice

STRANGER = "sig_of_somebody_else_altogether_"  # as long as a real key
MINUTE, HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class RequestFault:
    """What happens to a publish, enqueue or batch request.

    It is refused, or the connection closes: without `refusal`, after the work if
    `accepted`, and before it otherwise.
    """

    name: str
    promise: str
    refusal: Answer | None = None
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class MessageFault:
    """What happens to an accepted message: it waits this many seconds more, at most.

    The share of it that a message waits is drawn, unless it is `exact`.
    """

    name: str
    promise: str
    seconds: float
    exact: bool = True


@dataclass(frozen=True, slots=True)
class DeliveryFault:
    """What happens to one delivery: the letter is forged, doubled, or its answer lost.

    `afterwards` it is delivered again after a 2xx; `at_once` a second one runs beside
    it.
    """

    name: str
    promise: str
    forge: Callable[[Letter], Letter] = lambda letter: letter
    afterwards: bool = False
    at_once: bool = False
    lost: bool = False


Fault = RequestFault | MessageFault | DeliveryFault
K = TypeVar("K", RequestFault, MessageFault, DeliveryFault)

_DAILY = (
    ("RateLimit-Limit", "1000"),
    ("RateLimit-Remaining", "0"),
    ("RateLimit-Reset", "3600"),
)
_BURST = (
    ("Burst-RateLimit-Limit", "100"),
    ("Burst-RateLimit-Remaining", "0"),
    ("Burst-RateLimit-Reset", "1"),
)
REQUEST_FAULTS = (
    RequestFault("down", "the connection closes, and nothing is taken"),
    RequestFault(
        "lost_answer", "it is taken, then the connection closes", accepted=True
    ),
    RequestFault(
        "server_error", "500, nothing taken", refusal(500, "internal server error")
    ),
    RequestFault(
        "bad_token",
        "401, as with the token of another region",
        refusal(401, "unable to authenticate: invalid token"),
    ),
    RequestFault(
        "quota",
        "412, as beyond a limit of the plan",
        refusal(412, "quota maxRetries exceeded, current limit: 5"),
    ),
    RequestFault(
        "daily_quota",
        "429 with RateLimit-* headers: the messages of the day are used up",
        refusal(429, "quota maxMessagesPerDay exceeded", _DAILY),
    ),
    RequestFault(
        "burst_quota",
        "429 with Burst-RateLimit-* headers: too many requests a second",
        refusal(429, "rate limit exceeded", _BURST),
    ),
)
MESSAGE_FAULTS = (
    MessageFault(
        "reordered",
        "it waits up to a minute, so that later ones come before it",
        MINUTE,
        exact=False,
    ),
    MessageFault("late", "it waits an hour", HOUR),
    MessageFault("vanished", "it is accepted and never delivered", math.inf),
)
DELIVERY_FAULTS = (
    DeliveryFault("duplicate", "it comes again after the 2xx", afterwards=True),
    DeliveryFault("twins", "it comes twice at the same moment", at_once=True),
    DeliveryFault("lost_reply", "the destination's answer never arrives", lost=True),
    DeliveryFault(
        "next_key",
        "the signature is by the next key, as after a rotation",
        lambda letter: replace(letter, key=letter.next_key),
    ),
    DeliveryFault(
        "wrong_key",
        "the signature is by a stranger's key",
        lambda letter: replace(letter, key=STRANGER),
    ),
    DeliveryFault(
        "expired",
        "the signature expired an hour ago",
        lambda letter: letter.claiming(
            iat=letter.claims["iat"] - HOUR - LIFETIME,
            nbf=letter.claims["nbf"] - HOUR - LIFETIME,
            exp=letter.claims["exp"] - HOUR - LIFETIME,
        ),
    ),
    DeliveryFault(
        "not_yet_valid",
        "the signature is good from an hour ahead",
        lambda letter: letter.claiming(nbf=letter.claims["nbf"] + HOUR),
    ),
    DeliveryFault(
        "wrong_sub",
        "the signature is for another destination",
        lambda letter: letter.claiming(sub="https://elsewhere.example/hook"),
    ),
    DeliveryFault(
        "wrong_issuer",
        "the signature has another issuer",
        lambda letter: letter.claiming(iss="Downstash"),
    ),
    DeliveryFault(
        "altered_body",
        "the body is not the one that was signed",
        lambda letter: replace(letter, body=letter.body + b" "),
    ),
    DeliveryFault(
        "no_body_claim",
        "the signature says nothing of the body",
        lambda letter: letter.without("body"),
    ),
    DeliveryFault(
        "unsigned",
        "there is no signature",
        lambda letter: replace(letter, seals=0),
    ),
    DeliveryFault(
        "signed_twice",
        "there are two signature headers",
        lambda letter: replace(letter, seals=2),
    ),
    DeliveryFault(
        "nbf_zero",
        "a good signature whose nbf is 0",
        lambda letter: letter.claiming(nbf=0),
    ),
    DeliveryFault(
        "unpadded_hash",
        "a good signature whose body hash has no = at its end",
        lambda letter: letter.claiming(body=body_hash(letter.body).rstrip("=")),
    ),
)
FAULTS: dict[str, Fault] = {
    fault.name: fault for fault in (*REQUEST_FAULTS, *MESSAGE_FAULTS, *DELIVERY_FAULTS)
}


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong when, the same each time for the same seed.

    Requests, accepted messages and deliveries are numbered apart, each from 1.
    """

    rules: tuple[Rule[Fault], ...] = ()
    seed: int = 42

    @classmethod
    def parse(cls, texts: Iterable[str], *, seed: int = 42) -> Self:
        """Reads rules such as `duplicate:0.1` or `lost_answer@3,9`.

        Raises:
            ValueError: an unknown name (the nearest is named), or no rate or number.
        """
        return cls(tuple(Rule.parse(text, FAULTS) for text in texts), seed)

    def at(self, kind: type[K], number: int) -> K | None:
        """The fault of this kind that hits the n-th of its things; the first wins."""
        for rule in self.rules:
            if isinstance(rule.fault, kind) and rule.hits(number, seed=self.seed):
                return rule.fault
        return None

    def further_wait(self, number: int) -> float:
        """How many seconds longer than asked for the n-th accepted message waits."""
        fault = self.at(MessageFault, number)
        if fault is None:
            return 0.0
        if fault.exact:
            return fault.seconds
        return dice(self.seed, "waits", number).uniform(1, fault.seconds)
