"""Sends messages to webhooks: signed, to an address that was checked, again if need be.

A name may stand for another address at each look-up. So it is looked up once for each
attempt, what is found is checked, and just that address is connected to; the name goes
into the Host header and, for the certificate, into TLS.
"""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
from standardwebhooks import Webhook

from headcount.acts import Observers, Send
from headcount.adapters.database import Database
from headcount.adapters.deliveries import Deliveries, Delivery
from headcount.adapters.http import open_client
from headcount.adapters.webhook_secrets import WebhookSecrets
from headcount.core.destinations import (
    check_webhook_url,
    is_public,
    private,
    unknown,
)
from headcount.core.errors import InvalidSearch
from headcount.core.webhooks import is_taken, job_of_message, next_attempt
from headcount.ports import Clock

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
AT_ONCE = 50  # messages
TOTAL_TIMEOUT = 15.0  # seconds for an attempt, the look-up of the name included
DOOR_TIMEOUT = 2.0  # seconds for the look-up of a name while a client waits
_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
_ADDRESSES_TRIED = 3
_NOT_CONNECTED = (httpx2.ConnectError, httpx2.ConnectTimeout)
_FAILED = (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError)


async def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses that this machine finds for a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


class Destinations:
    """Where messages may go."""

    def __init__(self, resolve: Resolver = look_up, *, allow_private: bool) -> None:
        self._resolve, self._allow_private = resolve, allow_private

    async def check(self, url: str) -> Sequence[str]:
        """The addresses of a webhook's URL, all of them allowed.

        Raises:
            InvalidSearch: the URL cannot be used, has no address, or a private one.
        """
        check_webhook_url(url, allow_private=self._allow_private)
        parsed = httpx2.URL(url)
        host, port = parsed.raw_host.decode("ascii"), _port(parsed)
        try:
            found = await self._resolve(host, port)
        except (OSError, ValueError) as error:  # no such name, or one that cannot be
            if _may_come_yet(error):
                raise
            raise unknown(host) from None
        if not found:
            raise unknown(host)
        if not self._allow_private and not all(map(is_public, found)):
            raise private(host)
        return found

    async def admit(self, url: str) -> None:
        """Refuse what can be told at once, before anything is done for a webhook.

        Where the name service does not answer, that is not the client's fault: the name
        is let through, and checked again before each message.

        Raises:
            InvalidSearch: the URL cannot be used, has no address, or a private one.
        """
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(DOOR_TIMEOUT):
                await self.check(url)


def _may_come_yet(error: Exception) -> bool:
    """Whether a look-up failed, rather than found that there is no such name."""
    return isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN


def _port(url: httpx2.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


class Sender:
    """Makes one attempt at a message."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        destinations: Destinations,
        *,
        total_timeout: float = TOTAL_TIMEOUT,
    ) -> None:
        self._client, self._destinations = client, destinations
        self._total_timeout = total_timeout

    async def send(
        self, delivery: Delivery, secrets: Sequence[str], *, at: datetime
    ) -> int | str:
        """The status of the answer, or what went wrong, without any secret."""
        headers = sign(delivery, secrets, at)
        try:
            async with asyncio.timeout(self._total_timeout):
                addresses = await self._destinations.check(delivery.url)
                return await self._send(delivery, addresses, headers)
        except InvalidSearch as refusal:
            return str(refusal)
        except TimeoutError:
            return f"no answer within {self._total_timeout:g} s"
        except _FAILED as error:
            return f"no answer ({type(error).__name__})"

    async def _send(
        self, delivery: Delivery, addresses: Sequence[str], headers: dict[str, str]
    ) -> int | str:
        """Try the addresses in turn until one takes the connection."""
        for address in addresses[:_ADDRESSES_TRIED]:
            try:
                return await self._post(delivery, address, headers)
            except _NOT_CONNECTED as error:
                problem = f"not reached ({type(error).__name__})"
        return problem

    async def _post(
        self, delivery: Delivery, address: str, headers: dict[str, str]
    ) -> int:
        """Send to this very address; of the answer only the head is read."""
        url = httpx2.URL(delivery.url)
        sending = self._client.stream(
            "POST",
            url.copy_with(host=address),
            content=delivery.body,
            headers={"Host": url.netloc.decode("ascii"), **headers},
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
            timeout=_TIMEOUT,
        )
        async with sending as answer:
            return answer.status_code


def sign(delivery: Delivery, secrets: Sequence[str], at: datetime) -> dict[str, str]:
    """The headers by which the receiver knows the message and who sent it."""
    signatures = [
        Webhook(secret).sign(delivery.id, at, delivery.body) for secret in secrets
    ]
    return {
        "Content-Type": "application/json",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


class Courier:
    """Brings the due messages of a database to their webhooks."""

    def __init__(
        self,
        deliveries: Deliveries,
        secrets: WebhookSecrets,
        sender: Sender,
        clock: Clock,
        *,
        luck: Callable[[], float] = random.random,
        observers: Observers,
    ) -> None:
        self._deliveries, self._secrets = deliveries, secrets
        self._sender, self._clock, self._luck = sender, clock, luck
        self._observers = observers

    async def deliver_due(self, limit: int = AT_ONCE) -> int:
        """Make an attempt at what is due, all at once, and say at how many messages.

        Takes no longer than the slowest receiver may; what a receiver does is noted,
        never raised.

        Raises:
            StoreError: the database cannot be used; what was taken is due again soon.
        """
        taken = await self._deliveries.take(self._clock.now(), limit)
        attempts = map(self._attempt, taken)
        for raised in await asyncio.gather(*attempts, return_exceptions=True):
            if raised is not None:
                raise raised
        return len(taken)

    async def _attempt(self, delivery: Delivery) -> None:
        secrets = await self._secrets.signing(delivery.owner, delivery.url)
        at, job_id = self._clock.now(), job_of_message(delivery.id)
        sending = Send(job_id, delivery.id, delivery.attempts)
        with self._observers.during(sending) as act:
            act.answer = answer = await self._sender.send(delivery, secrets, at=at)
            now = self._clock.now()
            again = next_attempt(delivery.attempts, answer, now, luck=self._luck())
            act.gave_up = again is None
        if is_taken(answer):
            await self._deliveries.delivered(delivery, now)
            return
        error = answer if isinstance(answer, str) else f"HTTP {answer}"
        await self._deliveries.postpone(delivery, again, error)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What a service has for its webhooks: the door, the secrets, and who sends."""

    destinations: Destinations
    secrets: WebhookSecrets
    courier: Courier


@asynccontextmanager
async def open_webhooks(
    database: Database,
    clock: Clock,
    *,
    allow_private: bool = False,
    resolve: Resolver = look_up,
    transport: httpx2.AsyncBaseTransport | None = None,
    observers: Observers | None = None,
) -> AsyncIterator[Webhooks]:
    """Put the parts together, with a client that is closed at the end.

    A transport of our own keeps the proxies of the environment out, which would look
    the name up again; no connection and no cookie is kept, since another name at the
    same address is somebody else.
    """
    limits = httpx2.Limits(max_keepalive_connections=0)
    transport = transport or httpx2.AsyncHTTPTransport(limits=limits)
    destinations = Destinations(resolve, allow_private=allow_private)
    secrets = WebhookSecrets(database, now=clock.now)
    async with open_client(transport=transport) as client:
        client.cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        sender = Sender(client, destinations)
        courier = Courier(
            Deliveries(database),
            secrets,
            sender,
            clock,
            observers=observers or Observers(),
        )
        yield Webhooks(destinations, secrets, courier)
