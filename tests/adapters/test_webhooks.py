"""Messages on their way: signed, to the address that was checked, until they arrive."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trustme
from builders import NOON, a_job
from docs.pages import page
from fakes.clock import FakeClock
from fakes.receiver import CLOSED, receiving, status
from sqlalchemy import select, text

from headcount.adapters.deliveries import CLAIM
from headcount.adapters.service_tables import deliveries as table
from headcount.adapters.sql import SqlStore
from headcount.adapters.webhooks import (
    AT_ONCE,
    TOTAL_TIMEOUT,
    Destinations,
    Resolver,
    Sender,
    Webhooks,
    look_up,
    open_webhooks,
)
from headcount.core import lifecycle
from headcount.core.errors import InvalidSearch, StoreError
from headcount.core.model import Change, Label
from headcount.core.webhooks import RETRIES

PUBLIC, OTHER = "93.184.216.34", "2606:4700::1111"
LOOPBACK = "127.0.0.1"
URL = "https://hook.invalid/hook"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))  # the receiver's library compares with it


@pytest.fixture
async def store(tmp_path: Path, clock: FakeClock) -> AsyncIterator[SqlStore]:
    opened = await SqlStore.open(f"sqlite:///{tmp_path}/jobs.db", now=clock.now)
    yield opened
    await opened.close()


def names(known: Mapping[str, Sequence[str]]) -> Resolver:
    """A look-up that finds just these names, and every address as itself."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        del port
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known[host]

    return resolve


class Wire(httpx2.MockTransport):
    """A transport that sends nothing: it notes what it is given, and answers."""

    def __init__(self, *answers: int | Exception) -> None:
        super().__init__(self._answer)
        self._answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if self._answers else 204
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer)


def opened(
    store: SqlStore,
    clock: FakeClock,
    *,
    resolve: Resolver,
    transport: httpx2.AsyncBaseTransport | None = None,
    allow_private: bool = False,
) -> AbstractAsyncContextManager[Webhooks]:
    return open_webhooks(
        store.database,
        clock,
        allow_private=allow_private,
        resolve=resolve,
        transport=transport,
    )


async def tell(store: SqlStore, *urls: str, owner: str = "bob") -> None:
    """A job for each URL, which fails: the webhook must be told."""
    for number, url in enumerate(urls, start=1):
        job = a_job(id=f"{owner}-{number}", label=Label(owner, webhook=url))
        await store.create(job)
        await store.change(
            job.id, lambda job, _: lifecycle.collapse(Change(job), "a defect", NOON)
        )


async def noted(store: SqlStore) -> Any:  # noqa: ANN401 - a row
    """What the database has of the only message."""
    (row,) = await store.database.read(lambda to: to.execute(select(table)).all())
    return row


# ---------------------------------------------------------------------------- it comes
async def test_a_message_arrives_signed_as_the_library_expects(
    store: SqlStore, clock: FakeClock
) -> None:
    resolve = names({LOOPBACK: [LOOPBACK]})
    async with (
        receiving() as receiver,
        opened(store, clock, resolve=resolve, allow_private=True) as webhooks,
    ):
        secret = await webhooks.secrets.ensure("bob", receiver.url())
        await tell(store, receiver.url())

        sent = await webhooks.courier.deliver_due()

    (received,) = receiver.received
    message = received.verified(secret)
    assert sent == 1
    assert received.line == "POST /hook?tenant=7 HTTP/1.1"
    assert received.headers["webhook-id"] == "bob-1_1"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["user-agent"].startswith("headcount/")
    assert (message["type"], message["data"]["id"]) == ("job.failed", "bob-1")
    row = await noted(store)
    assert (row.due_at, row.delivered_at) == (None, clock.now())


async def test_nothing_is_sent_where_nothing_is_due(
    store: SqlStore, clock: FakeClock
) -> None:
    wire = Wire()
    async with opened(store, clock, resolve=names({}), transport=wire) as webhooks:
        assert await webhooks.courier.deliver_due() == 0

    assert wire.requests == []


