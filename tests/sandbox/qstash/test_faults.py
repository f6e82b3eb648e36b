"""Every way in which the QStash sandbox misbehaves, seen from outside."""

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest
from qstash import AsyncQStash, Receiver
from qstash.errors import (
    DailyMessageLimitExceededError,
    QStashError,
    RateLimitExceededError,
    SignatureError,
)
from sandbox.qstash.people import Got, Port, Running, Start

from headcount.sandbox.qstash import FAULTS, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOOK = "https://app.example/hook"
# fault -> what the official client makes of it
REFUSALS: dict[str, tuple[type[Exception], str]] = {
    "down": (httpx.TransportError, ""),
    "lost_answer": (httpx.TransportError, ""),
    "server_error": (QStashError, "status: 500"),
    "bad_token": (QStashError, "unable to authenticate: invalid token"),
    "quota": (QStashError, "status: 412"),
    "daily_quota": (DailyMessageLimitExceededError, "Limit: 1000"),
    "burst_quota": (RateLimitExceededError, "Limit: 100"),
}
# fault -> what the official receiver has against it
FORGERIES = {
    "wrong_key": "Signature verification failed",
    "expired": "Signature has expired",
    "not_yet_valid": "not yet valid",
    "wrong_sub": "Invalid subject: https://elsewhere.example/hook",
    "wrong_issuer": "Invalid issuer",
    "altered_body": "Invalid body hash",
    "unsigned": "Not enough segments",
}
GENUINE = {"next_key", "nbf_zero", "unpadded_hash"}
WAITS = {"reordered", "late", "vanished"}
ELSEWHERE = {"duplicate", "twins", "lost_reply", "no_body_claim", "signed_twice"}


async def test_no_fault_is_without_a_test() -> None:
    tested = REFUSALS.keys() | FORGERIES.keys() | GENUINE | WAITS | ELSEWHERE

    assert tested == FAULTS.keys()


# ---------------------------------------------------------------------------- requests
@pytest.mark.parametrize("name", REFUSALS)
async def test_a_request_goes_wrong_and_the_next_one_does_not(
    name: str, start: Start, port: Port, client: AsyncQStash
) -> None:
    running = await start(f"{name}@1")
    port.leads_to = running.sandbox
    kind, text = REFUSALS[name]

    with pytest.raises(kind) as raised:
        await client.message.publish(url=HOOK, body="first")
    await client.message.publish(url=HOOK, body="second")
    await running.settled()

    assert text in str(raised.value)
    taken = ["first", "second"] if name == "lost_answer" else ["second"]
    assert running.hook.bodies == taken


async def test_a_lost_answer_asked_again_is_a_duplicate_by_its_id(
    start: Start, port: Port, client: AsyncQStash
) -> None:
    running = await start("lost_answer@1")

    port.leads_to = running.sandbox
    once: dict[str, Any] = {"url": HOOK, "body": "once", "deduplication_id": "job-1"}

    with pytest.raises(httpx.TransportError):
        await client.message.publish(**once)
    answer: Any = await client.message.publish(**once)
    await running.settled()

    assert answer.deduplicated is True
    assert running.hook.bodies == ["once"]


async def test_a_server_that_is_down_takes_nothing_until_it_is_up_again(
    start: Start, port: Port, client: AsyncQStash
) -> None:
    running = await start()
    port.leads_to = running.sandbox

    running.sandbox.down = True
    with pytest.raises(httpx.TransportError):
        await client.signing_key.get()
    running.sandbox.down = False
    keys = await client.signing_key.get()

    assert keys.current == running.sandbox.keys.current


# ---------------------------------------------------------------------------- messages
async def test_reordered_messages_overtake_one_another(start: Start) -> None:
    running = await start("reordered:0.5")
    sent = [f"{n:02}" for n in range(20)]

    for body in sent:
        await running.publish(body)
    await running.settled()

    assert running.hook.bodies != sent
    assert sorted(running.hook.bodies) == sent


async def test_a_late_message_comes_an_hour_after_its_time(start: Start) -> None:
    running = await start("late@1")
    await running.publish()

    await running.sandbox.skip(3599)
    early = len(running.hook.got)
    await running.sandbox.skip(2)

    assert (early, len(running.hook.got)) == (0, 1)


async def test_a_vanished_message_never_comes(start: Start) -> None:
    running = await start("vanished@1")
    await running.publish("lost")
    await running.publish("found")

    await running.settled()

    assert running.hook.bodies == ["found"]


# -------------------------------------------------------------------------- deliveries
async def test_a_duplicate_comes_after_the_2xx_with_the_same_id(start: Start) -> None:
    running = await start("duplicate@1")

    sent = await running.publish()
    await running.settled()

    told = [
        (got.header("upstash-message-id"), got.header("upstash-retried"))
        for got in running.hook.got
    ]
    assert told == [(sent, "0"), (sent, "0")]
    assert (await running.states(sent)).count("DELIVERED") == 1


