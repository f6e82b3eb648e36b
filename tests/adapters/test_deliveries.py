"""Messages to webhooks in the database: written with a change, taken by one sender."""

import asyncio
import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import A_CREDIT, NOON, a_job, a_page
from fakes.clock import Time
from sqlalchemy import Connection, insert, select

from headcount.adapters.deliveries import CLAIM, PER_ENDPOINT, Deliveries, Delivery
from headcount.adapters.service_tables import deliveries as table
from headcount.adapters.sql import SqlStore
from headcount.adapters.webhook_secrets import OVERLAP, WebhookSecrets, new_secret
from headcount.core import lifecycle, tally
from headcount.core.calls import Page
from headcount.core.destinations import check_secret
from headcount.core.errors import InternalError, InvalidSearch
from headcount.core.model import Change, Job, Known, Label, Lease
from headcount.core.webhooks import PROGRESS_EVERY

URL = "https://hook.invalid/here"
TOLD = Label("bob", webhook=URL)


async def written(store: SqlStore) -> list[Any]:
    """All messages, in the order of their events."""
    statement = select(table).order_by(table.c.created_at, table.c.id)
    return list(await store.database.read(lambda to: to.execute(statement).all()))


async def begin(store: SqlStore, label: Label = TOLD, *, target: int = 10) -> Job:
    """A job that a worker has begun."""
    job = await store.create(a_job(target=target, label=label))
    lease = Lease(0, "worker", NOON + timedelta(days=1))
    change = await store.change(
        job.id, lambda job, _: lifecycle.claim(Change(job), lease, NOON)
    )
    return change.job


async def turn(store: SqlStore, page: Page) -> Job:
    """Ask the only source, and let it answer with this page; then decide again."""
    job = await store.load("job-1")

    def ask(job: Job, _: Known) -> Change:
        return lifecycle.proceed(Change(job), job.fence, NOON, room=1, prices=A_CREDIT)

    if not job.open_calls:
        job = (await store.change("job-1", ask)).job
    (call,) = job.open_calls

    def settle(job: Job, known: Known) -> Change:
        change = tally.settle(Change(job), call.id, page, known, NOON)
        return lifecycle.proceed(change, job.fence, NOON, room=1, prices=A_CREDIT)

    keys = [sighting.key for sighting in page.sightings]
    return (await store.change("job-1", settle, keys)).job


async def keep(store: SqlStore, **changed: object) -> None:
    """A message of the job that is due at noon, or as said."""
    row = {
        "job_id": "job-1",
        "owner": "bob",
        "url": URL,
        "type": "job.progress",
        "body": "{}",
        "created_at": NOON,
        "attempts": 0,
        "due_at": NOON,
        **changed,
    }
    await store.database.write(lambda to: to.execute(insert(table), row))


async def a_message(store: SqlStore) -> None:
    """One message that is due at noon."""
    await begin(store)
    await turn(store, a_page([1]))


# ------------------------------------------------------------- written with the change
async def test_an_end_is_told_in_the_transaction_that_ends_the_job(
    store: SqlStore,
) -> None:
    await begin(store, target=2)

    job = await turn(store, a_page([1, 2]))

    (row,) = await written(store)
    assert (row.id, row.job_id) == (f"job-1_{job.version}", "job-1")
    assert (row.owner, row.url, row.type) == ("bob", URL, "job.completed")
    assert (row.attempts, row.due_at, row.created_at) == (0, NOON, NOON)
    assert (row.delivered_at, row.error) == (None, None)
    assert json.loads(row.body)["data"]["progress"] == "100.0%"
    assert (await store.load("job-1")).told_at == NOON


async def test_a_message_that_cannot_be_written_undoes_the_change(
    store: SqlStore,
) -> None:
    job = await begin(store)
    await keep(store, id=f"job-1_{job.version + 1}")

    with pytest.raises(InternalError):
        await store.change(
            "job-1", lambda job, _: lifecycle.collapse(Change(job), "a defect", NOON)
        )

    assert await store.load("job-1") == job
    assert len(await written(store)) == 1


async def test_progress_is_told_at_most_every_few_seconds(
    store: SqlStore, time: Time
) -> None:
    await begin(store)
    for creator in (1, 2, 3, 4):
        await turn(store, a_page([creator], next_cursor=str(creator)))
        time.present += PROGRESS_EVERY / 2

    rows = await written(store)

    assert [row.type for row in rows] == ["job.progress", "job.progress"]
    assert [row.created_at for row in rows] == [NOON, NOON + PROGRESS_EVERY]
    assert [json.loads(row.body)["data"]["current"] for row in rows] == [1, 3]