async def test_a_step_sends_no_more_than_so_many_at_once(
    store: SqlStore, clock: FakeClock
) -> None:
    wire = Wire()
    await tell(store, *(f"{URL}/{number}" for number in range(AT_ONCE + 3)))
    resolve = names({"hook.invalid": [PUBLIC]})
    async with opened(store, clock, resolve=resolve, transport=wire) as webhooks:
        sent = [await webhooks.courier.deliver_due() for _ in range(3)]

    assert sent == [AT_ONCE, 3, 0]
    assert len({request.headers["webhook-id"] for request in wire.requests}) == 53


async def test_during_a_rotation_the_old_and_the_new_secret_verify(
    store: SqlStore, clock: FakeClock
) -> None:
    resolve = names({LOOPBACK: [LOOPBACK]})
    async with (
        receiving() as receiver,
        opened(store, clock, resolve=resolve, allow_private=True) as webhooks,
    ):
        old = await webhooks.secrets.ensure("bob", receiver.url())
        new = await webhooks.secrets.rotate("bob", receiver.url())
        await tell(store, receiver.url())
        await webhooks.courier.deliver_due()

    (received,) = receiver.received
    assert received.verified(old) == received.verified(new)


async def test_two_owners_of_one_endpoint_sign_with_their_own_secrets(
    store: SqlStore, clock: FakeClock
) -> None:
    resolve = names({LOOPBACK: [LOOPBACK]})
    async with (
        receiving() as receiver,
        opened(store, clock, resolve=resolve, allow_private=True) as webhooks,
    ):
        secrets = {}
        for owner in ("bob", "eve"):
            secrets[owner] = await webhooks.secrets.ensure(owner, receiver.url())
            await tell(store, receiver.url(), owner=owner)
        await webhooks.courier.deliver_due()

    for received in receiver.received:
        owner = received.headers["webhook-id"].partition("-")[0]
        assert received.verified(secrets[owner])


async def test_the_receiver_of_the_documentation_takes_what_comes(
    store: SqlStore, clock: FakeClock
) -> None:
    file, *_ = page("docs/how-to/receive-webhooks.md").blocks
    documented: dict[str, Any] = {}
    exec(file.text, documented)  # noqa: S102 - our own page
    resolve = names({LOOPBACK: [LOOPBACK]})
    async with (
        receiving() as receiver,
        opened(store, clock, resolve=resolve, allow_private=True) as webhooks,
    ):
        secret = await webhooks.secrets.ensure("bob", receiver.url())
        await tell(store, receiver.url())
        await webhooks.courier.deliver_due()

    (received,) = receiver.received
    receive = documented["receive"]
    assert receive(secret, received.headers, received.body) == 204
    assert receive(secret, received.headers, received.body + b" ") == 401


# ------------------------------------------------------------------------ and it comes
async def test_a_message_that_failed_is_sent_again_with_the_same_id_and_body(
    store: SqlStore, clock: FakeClock
) -> None:
    resolve = names({LOOPBACK: [LOOPBACK]})
    async with (
        receiving([status(500)]) as receiver,
        opened(store, clock, resolve=resolve, allow_private=True) as webhooks,
    ):
        secret = await webhooks.secrets.ensure("bob", receiver.url())
        await tell(store, receiver.url())
        await webhooks.courier.deliver_due()
        postponed = await noted(store)
        clock.advance(RETRIES[0].total_seconds() * 1.1)
        await webhooks.courier.deliver_due()

    first, second = receiver.received
    assert first.verified(secret) == second.verified(secret)
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(first.headers["webhook-timestamp"]) < int(
        second.headers["webhook-timestamp"]
    )
    assert (postponed.error, postponed.attempts) == ("HTTP 500", 1)
    row = await noted(store)
    assert (row.attempts, row.error, row.due_at) == (2, None, None)


async def test_a_message_is_given_up_after_a_day_of_attempts(
    store: SqlStore, clock: FakeClock
) -> None:
    wire = Wire(*[503] * 20)
    began = clock.now()
    await tell(store, URL)
    resolve = names({"hook.invalid": [PUBLIC]})
    async with opened(store, clock, resolve=resolve, transport=wire) as webhooks:
        while due := (await noted(store)).due_at:
            clock.advance((due - clock.now()).total_seconds())
            await webhooks.courier.deliver_due()

    assert len(wire.requests) == len(RETRIES) + 1 == 11
    assert timedelta(hours=20) < clock.now() - began < timedelta(hours=27)
    assert (await noted(store)).error == "HTTP 503"


