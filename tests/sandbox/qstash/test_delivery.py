"""How a message gets to its end: delays, retries, deduplication, callbacks, queues."""

import asyncio
import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest
from sandbox.qstash.people import Got, Running, Start

from headcount.sandbox.qstash import Clock, Limits

pytestmark = pytest.mark.asyncio(loop_scope="module")
APP = "https://app.example"


def moments(running: Running) -> list[datetime]:
    return [datetime.fromisoformat(each.at) for each in running.sandbox.deliveries]


def waits(running: Running) -> list[int]:
    """The whole seconds between one delivery and the next."""
    pairs = pairwise(moments(running))
    return [round((later - earlier).total_seconds()) for earlier, later in pairs]


# -------------------------------------------------------------------------------- time
async def test_a_delayed_message_waits_for_its_time(running: Running) -> None:
    await running.publish(delay="1h30m")

    await running.sandbox.skip(5399)
    early = len(running.hook.got)
    await running.sandbox.skip(2)

    assert (early, len(running.hook.got)) == (0, 1)


async def test_an_absolute_time_wins_over_a_delay(running: Running) -> None:
    soon = int(running.sandbox.clock.wall()) + 100
    await running.publish(not_before=soon, delay="1h")

    await running.sandbox.skip(101)

    assert len(running.hook.got) == 1


async def test_a_clock_that_runs_delivers_by_itself(start: Start) -> None:
    running = await start(clock=Clock(100_000))
    came = asyncio.Event()

    async def tell(_: object) -> None:
        came.set()

    running.hook.before_reply = tell
    await running.publish(delay="10m")

    async with asyncio.timeout(5):
        await came.wait()


# ----------------------------------------------------------------------------- retries
async def test_retries_come_by_backoff_and_then_the_message_is_dead(
    running: Running,
) -> None:
    running.hook.will_reply(500, 302, 401, 404)

    sent = await running.publish()
    await running.settled()

    (letter,) = await running.dead()
    assert waits(running) == [12, 148, 1808]
    assert [got.header("upstash-retried") for got in running.hook.got] == list("0123")
    assert {got.header("upstash-message-id") for got in running.hook.got} == {sent}
    assert (letter["messageId"], letter["responseStatus"]) == (sent, 404)
    assert (await running.states(sent))[-2:] == ["ERROR", "FAILED"]


async def test_a_retry_that_succeeds_is_the_last(running: Running) -> None:
    running.hook.will_reply(503, 200)

    sent = await running.publish()
    await running.settled()

    assert await running.states(sent) == [
        "CREATED", "ACTIVE", "ERROR", "RETRY", "ACTIVE", "DELIVERED",
    ]  # fmt: skip
    assert await running.dead() == []


async def test_a_retry_delay_is_reckoned_in_milliseconds(running: Running) -> None:
    running.hook.will_reply(500, 500, 500, 500)

    await running.publish(retry_delay="1000 * pow(2, retried)")
    await running.settled()

    assert waits(running) == [1, 2, 4]


ASKED_WAITS = {
    "seconds": ({"retry-after": "7"}, 7),
    "a duration": ({"x-ratelimit-reset": "6m5s"}, 365),
    "requests": ({"x-ratelimit-reset-requests": "1500ms"}, 2),
    "tokens": ({"x-ratelimit-reset-tokens": "3"}, 3),
    "more than a day is not listened to": ({"retry-after": "86401"}, 12),
    "nonsense is not listened to": ({"retry-after": "soon"}, 12),
}


@pytest.mark.parametrize("case", ASKED_WAITS)
async def test_an_answer_may_say_when_to_try_again(running: Running, case: str) -> None:
    headers, expected = ASKED_WAITS[case]
    running.hook.will_reply(429, headers=headers)

    await running.publish()
    await running.settled()

    assert waits(running) == [expected]