async def test_a_job_without_a_webhook_tells_nobody(store: SqlStore) -> None:
    await begin(store, Label("bob"), target=2)

    job = await turn(store, a_page([1, 2]))

    assert (await written(store), job.told_at) == ([], None)


async def test_a_job_without_a_webhook_costs_no_statement(tmp_path: Path) -> None:
    store = await SqlStore.open(f"sqlite:///{tmp_path}/jobs.db", now=lambda: NOON)
    executed: list[str] = []

    def listen(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_trace_callback(executed.append)

    await store.database.read(listen)
    await begin(store, Label("bob"), target=2)
    await turn(store, a_page([1, 2]))
    await store.close()

    assert any("INTO events" in statement for statement in executed)
    assert not any("deliveries" in statement for statement in executed)


async def test_a_deleted_job_takes_its_messages_along(store: SqlStore) -> None:
    await a_message(store)

    await store.delete("job-1")

    assert await written(store) == []


# --------------------------------------------------------------------- taken and marked
async def test_a_message_is_taken_with_all_that_sending_it_needs(
    store: SqlStore,
) -> None:
    await a_message(store)
    (row,) = await written(store)

    (taken,) = await Deliveries(store.database).take(NOON, 20)

    assert taken == Delivery(row.id, "bob", URL, row.body, 1, NOON + CLAIM)


async def test_the_longest_due_are_taken_first_and_no_more_than_asked_for(
    store: SqlStore,
) -> None:
    await begin(store)
    for minutes, name in ((3, "c"), (1, "a"), (2, "b"), (9, "later")):
        await keep(store, id=name, due_at=NOON + timedelta(minutes=minutes))
    await keep(store, id="done", due_at=None)
    deliveries = Deliveries(store.database)
    now = NOON + timedelta(minutes=5)

    first = await deliveries.take(now, 2)
    then = await deliveries.take(now, 2)

    assert [taken.id for taken in first] == ["a", "b"]
    assert [taken.id for taken in then] == ["c"]


async def test_many_senders_at_once_take_each_message_once(store: SqlStore) -> None:
    await begin(store)
    names = {f"message {number:02}" for number in range(40)}
    for name in names:
        await keep(store, id=name, url=f"{URL}/{name}")
    deliveries = Deliveries(store.database)

    lots = await asyncio.gather(*(deliveries.take(NOON, 7) for _ in range(12)))
    rest = await deliveries.take(NOON, 40)

    taken = [delivery.id for lot in [*lots, rest] for delivery in lot]
    assert sorted(taken) == sorted(names)


async def test_an_endpoint_that_is_owed_much_does_not_hold_up_the_others(
    store: SqlStore,
) -> None:
    await begin(store)
    for number in range(PER_ENDPOINT + 5):
        await keep(store, id=f"early {number}", due_at=NOON - timedelta(hours=1))
    await keep(store, id="other url", url=f"{URL}/2")
    await keep(store, id="other owner", owner="eve")

    taken = await Deliveries(store.database).take(NOON, 50)

    early = [delivery.id for delivery in taken if delivery.id.startswith("early")]
    assert len(early) == PER_ENDPOINT
    assert {delivery.id for delivery in taken} - {*early} == {
        "other url",
        "other owner",
    }


async def test_a_message_whose_sender_died_is_due_again(store: SqlStore) -> None:
    await a_message(store)
    deliveries = Deliveries(store.database)
    await deliveries.take(NOON, 20)

    assert await deliveries.take(NOON + CLAIM - timedelta(seconds=1), 20) == []
    (again,) = await deliveries.take(NOON + CLAIM, 20)

    assert again.attempts == 2


async def test_a_delivered_message_is_not_sent_again(store: SqlStore) -> None:
    await a_message(store)
    deliveries = Deliveries(store.database)
    (taken,) = await deliveries.take(NOON, 20)

    await deliveries.delivered(taken, NOON + timedelta(seconds=1))

    (row,) = await written(store)
    assert row.delivered_at == NOON + timedelta(seconds=1)
    assert (row.due_at, row.error, row.attempts) == (None, None, 1)
    assert await deliveries.take(NOON + timedelta(days=9), 20) == []


async def test_a_postponed_message_is_due_when_it_was_said(store: SqlStore) -> None:
    await a_message(store)
    deliveries = Deliveries(store.database)
    (taken,) = await deliveries.take(NOON, 20)
    later = NOON + timedelta(hours=2)

    await deliveries.postpone(taken, later, "HTTP 500")

    (row,) = await written(store)
    assert (row.due_at, row.error, row.delivered_at) == (later, "HTTP 500", None)
    assert await deliveries.take(later - timedelta(seconds=1), 20) == []
    assert len(await deliveries.take(later, 20)) == 1


async def test_a_message_that_was_given_up_stays_with_its_error(
    store: SqlStore,
) -> None:
    await a_message(store)
    deliveries = Deliveries(store.database)
    (taken,) = await deliveries.take(NOON, 20)

    await deliveries.postpone(taken, None, "HTTP 410")

    (row,) = await written(store)
    assert (row.due_at, row.delivered_at, row.error) == (None, None, "HTTP 410")


async def test_a_sender_that_comes_late_postpones_nothing(store: SqlStore) -> None:
    await a_message(store)
    deliveries = Deliveries(store.database)
    (slow,) = await deliveries.take(NOON, 20)
    (quick,) = await deliveries.take(NOON + CLAIM, 20)

    await deliveries.postpone(slow, NOON + timedelta(hours=2), "HTTP 500")
    (row,) = await written(store)
    assert (row.due_at, row.error) == (quick.due_at, None)

    await deliveries.delivered(quick, NOON + CLAIM)
    await deliveries.postpone(quick, NOON + timedelta(hours=2), "HTTP 500")
    (row,) = await written(store)
    assert (row.due_at, row.error) == (None, None)


# ------------------------------------------------------------------------- the secrets
async def test_a_secret_is_made_once_and_shown_once(
    store: SqlStore, time: Time
) -> None:
    secrets = WebhookSecrets(store.database, now=time.now)

    shown = await secrets.ensure("bob", URL)

    assert shown is not None
    assert check_secret(shown)
    assert await secrets.ensure("bob", URL) is None
    assert await secrets.signing("bob", URL) == (shown,)


async def test_each_owner_and_each_endpoint_has_a_secret_of_its_own(
    store: SqlStore, time: Time
) -> None:
    secrets = WebhookSecrets(store.database, now=time.now)

    made = [
        await secrets.ensure(owner, url)
        for owner in ("bob", "eve")
        for url in (URL, f"{URL}/2")
    ]

    assert len(set(made) - {None}) == 4


async def test_of_many_who_ask_at_once_one_is_shown_the_secret(
    store: SqlStore, time: Time
) -> None:
    secrets = WebhookSecrets(store.database, now=time.now)

    made = await asyncio.gather(*(secrets.ensure("bob", URL) for _ in range(8)))

    (shown,) = filter(None, made)
    assert await secrets.signing("bob", URL) == (shown,)


async def test_after_a_rotation_both_secrets_sign_for_a_day(
    store: SqlStore, time: Time
) -> None:
    secrets = WebhookSecrets(store.database, now=time.now)
    old = await secrets.ensure("bob", URL)

    new = await secrets.rotate("bob", URL)

    assert await secrets.signing("bob", URL) == (new, old)
    time.present += OVERLAP
    assert await secrets.signing("bob", URL) == (new,)


async def test_a_given_secret_signs_from_the_first_message_on(
    store: SqlStore, time: Time
) -> None:
    secrets = WebhookSecrets(store.database, now=time.now)
    given = new_secret()

    assert await secrets.rotate("bob", URL, given) == given

    assert await secrets.signing("bob", URL) == (given,)


async def test_a_rotation_that_is_repeated_keeps_the_overlap(
    store: SqlStore, time: Time
) -> None:
    secrets = WebhookSecrets(store.database, now=time.now)
    old, given = await secrets.ensure("bob", URL), new_secret()

    await secrets.rotate("bob", URL, given)
    time.present += OVERLAP / 2
    await secrets.rotate("bob", URL, given)

    assert await secrets.signing("bob", URL) == (given, old)
    time.present += OVERLAP / 2
    assert await secrets.signing("bob", URL) == (given,)


async def test_a_bad_secret_replaces_nothing(store: SqlStore, time: Time) -> None:
    secrets = WebhookSecrets(store.database, now=time.now)
    old = await secrets.ensure("bob", URL)

    with pytest.raises(InvalidSearch):
        await secrets.rotate("bob", URL, "whsec_c2hvcnQ=")

    assert await secrets.signing("bob", URL) == (old,)


async def test_an_endpoint_without_a_secret_gets_one_to_sign_with(
    store: SqlStore, time: Time
) -> None:
    secrets = WebhookSecrets(store.database, now=time.now)

    (signing,) = await secrets.signing("bob", URL)

    assert check_secret(signing)
    assert await secrets.signing("bob", URL) == (signing,)