async def test_an_endpoint_that_says_it_is_gone_is_left_alone(
    store: SqlStore, clock: FakeClock
) -> None:
    await tell(store, URL)
    resolve = names({"hook.invalid": [PUBLIC]})
    async with opened(store, clock, resolve=resolve, transport=Wire(410)) as webhooks:
        await webhooks.courier.deliver_due()

    row = await noted(store)
    assert (row.due_at, row.delivered_at, row.error) == (None, None, "HTTP 410")


async def test_a_redirect_is_not_followed(store: SqlStore, clock: FakeClock) -> None:
    resolve = names({LOOPBACK: [LOOPBACK]})
    async with (
        receiving() as elsewhere,
        receiving([status(307, f"Location: {elsewhere.url()}")]) as receiver,
        opened(store, clock, resolve=resolve, allow_private=True) as webhooks,
    ):
        await tell(store, receiver.url())
        await webhooks.courier.deliver_due()

    assert (len(receiver.received), elsewhere.received) == (1, [])
    assert (await noted(store)).error == "HTTP 307"


async def test_what_a_receiver_would_have_remembered_is_forgotten(
    store: SqlStore, clock: FakeClock
) -> None:
    resolve = names({LOOPBACK: [LOOPBACK]})
    async with (
        receiving([status(204, "Set-Cookie: who=ann")]) as receiver,
        opened(store, clock, resolve=resolve, allow_private=True) as webhooks,
    ):
        for owner in ("bob", "eve"):
            await tell(store, receiver.url(), owner=owner)
            await webhooks.courier.deliver_due()

    assert len(receiver.received) == 2
    assert not any("cookie" in received.headers for received in receiver.received)


ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n" + bytes(100_000)


async def test_of_an_answer_only_the_head_is_read(
    store: SqlStore, clock: FakeClock
) -> None:
    resolve = names({LOOPBACK: [LOOPBACK]})
    async with (
        receiving([ENDLESS]) as receiver,
        opened(store, clock, resolve=resolve, allow_private=True) as webhooks,
    ):
        await tell(store, receiver.url())
        await webhooks.courier.deliver_due()

    assert (await noted(store)).delivered_at is not None


@pytest.mark.parametrize(
    "answer", [CLOSED, b"what?\r\n\r\n", b"HTTP/1.1 2", b"\x00" * 300_000]
)
async def test_a_receiver_that_talks_nonsense_is_tried_again(
    store: SqlStore, clock: FakeClock, answer: bytes
) -> None:
    resolve = names({LOOPBACK: [LOOPBACK]})
    async with (
        receiving([answer]) as receiver,
        opened(store, clock, resolve=resolve, allow_private=True) as webhooks,
    ):
        await tell(store, receiver.url())
        await webhooks.courier.deliver_due()

    row = await noted(store)
    assert row.error.startswith("no answer (")
    assert row.due_at > clock.now()


async def test_a_receiver_that_never_answers_is_waited_for_so_long(
    store: SqlStore, clock: FakeClock
) -> None:
    await tell(store, URL)
    async with opened(store, clock, resolve=names({})) as webhooks:
        (taken,) = await webhooks.courier._deliveries.take(clock.now(), 1)
    destinations = Destinations(names({"hook.invalid": [PUBLIC]}), allow_private=False)

    async def silence(request: httpx2.Request) -> httpx2.Response:
        del request
        await asyncio.get_running_loop().create_future()
        return httpx2.Response(204)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(silence)) as client:
        sender = Sender(client, destinations, total_timeout=0.05)
        answer = await sender.send(taken, [], at=NOON)

    assert answer == "no answer within 0.05 s"


def test_a_claim_lasts_for_longer_than_an_attempt_can_take() -> None:
    assert timedelta(seconds=2 * TOTAL_TIMEOUT) < CLAIM


async def test_what_one_receiver_does_is_nothing_to_another(
    store: SqlStore, clock: FakeClock
) -> None:
    resolve = names({LOOPBACK: [LOOPBACK]})
    async with (
        receiving([CLOSED]) as bad,
        receiving() as good,
        opened(store, clock, resolve=resolve, allow_private=True) as webhooks,
    ):
        await tell(store, bad.url(), "http://nobody.invalid/", good.url())

        assert await webhooks.courier.deliver_due() == 3

    assert len(good.received) == 1