async def test_a_date_to_try_again_is_by_the_time_of_day(running: Running) -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
    running.hook.will_reply(503, headers={"retry-after": in_a_minute})

    await running.publish()
    await running.settled()

    (wait,) = waits(running)
    assert 30 <= wait <= 60


async def test_489_with_its_header_ends_a_message_at_once(running: Running) -> None:
    running.hook.will_reply(489, headers={"upstash-nonretryable-error": "true"})
    await running.publish("hopeless")
    await running.settled()

    assert len(running.hook.got) == 1
    assert [letter["body"] for letter in await running.dead()] == ["hopeless"]


async def test_489_without_its_header_is_an_error_like_any_other(
    running: Running,
) -> None:
    running.hook.will_reply(489)

    await running.publish()
    await running.settled()

    assert len(running.hook.got) == 2


async def test_an_answer_that_takes_too_long_is_none(running: Running) -> None:
    released = asyncio.Event()

    async def dawdle(got: Got) -> None:
        if got.header("upstash-retried") == "0":
            await released.wait()

    running.hook.before_reply = dawdle
    sent = await running.publish(timeout="20ms")
    await running.settled()

    assert [each.status for each in running.sandbox.deliveries] == [0, 200]
    assert (await running.states(sent))[-1] == "DELIVERED"


async def test_a_dead_letter_is_retried_as_a_new_message(running: Running) -> None:
    running.hook.will_reply(500)
    sent = await running.publish("again", retries=0)
    await running.settled()
    (letter,) = await running.dead()

    answer = await running.http.post(
        f"/v2/dlq/retry/{letter['dlqId']}", headers={"Upstash-Retries": "1"}
    )
    await running.settled()

    (fresh,) = answer.json()["responses"]
    assert answer.status_code == 201
    assert fresh["messageId"] != sent
    assert running.hook.bodies == ["again", "again"]
    assert await running.dead() == []
    told = (await running.http.get(f"/v2/messages/{fresh['messageId']}")).json()
    assert told["maxRetries"] == 1


async def test_dead_letters_are_retried_by_filter(running: Running) -> None:
    running.hook.will_reply(500, 500)
    await running.publish("a", retries=0, label="a")
    await running.publish("b", retries=0, label="b")
    await running.settled()

    await running.http.post("/v2/dlq/retry", params={"label": "b"})
    await running.settled()

    assert running.hook.bodies == ["a", "b", "b"]
    assert [letter["body"] for letter in await running.dead()] == ["a"]


# ---------------------------------------------------------------------- deduplication
async def test_a_deduplication_id_holds_for_ten_minutes(running: Running) -> None:
    first = await running.ask_to_publish(deduplication_id="job-1")
    second = await running.ask_to_publish(deduplication_id="job-1")
    await running.sandbox.skip(601)
    third = await running.ask_to_publish(deduplication_id="job-1")

    known = first.json()["messageId"]
    assert second.status_code == 202
    assert second.json() == {"messageId": known, "deduplicated": True}
    assert third.json()["messageId"] != known


async def test_a_dead_message_still_holds_its_deduplication_id(
    running: Running,
) -> None:
    running.hook.will_reply(489, headers={"upstash-nonretryable-error": "true"})
    await running.publish(deduplication_id="job-1")
    await running.settled()

    again = await running.ask_to_publish(deduplication_id="job-1")

    assert again.json()["deduplicated"] is True


async def test_the_same_content_is_a_duplicate_if_asked_for(running: Running) -> None:
    asked = {"content_based_deduplication": "True"}
    await running.publish("same", **asked)
    same = await running.ask_to_publish("same", **asked)
    other = await running.ask_to_publish("other", **asked)
    plain = await running.ask_to_publish("same")

    assert "deduplicated" in same.json()
    assert "deduplicated" not in other.json() | plain.json()


