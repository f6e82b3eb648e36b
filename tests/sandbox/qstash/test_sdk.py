"""What the official SDK may rely on, asked by both of its clients over a real port."""

from typing import Any

import pytest
from qstash.errors import QStashError
from qstash.log import LogState
from sandbox.qstash.people import Asked

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOOK = "https://app.example/hook"
GONE = "https://app.example/404"


async def delivered(sdk: Asked, message_id: str) -> bool:
    found = await sdk(
        sdk.api.log.list,
        filter={"message_id": message_id, "state": LogState.DELIVERED},
    )
    return len(found.logs) == 1


# --------------------------------------------------------------------------- messages
async def test_a_published_message_is_delivered_with_its_headers(sdk: Asked) -> None:
    sent = await sdk(
        sdk.api.message.publish,
        url=f"{HOOK}?page=2&q=a%20b",
        body="hello",
        content_type="text/plain",
        headers={"X-Invented": "yes"},
        method="PUT",
    )
    await sdk.settled()

    (got,) = sdk.running.hook.got
    assert (got.method, got.path, got.query) == ("PUT", "/hook", "page=2&q=a%20b")
    assert got.body == b"hello"
    assert got.header("x-invented") == "yes"
    assert got.header("content-type") == "text/plain"
    assert got.header("upstash-message-id") == sent.message_id
    assert got.header("upstash-retried") == "0"
    assert await delivered(sdk, sent.message_id)


async def test_json_is_delivered_as_json(sdk: Asked) -> None:
    await sdk(sdk.api.message.publish_json, url=HOOK, body={"jobId": "j1"})
    await sdk.settled()

    (got,) = sdk.running.hook.got
    assert got.body == b'{"jobId": "j1"}'
    assert got.header("content-type") == "application/json"


async def test_a_message_can_be_read_right_after_its_delivery(sdk: Asked) -> None:
    sent = await sdk(
        sdk.api.message.publish,
        url=HOOK,
        body="hello",
        headers={"X-Invented": "yes"},
        label="a label",
        retries=2,
        retry_delay="1000 * (1 + retried)",
        flow_control={"key": "key", "parallelism": 3, "rate": 4, "period": 2},
    )
    await sdk.settled()

    message = await sdk(sdk.api.message.get, sent.message_id)

    assert (message.url, message.body, message.method) == (HOOK, "hello", "POST")
    assert message.headers == {"X-Invented": ["yes"]}
    assert message.label == "a label"
    assert message.max_retries == 2
    assert message.retry_delay_expression == "1000 * (1 + retried)"
    flow = message.flow_control
    assert (flow.key, flow.parallelism, flow.rate, flow.period) == ("key", 3, 4, 2)


async def test_a_message_is_gone_a_minute_after_its_end(sdk: Asked) -> None:
    sent = await sdk(sdk.api.message.publish, url=HOOK)
    await sdk.settled()
    await sdk.running.sandbox.skip(61)

    with pytest.raises(QStashError, match="404"):
        await sdk(sdk.api.message.get, sent.message_id)


async def test_the_period_of_flow_control_is_a_second_if_not_given(sdk: Asked) -> None:
    sent = await sdk(
        sdk.api.message.publish,
        url=HOOK,
        flow_control={"key": "key", "parallelism": 3},
    )

    message = await sdk(sdk.api.message.get, sent.message_id)

    assert message.flow_control.period == 1


async def test_a_body_that_is_no_text_is_told_in_base64(sdk: Asked) -> None:
    sent = await sdk(sdk.api.message.publish, url=HOOK, body=b"\xff\x00")

    message = await sdk(sdk.api.message.get, sent.message_id)

    assert (message.body, message.body_base64) == (None, "/wA=")


async def test_a_batch_is_taken_message_by_message(sdk: Asked) -> None:
    found = await sdk(
        sdk.api.message.batch,
        [
            {"url": HOOK, "body": f"hi {n}", "headers": {f"X-{n}": "1"}}
            for n in range(3)
        ],
    )
    await sdk.settled()

    assert len({each.message_id for each in found}) == 3
    assert sorted(sdk.running.hook.bodies) == ["hi 0", "hi 1", "hi 2"]


async def test_a_batch_of_json_may_mix_urls_queues_and_groups(sdk: Asked) -> None:
    await sdk(sdk.api.url_group.upsert_endpoints, "group", [{"url": HOOK}])

    single, queued, grouped = await sdk(
        sdk.api.message.batch_json,
        [
            {"url": HOOK, "body": {"n": 1}},
            {"queue": "queue", "url": HOOK, "body": {"n": 2}},
            {"url_group": "group", "body": {"n": 3}},
        ],
    )
    await sdk.settled()

    for sent in (single, queued, *grouped):
        assert await delivered(sdk, sent.message_id)