async def test_what_the_database_refuses_is_raised(
    store: SqlStore, clock: FakeClock
) -> None:
    await tell(store, URL)
    drop = text("DROP TABLE webhook_secrets")
    await store.database.write(lambda to: to.execute(drop))

    async with opened(store, clock, resolve=names({}), transport=Wire()) as webhooks:
        with pytest.raises(StoreError):
            await webhooks.courier.deliver_due()

    assert (await noted(store)).due_at == clock.now() + CLAIM


# -------------------------------------------------------------------- to whom it comes
async def test_the_address_that_was_checked_is_the_one_connected_to(
    store: SqlStore, clock: FakeClock
) -> None:
    wire = Wire()
    await tell(store, "https://hook.invalid:8443/hook?a=1", "https://six.invalid/")
    known = {"hook.invalid": [PUBLIC], "six.invalid": [OTHER]}
    async with opened(store, clock, resolve=names(known), transport=wire) as webhooks:
        await webhooks.courier.deliver_due()

    four, six = sorted(wire.requests, key=lambda request: request.url.raw_host)[::-1]
    assert str(four.url) == f"https://{PUBLIC}:8443/hook?a=1"
    assert four.headers["host"] == "hook.invalid:8443"
    assert four.extensions["sni_hostname"] == "hook.invalid"
    assert str(six.url) == f"https://[{OTHER}]/"
    assert six.headers["host"] == "six.invalid"


async def test_a_name_is_not_looked_up_again_to_connect(
    store: SqlStore, clock: FakeClock
) -> None:
    async with (
        receiving() as receiver,
        opened(
            store,
            clock,
            resolve=names({"hook.invalid": [LOOPBACK]}),
            allow_private=True,
        ) as webhooks,
    ):
        await tell(store, receiver.url("hook.invalid"))
        await webhooks.courier.deliver_due()

    (received,) = receiver.received
    assert received.headers["host"] == f"hook.invalid:{receiver.port}"