# --------------------------------------------------------------------------- callbacks
async def test_a_callback_tells_of_every_attempt(running: Running) -> None:
    running.hook.will_reply(500)

    sent = await running.publish(callback=f"{APP}/told", retry_delay="1000")
    await running.settled()

    first, second = (json.loads(got.body) for got in running.hook.at("/told"))
    assert (first["status"], second["status"]) == (500, 200)
    assert ("retried" in first, second["retried"]) == (False, 1)
    assert first["sourceMessageId"] == second["sourceMessageId"] == sent
    assert b64decode(second["body"]) == b"fine"
    assert b64decode(second["sourceBody"]) == b"hello"


async def test_a_failure_callback_comes_once_with_the_dead_letter(
    running: Running,
) -> None:
    running.hook.will_reply(500, 500)

    await running.publish(
        retries=1,
        failure_callback=f"{APP}/failed",
        failure_callback_forward_x_job="j1",
    )
    await running.settled()

    (got,) = running.hook.at("/failed")
    (letter,) = await running.dead()
    told = json.loads(got.body)
    assert got.header("x-job") == "j1"
    assert (told["dlqId"], told["maxRetries"]) == (letter["dlqId"], 1)


async def test_a_callback_is_retried_like_any_message(running: Running) -> None:
    running.hook.will_reply(500, 500, 200)

    await running.publish(
        retries=0, failure_callback=f"{APP}/failed", failure_callback_retries=1
    )
    await running.settled()

    assert len(running.hook.at("/failed")) == 2


async def test_a_delayed_callback_is_refused(running: Running) -> None:
    answer = await running.ask_to_publish(callback=f"{APP}/told", callback_delay="10s")

    assert answer.status_code == 400


# -------------------------------------------------------------- queues and flow control
async def enqueue(running: Running, body: str, **headers: str) -> None:
    named = {f"Upstash-{name}": value for name, value in headers.items()}
    path = f"/v2/enqueue/line/{APP}/hook"
    await running.http.post(path, content=body, headers=named)


async def test_a_queue_waits_for_its_head_through_all_retries(running: Running) -> None:
    running.hook.will_reply(500, 500)

    for body in ("first", "second"):
        await enqueue(running, body, Retries="1")
    await running.settled()

    assert running.hook.bodies == ["first", "first", "second"]
    assert waits(running)[0] == 12


async def test_a_queue_waits_for_the_callback_of_its_head(running: Running) -> None:
    await enqueue(running, "first", Callback=f"{APP}/told")
    await enqueue(running, "second")
    await running.settled()

    assert [got.path for got in running.hook.got] == ["/hook", "/told", "/hook"]


async def test_a_queue_that_is_held_keeps_its_messages(running: Running) -> None:
    held = {"queueName": "line", "parallelism": 1, "paused": True}
    await running.http.post("/v2/queues", json=held)
    await enqueue(running, "first")
    await running.settled()
    before = len(running.hook.got)

    await running.http.post("/v2/queues/line/resume")
    await running.settled()

    assert (before, running.hook.bodies) == (0, ["first"])


async def test_no_more_run_at_a_time_than_the_key_allows(running: Running) -> None:
    at_work, most = 0, 0

    async def work(_: object) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)  # lets the others come in, if they may
        at_work -= 1

    running.hook.before_reply = work
    for _ in range(6):
        await running.publish(
            flow_control_key="key", flow_control_value="parallelism=2"
        )
    await running.settled()

    assert (most, len(running.hook.got)) == (2, 6)


async def test_no_more_start_in_a_period_than_the_key_allows(running: Running) -> None:
    for _ in range(5):
        await running.publish(
            flow_control_key="key", flow_control_value="rate=2, period=10s"
        )
    await running.settled()

    assert waits(running) == [0, 10, 0, 10]


async def test_a_new_period_lets_those_that_wait_start_at_once(
    running: Running,
) -> None:
    for _ in range(2):
        await running.publish(
            flow_control_key="key", flow_control_value="rate=1, period=1h"
        )
    await running.sandbox.skip(10)
    await running.http.post("/v2/flowControl/key/resetRate")
    await running.sandbox.skip(10)

    assert waits(running) == [10]