async def test_an_error_is_not_duplicated(start: Start) -> None:
    running = await start("duplicate:1")
    running.hook.will_reply(500)

    await running.publish(retries=0)
    await running.settled()

    assert len(running.hook.got) == 1


async def test_twins_are_under_way_at_the_same_moment(start: Start) -> None:
    running = await start("twins@1")
    both = asyncio.Barrier(2)
    running.hook.before_reply = lambda _: both.wait()

    await running.publish()
    async with asyncio.timeout(5):
        await running.settled()

    assert len(running.hook.got) == 2


async def test_a_lost_reply_is_an_error_although_the_work_is_done(start: Start) -> None:
    running = await start("lost_reply@1")

    await running.publish()
    await running.settled()

    assert [got.header("upstash-retried") for got in running.hook.got] == ["0", "1"]


async def one_delivery(start: Start, *faults: str) -> tuple[Running, Got]:
    running = await start(*faults)
    await running.publish("signed")
    await running.settled()
    return running, running.hook.got[0]


def claims_of(signature: str) -> dict[str, Any]:
    middle = signature.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=="))
    return claims


def verify(running: Running, got: Got) -> None:
    """As the official receiver does it."""
    keys = running.sandbox.keys
    verify_by(keys.current, keys.next, got)


def verify_by(current: str, following: str, got: Got) -> None:
    signature = got.header("upstash-signature") or ""
    receiver = Receiver(current, following)
    receiver.verify(signature=signature, body=got.body.decode(), url=HOOK)


async def test_a_delivery_is_signed_for_its_url_and_body(start: Start) -> None:
    running, got = await one_delivery(start)
    (signature,) = got.signatures
    claims = claims_of(signature)

    verify(running, got)
    assert (claims["iss"], claims["sub"]) == ("Upstash", HOOK)
    assert claims["exp"] - claims["iat"] == 300
    assert claims["nbf"] == claims["iat"]
    assert claims["jti"].startswith("jwt_")
    assert claims["body"].endswith("=")


async def test_a_delivery_is_signed_with_the_current_key(start: Start) -> None:
    running, got = await one_delivery(start)
    current = running.sandbox.keys.current

    verify_by(current, current, got)


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forgery_does_not_get_past_the_official_receiver(
    name: str, start: Start
) -> None:
    running, got = await one_delivery(start, f"{name}@1")
    current = running.sandbox.keys.current  # twice, or the next key's verdict is told

    with pytest.raises(SignatureError, match=FORGERIES[name]):
        verify_by(current, current, got)
    with pytest.raises(SignatureError):
        verify(running, got)


@pytest.mark.parametrize("name", sorted(GENUINE))
async def test_an_unusual_signature_is_genuine_all_the_same(
    name: str, start: Start
) -> None:
    running, got = await one_delivery(start, f"{name}@1")

    verify(running, got)


async def test_the_next_key_is_not_the_current_one(start: Start) -> None:
    running, got = await one_delivery(start, "next_key@1")
    current = running.sandbox.keys.current

    with pytest.raises(SignatureError):
        verify_by(current, current, got)


async def test_a_signature_may_say_nothing_of_the_body(start: Start) -> None:
    _, got = await one_delivery(start, "no_body_claim@1")

    assert "body" not in claims_of(got.signatures[0])


async def test_there_may_be_two_signature_headers(start: Start) -> None:
    _, got = await one_delivery(start, "signed_twice@1")

    assert len(got.signatures) == 2


async def test_two_rotations_leave_the_old_keys_worth_nothing(start: Start) -> None:
    running = await start()
    old = running.sandbox.keys
    for _ in range(2):
        await running.http.post("/v2/keys/rotate")
    await running.publish("signed")
    await running.settled()
    (got,) = running.hook.got

    verify(running, got)
    with pytest.raises(SignatureError):
        verify_by(old.current, old.next, got)


async def test_the_deliveries_are_witnessed_with_their_faults(start: Start) -> None:
    running = await start("wrong_key@2")
    running.hook.will_reply(500)
    sent = await running.publish()
    await running.settled()

    told = (await running.http.get("/sandbox/deliveries")).json()["deliveries"]

    assert [(each["status"], each["fault"]) for each in told] == [
        (500, None),
        (200, "wrong_key"),
    ]
    assert {each["message_id"] for each in told} == {sent}
    assert len(running.sandbox.deliveries) == 2


async def test_leaving_the_port_stops_what_is_under_way(start: Start) -> None:
    running = await start()
    under_way = asyncio.Event()

    async def for_ever(_: Got) -> None:
        under_way.set()
        await asyncio.Event().wait()

    running.hook.before_reply = for_ever
    async with asyncio.timeout(5), serving(running.sandbox):
        await running.publish()
        await under_way.wait()

    assert running.sandbox.deliveries == ()


async def test_time_is_skipped_by_request_too(start: Start) -> None:
    running = await start()
    await running.publish(delay="1d")

    await running.http.post("/sandbox/skip", params={"seconds": 86_401})

    assert len(running.hook.got) == 1