@pytest.mark.parametrize(
    "found",
    [
        [LOOPBACK],
        ["169.254.169.254"],
        ["fe80::1%eth0"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a00:1"],
        [PUBLIC, "10.0.0.1"],
    ],
    ids=str,
)
async def test_nothing_is_sent_to_a_name_with_a_private_address(
    store: SqlStore, clock: FakeClock, found: Sequence[str]
) -> None:
    wire = Wire()
    await tell(store, URL)
    resolve = names({"hook.invalid": found})
    async with opened(store, clock, resolve=resolve, transport=wire) as webhooks:
        await webhooks.courier.deliver_due()

    row = await noted(store)
    assert wire.requests == []
    assert "hook.invalid leads to a private or reserved address" in row.error
    assert not any(address in row.error for address in found)
    assert row.due_at > clock.now()


async def test_a_name_that_turns_private_between_two_attempts_is_caught(
    store: SqlStore, clock: FakeClock
) -> None:
    wire, known = Wire(500), {"hook.invalid": [PUBLIC]}
    await tell(store, URL)
    async with opened(store, clock, resolve=names(known), transport=wire) as webhooks:
        assert await webhooks.destinations.check(URL) == [PUBLIC]
        await webhooks.courier.deliver_due()
        known["hook.invalid"] = [LOOPBACK]
        clock.advance(3600)
        await webhooks.courier.deliver_due()

    assert [request.url.host for request in wire.requests] == [PUBLIC]
    assert "private" in (await noted(store)).error


async def test_a_url_that_was_allowed_once_is_refused_when_it_is_no_more(
    store: SqlStore, clock: FakeClock
) -> None:
    wire = Wire()
    await tell(store, f"http://{LOOPBACK}:9/")
    resolve = names({LOOPBACK: [LOOPBACK]})
    async with opened(store, clock, resolve=resolve, transport=wire) as webhooks:
        await webhooks.courier.deliver_due()

    assert wire.requests == []
    assert "https://" in (await noted(store)).error


async def test_the_next_address_is_tried_where_one_takes_no_connection(
    store: SqlStore, clock: FakeClock
) -> None:
    wire = Wire(httpx2.ConnectError("no route"), 204)
    await tell(store, URL)
    resolve = names({"hook.invalid": [OTHER, PUBLIC]})
    async with opened(store, clock, resolve=resolve, transport=wire) as webhooks:
        await webhooks.courier.deliver_due()

    assert [request.url.host for request in wire.requests] == [OTHER, PUBLIC]
    assert (await noted(store)).delivered_at is not None


async def test_a_message_that_may_have_arrived_goes_to_no_second_address(
    store: SqlStore, clock: FakeClock
) -> None:
    wire = Wire(httpx2.ReadTimeout("silence"))
    await tell(store, URL)
    resolve = names({"hook.invalid": [OTHER, PUBLIC]})
    async with opened(store, clock, resolve=resolve, transport=wire) as webhooks:
        await webhooks.courier.deliver_due()

    assert len(wire.requests) == 1
    assert (await noted(store)).error == "no answer (ReadTimeout)"


async def test_an_endpoint_that_takes_no_connection_is_tried_again(
    store: SqlStore, clock: FakeClock
) -> None:
    wire = Wire(*[httpx2.ConnectError("refused")] * 9)
    await tell(store, URL)
    resolve = names({"hook.invalid": [f"93.184.216.{last}" for last in range(9)]})
    async with opened(store, clock, resolve=resolve, transport=wire) as webhooks:
        await webhooks.courier.deliver_due()

    assert len(wire.requests) == 3
    assert (await noted(store)).error == "not reached (ConnectError)"


# ------------------------------------------------------------------------------- by TLS
def server_of(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


async def test_the_certificate_must_be_that_of_the_name_and_not_of_the_address(
    store: SqlStore, clock: FakeClock
) -> None:
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    transport = httpx2.AsyncHTTPTransport(
        verify=trusting, limits=httpx2.Limits(max_keepalive_connections=0)
    )
    known = {"hook.invalid": [LOOPBACK], "other.invalid": [LOOPBACK]}
    async with (
        receiving(tls=server_of(authority, "hook.invalid")) as receiver,
        opened(
            store,
            clock,
            resolve=names(known),
            transport=transport,
            allow_private=True,
        ) as webhooks,
    ):
        for host in ("hook.invalid", "other.invalid"):
            url = receiver.url(host, scheme="https")
            await tell(store, url, owner=host)
            await webhooks.courier.deliver_due()

    (received,) = receiver.received
    assert received.headers["host"] == f"hook.invalid:{receiver.port}"


# ----------------------------------------------------------------------------- the door
async def test_a_webhook_is_refused_at_the_door_if_its_name_is_private() -> None:
    known = {"hook.invalid": ["10.0.0.7"], "empty.invalid": []}
    destinations = Destinations(names(known), allow_private=False)
    expected = {
        "https://hook.invalid/": "private",
        "https://empty.invalid/": "has no address",
        "https://nobody.invalid/": "has no address",
        "http://hook.invalid/": "https://",
        f"https://{LOOPBACK}/": "private",
    }

    for url, said in expected.items():
        with pytest.raises(InvalidSearch, match=said) as refused:
            await destinations.check(url)
        assert refused.value.field == "webhook"
        assert "10.0.0.7" not in str(refused.value)


@pytest.mark.parametrize("host", ["0x7f.1", "2130706433", "127.1", "localhost"])
async def test_an_address_in_disguise_is_looked_through(host: str) -> None:
    destinations = Destinations(allow_private=False)

    with pytest.raises(InvalidSearch, match="private"):
        await destinations.check(f"https://{host}/")


async def test_a_name_that_nobody_can_look_up_is_refused() -> None:
    destinations = Destinations(allow_private=False)

    for host in ("a" * 64 + ".invalid", "a..invalid"):
        with pytest.raises(InvalidSearch, match="has no address"):
            await destinations.check(f"https://{host}/")


async def test_the_own_name_of_this_machine_leads_to_itself() -> None:
    assert set(await look_up("localhost", 80)) <= {LOOPBACK, "::1"}
    assert await look_up(OTHER, 443) == [OTHER]