async def test_an_enqueued_message_makes_its_queue(sdk: Asked) -> None:
    sent = await sdk(sdk.api.message.enqueue_json, queue="new", url=HOOK, body={"n": 1})
    await sdk.settled()

    assert await delivered(sdk, sent.message_id)
    assert (await sdk(sdk.api.queue.get, "new")).parallelism == 1


async def test_a_url_group_gets_a_message_for_each_endpoint(sdk: Asked) -> None:
    endpoints = [{"url": f"{HOOK}/1"}, {"url": f"{HOOK}/2", "name": "second"}]
    await sdk(sdk.api.url_group.upsert_endpoints, "group", endpoints)

    found = await sdk(sdk.api.message.publish, url_group="group", body="hello")
    await sdk.settled()

    assert {each.url for each in found} == {f"{HOOK}/1", f"{HOOK}/2"}
    assert [got.header("upstash-topic-name") for got in sdk.running.hook.got] == [
        "group",
        "group",
    ]


async def test_messages_are_cancelled_one_by_one_by_ids_or_all(sdk: Asked) -> None:
    ids = []
    for _ in range(5):
        sent = await sdk(sdk.api.message.publish, url=HOOK, delay="1h")
        ids.append(sent.message_id)

    await sdk(sdk.api.message.cancel, ids[0])
    some = await sdk(sdk.api.message.cancel_many, ids[:3])
    rest = await sdk(sdk.api.message.cancel_all)
    await sdk.settled()

    assert (some, rest) == (2, 2)
    assert sdk.running.hook.got == []
    with pytest.raises(QStashError, match="404"):
        await sdk(sdk.api.message.cancel, ids[0])


async def test_cancelling_without_an_id_cancels_everything(sdk: Asked) -> None:
    await sdk(sdk.api.message.publish, url=HOOK, delay="1h")

    await sdk(sdk.api.message.cancel, "")
    await sdk.settled()

    assert sdk.running.hook.got == []


async def test_logs_come_newest_first_and_in_pages(sdk: Asked) -> None:
    sent = await sdk(sdk.api.message.publish, url=HOOK, label="mine", timeout=90)
    await sdk(sdk.api.message.publish, url=HOOK, label="other")
    await sdk.settled()

    mine = {"label": "mine"}
    first = await sdk(sdk.api.log.list, count=2, filter=mine)
    rest = await sdk(sdk.api.log.list, cursor=first.cursor, filter=mine)

    states = [log.state.value for log in (*first.logs, *rest.logs)]
    assert states == ["DELIVERED", "ACTIVE", "CREATED"]
    assert {log.message_id for log in first.logs} == {sent.message_id}
    assert {log.timeout for log in first.logs} == {90}
    assert rest.cursor is None


async def test_what_is_to_be_redacted_is_delivered_but_not_told(sdk: Asked) -> None:
    sent = await sdk(
        sdk.api.message.publish,
        url=HOOK,
        body="secret",
        headers={"X-Key": "secret", "X-Plain": "plain"},
        redact={"body": True, "header": ["X-Key"]},
    )
    await sdk.settled()

    message = await sdk(sdk.api.message.get, sent.message_id)

    assert sdk.running.hook.bodies == ["secret"]
    assert message.body.startswith("REDACTED:")
    assert message.headers["X-Key"][0].startswith("REDACTED:")
    assert message.headers["X-Plain"] == ["plain"]


# ----------------------------------------------------------------------- dead letters
async def dead(sdk: Asked, **options: Any) -> Any:  # noqa: ANN401 - a fixture
    return (await sdk(sdk.api.dlq.list, **options)).messages


async def test_a_message_that_fails_becomes_a_dead_letter(sdk: Asked) -> None:
    sent = await sdk(sdk.api.message.publish, url=GONE, body="hello", retries=0)
    await sdk.settled()

    (found,) = await dead(sdk, filter={"message_id": sent.message_id})
    alone = await sdk(sdk.api.dlq.get, found.dlq_id)

    assert alone == found
    assert (found.body, found.response_status) == ("hello", 404)
    assert found.response_body == "404 Not Found"


async def test_dead_letters_are_listed_in_pages_and_filtered(sdk: Asked) -> None:
    for name in ("a", "b", "b"):
        await sdk(sdk.api.message.publish, url=GONE, retries=0, label=name)
    await sdk.settled()

    first = await sdk(sdk.api.dlq.list, count=2)
    rest = await sdk(sdk.api.dlq.list, cursor=first.cursor)

    assert (len(first.messages), len(rest.messages)) == (2, 1)
    assert len(await dead(sdk, filter={"label": "b"})) == 2
    assert len(await dead(sdk, filter={"response_status": 404})) == 3
    assert await dead(sdk, filter={"response_status": 500}) == []


