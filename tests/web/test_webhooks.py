"""Webhooks over HTTP: a secret is set, a job is begun, and its end is told."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.receiver import receiving
from web.service import EVERY_DATABASE, PATIENCE, Service, serving_web, sqlite

URL = "https://shop.example/hooks/headcount"


@EVERY_DATABASE
async def test_the_end_of_a_job_is_told_to_its_webhook(
    database: Callable[[Path], Awaitable[str]], tmp_path: Path
) -> None:
    at = await database(tmp_path)
    async with (
        receiving() as receiver,
        serving_web(at, webhook_allow_private=True) as service,
    ):
        url = receiver.url()
        secret = (await service.post("/api/webhooks/secret", {"url": url})).json()
        job = await service.ended(await service.begun(webhook=url))
        told: dict[str, Any] = {}  # in any order
        async with asyncio.timeout(PATIENCE):
            while "job.completed" not in told:
                await asyncio.sleep(0.05)
                messages = [r.verified(secret["secret"]) for r in receiver.received]
                told = {message["type"]: message["data"] for message in messages}

    assert job["status"] == told["job.completed"]["status"] == "completed"
    assert told["job.completed"]["id"] == job["id"]


async def test_a_secret_that_is_given_is_taken(desk: Service) -> None:
    ours = "whsec_aW52ZW50ZWQgZm9yIHRoaXMgcGFnZSBvbmx5"

    answer = await desk.post("/api/webhooks/secret", {"url": URL, "secret": ours})

    assert (answer.status_code, answer.json()) == (200, {"url": URL, "secret": ours})


async def test_a_repeated_request_does_not_rotate_twice(desk: Service) -> None:
    asked = [
        await desk.post("/api/webhooks/secret", {"url": URL}, Idempotency_Key="once")
        for _ in range(2)
    ]

    assert asked[0].json() == asked[1].json()


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        ({}, "url"),
        ({"url": "http://shop.example/hook"}, "webhook"),
        ({"url": "https://127.0.0.1/hook"}, "webhook"),
        ({"url": "https://[::1]/hook"}, "webhook"),
        ({"url": "https://169.254.169.254/latest"}, "webhook"),
        ({"url": "https://me:secret@shop.example/"}, "webhook"),
        ({"url": URL, "secret": "too short"}, "secret"),
        ({"url": URL, "extra": 1}, "extra"),
    ],
    ids=json.dumps,
)
async def test_what_cannot_be_an_endpoint_is_refused(
    desk: Service, ask: dict[str, object], field: str
) -> None:
    answer = await desk.post("/api/webhooks/secret", ask)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_setting_a_secret_takes_a_key_that_may_write(tmp_path: Path) -> None:
    async with serving_web(await sqlite(tmp_path), works=False, dev=False) as service:
        reader = await service.key("ann", "read")
        refused = await service.post("/api/webhooks/secret", {"url": URL}, **reader)

    assert refused.status_code == 403