async def test_a_key_that_is_held_keeps_its_messages_in_the_wait_list(
    running: Running,
) -> None:
    control = {"flow_control_key": "key", "flow_control_value": "rate=9"}
    await running.publish("before", **control)
    await running.settled()
    await running.http.post("/v2/flowControl/key/pause")
    await running.publish("held", **control)
    await running.settled()
    told = (await running.http.get("/v2/flowControl/key")).json()

    await running.http.post("/v2/flowControl/key/resume")
    await running.settled()

    assert told["waitListSize"] == 1
    assert running.hook.bodies == ["before", "held"]


async def test_no_more_run_at_a_time_than_the_plan_allows(start: Start) -> None:
    running = await start(limits=Limits(parallelism=1))
    second = asyncio.Event()
    told = []

    async def look(_: object) -> None:
        await second.wait()
        answer = await running.http.get("/v2/globalParallelism")
        told.append(answer.json()["parallelismCount"])

    running.hook.before_reply = look
    await running.publish()
    await running.publish()
    second.set()
    await running.settled()

    assert told == [1, 1]


# --------------------------------------------------------------------- cancel, schedule
async def test_a_cancelled_message_is_called_so_at_its_delivery_time(
    running: Running,
) -> None:
    sent = await running.publish(delay="1h")
    await running.http.delete(f"/v2/messages/{sent}")
    before = await running.states(sent)

    await running.settled()

    assert before == ["CREATED", "CANCEL_REQUESTED"]
    assert (await running.states(sent))[-1] == "CANCELLED"
    assert running.hook.got == []


async def test_a_message_that_is_cancelled_under_way_is_not_retried(
    running: Running,
) -> None:
    async def cancel(got: Got) -> None:
        await running.http.delete(f"/v2/messages/{got.header('upstash-message-id')}")

    running.hook.before_reply = cancel
    running.hook.will_reply(500)
    sent = await running.publish()
    await running.settled()

    assert (await running.states(sent))[-2:] == ["CANCEL_REQUESTED", "CANCELLED"]
    assert len(running.hook.got) == 1


async def schedule(running: Running, **headers: str) -> str:
    named = {
        f"Upstash-{name.replace('_', '-')}": value for name, value in headers.items()
    }
    path = f"/v2/schedules/{APP}/sweep"
    answer = await running.http.post(path, headers=named)
    return str(answer.json()["scheduleId"])


async def test_a_schedule_fires_until_it_is_held_or_taken_away(
    running: Running,
) -> None:
    made = await schedule(running, Cron="*/10 * * * *")
    await running.sandbox.skip(1800)
    fired = len(running.hook.got)
    await running.http.post(f"/v2/schedules/{made}/pause")
    await running.sandbox.skip(1800)
    held = len(running.hook.got)
    await running.http.post(f"/v2/schedules/{made}/resume")
    await running.sandbox.skip(600)
    await running.http.delete(f"/v2/schedules/{made}")
    await running.sandbox.skip(1800)

    assert (fired, held, len(running.hook.got)) == (3, 3, 4)
    assert {got.header("upstash-schedule-id") for got in running.hook.got} == {made}


async def test_a_schedule_of_the_same_id_is_replaced(running: Running) -> None:
    await schedule(running, Cron="* * * * *", Schedule_Id="sweep")
    await schedule(running, Cron="0 * * * *", Schedule_Id="sweep")

    await running.sandbox.skip(3600)

    assert len(running.hook.got) == 1


async def test_a_schedule_whose_group_is_gone_stops_nothing(running: Running) -> None:
    group = {"endpoints": [{"url": f"{APP}/hook"}]}
    await running.http.post("/v2/topics/group/endpoints", json=group)
    hourly = {"Upstash-Cron": "0 * * * *"}
    await running.http.post("/v2/schedules/group", headers=hourly)
    await running.http.delete("/v2/topics/group")
    await running.publish(delay="2h")

    await running.sandbox.skip(7201)

    assert running.hook.bodies == ["hello"]
    assert len((await running.http.get("/v2/schedules")).json()) == 1