async def test_dead_letters_are_thrown_away_one_by_one_or_many(sdk: Asked) -> None:
    for _ in range(3):
        await sdk(sdk.api.message.publish, url=GONE, retries=0)
    await sdk.settled()
    first, *rest = [letter.dlq_id for letter in await dead(sdk)]

    await sdk(sdk.api.dlq.delete, first)
    count = await sdk(sdk.api.dlq.delete_many, rest)

    assert count == 2
    assert await dead(sdk) == []
    with pytest.raises(QStashError, match="404"):
        await sdk(sdk.api.dlq.delete, first)


# --------------------------------------------------------------------------- settings
async def test_a_queue_is_made_changed_held_and_taken_away(sdk: Asked) -> None:
    queues = sdk.api.queue
    await sdk(queues.upsert, "queue", parallelism=2, paused=True)
    made = await sdk(queues.get, "queue")
    await sdk(queues.resume, "queue")
    resumed = await sdk(queues.get, "queue")
    await sdk(queues.pause, "queue")
    (held,) = await sdk(queues.list)
    await sdk(queues.delete, "queue")

    assert (made.name, made.parallelism, made.paused) == ("queue", 2, True)
    assert (resumed.paused, held.paused) == (False, True)
    assert await sdk(queues.list) == []


async def test_a_url_group_is_made_changed_and_taken_away(sdk: Asked) -> None:
    groups = sdk.api.url_group
    await sdk(groups.delete, "group")
    endpoints = [{"url": f"{HOOK}/1"}, {"url": f"{HOOK}/2", "name": "second"}]
    await sdk(groups.upsert_endpoints, "group", endpoints)
    await sdk(groups.remove_endpoints, "group", [{"name": "second"}])

    (group,) = await sdk(groups.list)
    await sdk(groups.remove_endpoints, "group", [{"url": f"{HOOK}/1"}])

    assert [endpoint.url for endpoint in group.endpoints] == [f"{HOOK}/1"]
    with pytest.raises(QStashError, match="topic group not found"):
        await sdk(groups.get, "group")


async def test_a_schedule_is_made_held_and_taken_away(sdk: Asked) -> None:
    schedules = sdk.api.schedule
    schedule_id = await sdk(
        schedules.create_json,
        destination=HOOK,
        cron="1 1 1 1 1",
        body={"n": 1},
        queue="queue",
        label="mine",
        retry_delay="5000",
        delay="1m",
        flow_control={"key": "key", "rate": 2},
    )
    await sdk(schedules.pause, schedule_id)
    (held,) = await sdk(schedules.list)
    await sdk(schedules.resume, schedule_id)
    found = await sdk(schedules.get, schedule_id)
    await sdk(schedules.delete, schedule_id)

    assert (held.paused, found.paused) == (True, False)
    assert (found.schedule_id, found.cron) == (schedule_id, "1 1 1 1 1")
    assert (found.destination, found.queue, found.label) == (HOOK, "queue", "mine")
    assert (found.retry_delay_expression, found.delay) == ("5000", 60)
    assert (found.flow_control.key, found.flow_control.period) == ("key", 1)
    assert await sdk(schedules.list) == []


async def test_flow_control_is_told_pinned_and_reset(sdk: Asked) -> None:
    flow = sdk.api.flow_control
    options = {"parallelism": 5, "rate": 10, "period": "1m"}
    control = {"key": "key", **options}
    await sdk(sdk.api.message.publish, url=HOOK, flow_control=control)
    await sdk.settled()

    asked = await sdk(flow.get, "key")
    await sdk(flow.pin, "key", {"parallelism": 1, "rate": 2, "period": 30})
    await sdk(sdk.api.message.publish, url=HOOK, flow_control=control)
    pinned = await sdk(flow.get, "key")
    await sdk(flow.unpin, "key", {"parallelism": True, "rate": True})
    await sdk(flow.reset_rate, "key")
    await sdk(flow.pause, "key")
    free = await sdk(flow.get, "key")
    await sdk(flow.resume, "key")

    assert (asked.parallelism_max, asked.rate_max, asked.rate_period) == (5, 10, 60)
    assert asked.rate_count == 1
    assert (pinned.parallelism_max, pinned.rate_max, pinned.rate_period) == (1, 2, 30)
    assert (pinned.is_pinned_parallelism, pinned.is_pinned_rate) == (True, True)
    assert (free.is_pinned_parallelism, free.is_pinned_rate) == (False, False)
    assert (free.rate_count, free.is_paused) == (0, True)
    assert (await sdk(flow.get, "key")).is_paused is False
    assert (await sdk(flow.get_global_parallelism)).parallelism_max == 10


async def test_the_next_key_becomes_the_current_one(sdk: Asked) -> None:
    before = await sdk(sdk.api.signing_key.get)
    after = await sdk(sdk.api.signing_key.rotate)

    assert after.current == before.next
    assert after.next not in {before.current, before.next}
    assert await sdk(sdk.api.signing_key.get) == after