async def test_settling_does_not_wait_for_schedules(running: Running) -> None:
    await schedule(running, Cron="* * * * *")

    await running.settled()

    assert running.hook.got == []


async def test_a_queue_that_is_taken_away_takes_its_messages_along(
    running: Running,
) -> None:
    held = {"queueName": "line", "parallelism": 1, "paused": True}
    await running.http.post("/v2/queues", json=held)
    await enqueue(running, "first")

    await running.http.delete("/v2/queues/line")
    await running.settled()

    assert running.hook.got == []
    assert (await running.http.get("/v2/queues")).json() == []


async def test_a_key_is_found_by_a_part_of_it_and_pinned_before_its_use(
    running: Running,
) -> None:
    await running.http.post("/v2/flowControl/provider-1/pin?rate=1")
    await running.http.post("/v2/flowControl/provider-2/pin?parallelism=1")

    found = await running.http.get("/v2/flowControl", params={"search": "r-1"})

    told = [(each["flowControlKey"], each["rateMax"]) for each in found.json()]
    assert told == [("provider-1", 1)]


async def test_all_headers_are_forwarded_if_asked_for_but_not_the_token(
    running: Running,
) -> None:
    await running.http.post(
        f"/v2/publish/{APP}/hook",
        headers={"X-Plain": "yes", "Upstash-Header-Forward": "true"},
    )
    await running.settled()

    (got,) = running.hook.got
    assert got.header("x-plain") == "yes"
    assert got.header("authorization") is None


# --------------------------------------------------------------------------- refusals
REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "more retries than the plan has": ({"retries": 6}, 412, "quota maxRetries"),
    "a longer delay than the plan has": ({"delay": "8d"}, 412, "quota maxDelay"),
    "a delay without a unit": ({"delay": "10"}, 400, "duration"),
    "a retry delay that is no arithmetic": (
        {"retry_delay": "__import__('os')"}, 400, "arithmetic",
    ),
    "a period beyond a week": (
        {"flow_control_value": "rate=1, period=8d"}, 400, "at most a week",
    ),
    "a URL that cannot be": ({"to": "https://app.example:x/hook"}, 400, "is no URL"),
    "a callback that is no URL": ({"callback": "ftp://x"}, 400, "http(s) URL"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
async def test_a_message_that_is_refused(running: Running, case: str) -> None:
    headers, status, text = REFUSED[case]

    answer = await running.ask_to_publish(**headers)

    assert answer.status_code == status
    assert text in answer.json()["error"]


async def test_a_message_too_large_for_the_plan_is_refused(start: Start) -> None:
    running = await start(limits=Limits(message_bytes=10))

    answer = await running.ask_to_publish("12345678901")

    assert answer.status_code == 412
    assert "quota maxMessageSize exceeded, current limit: 10" in answer.text


async def test_no_more_queues_and_schedules_than_the_plan_has(start: Start) -> None:
    running = await start(limits=Limits(queues=1, schedules=1))
    hourly = {"Upstash-Cron": "0 * * * *"}

    codes = [
        (await running.http.post(f"/v2/{path}", headers=hourly)).status_code
        for path in (
            f"enqueue/one/{APP}", f"enqueue/two/{APP}", f"enqueue/one/{APP}",
            f"schedules/{APP}", f"schedules/{APP}",
        )
    ]  # fmt: skip

    assert codes == [200, 412, 200, 200, 412]


async def test_a_schedule_id_has_plain_characters(running: Running) -> None:
    headers = {"Upstash-Cron": "0 * * * *", "Upstash-Schedule-Id": "a b"}

    answer = await running.http.post(f"/v2/schedules/{APP}", headers=headers)

    assert answer.status_code == 400


async def test_a_retry_delay_that_fails_later_falls_back_to_the_backoff(
    running: Running,
) -> None:
    running.hook.will_reply(500, 500)

    await running.publish(retry_delay="1000 / (1 - retried)")
    await running.settled()

    assert waits(running) == [1, 148]


async def test_a_batch_fails_message_by_message_but_a_quota_fails_it_all(
    running: Running,
) -> None:
    good = {"destination": f"{APP}/hook", "headers": {}, "body": "good"}
    bad = {**good, "destination": "no-such-group"}
    greedy = {**good, "headers": {"Upstash-Retries": "99"}}

    mixed = await running.http.post("/v2/batch", json=[good, bad])
    refused = await running.http.post("/v2/batch", json=[good, greedy])
    await running.settled()

    assert "messageId" in mixed.json()[0]
    assert mixed.json()[1] == {"error": "topic no-such-group not found"}
    assert refused.status_code == 412
    assert running.hook.bodies == ["good"]


BAD_REQUESTS = {
    "a destination with percent signs": ("POST", "/v2/publish/https%3A%2F%2Fx", 400),
    "a group that is not there": ("POST", "/v2/publish/nobody", 404),
    "a queue with a bad name": ("POST", f"/v2/enqueue/a%20b/{APP}", 400),
    "a cron that is none": ("POST", f"/v2/schedules/{APP}", 400),
    "a body that is no JSON": ("POST", "/v2/batch", 400),
    "an unknown filter": ("DELETE", "/v2/dlq?colour=red", 400),
    "a page that is no number": ("GET", "/v2/dlq?count=x", 400),
    "a queue that is not there": ("GET", "/v2/queues/none", 404),
    "a schedule that is not there": ("GET", "/v2/schedules/none", 404),
    "a key that is not there": ("GET", "/v2/flowControl/none", 404),
    "a dead letter that is not there": ("GET", "/v2/dlq/none", 404),
    "a path that is not there": ("GET", "/v3/messages", 404),
    "a path appended to the URL": ("POST", f"/v2/publish/v2/publish/{APP}", 400),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
async def test_a_request_that_makes_no_sense_is_told_so(
    running: Running, case: str
) -> None:
    method, path, status = BAD_REQUESTS[case]

    answer = await running.http.request(method, path)

    assert answer.status_code == status
    assert answer.json()["error"]


async def test_another_token_is_refused_and_the_query_may_hold_it(
    running: Running,
) -> None:
    stranger = {"authorization": "Bearer of-another-region"}
    refused = await running.http.get("/v2/keys", headers=stranger)
    in_query = await running.http.get(
        "/v2/keys?qstash_token=sandbox-qstash-token", headers={"authorization": ""}
    )

    assert refused.status_code == 401
    assert refused.json() == {"error": "unable to authenticate: invalid token"}
    assert in_query.status_code == 200


async def test_options_in_the_query_do_not_reach_the_destination(
    running: Running,
) -> None:
    where = f"{APP}/hook?mine=1&upstash-delay=1h&qstash_token=x"
    await running.publish(to=where)
    await running.sandbox.skip(10)
    early = len(running.hook.got)
    await running.settled()

    assert early == 0
    assert running.hook.got[0].query == "mine=1"


# ------------------------------------------------------------------------- many at once
async def test_in_a_crowd_with_faults_every_message_comes_and_ends(
    start: Start,
) -> None:
    running = await start(
        "duplicate:0.1", "lost_reply:0.1", "twins:0.1", "reordered:0.3"
    )
    sent = [await running.publish(f"{n:03}", retries=5) for n in range(300)]

    await running.settled()

    ends = (await running.http.get("/v2/events", params={"state": "DELIVERED"})).json()
    told = (await running.http.get("/v2/logs", params={"count": 1000})).json()["logs"]
    assert set(running.hook.bodies) == {f"{n:03}" for n in range(300)}
    assert len(running.hook.bodies) > 330
    assert sorted(each["messageId"] for each in ends["events"]) == sorted(sent)
    assert len(told) == 1000
    assert await running.dead() == []
