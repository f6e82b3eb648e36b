"""Webhooks over HTTP: a secret is set, a job is begun, and its end is told."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fakes.databases import sqlite
from fakes.receiver import receiving
from web.service import EVERY_DATABASE, PATIENCE, SEARCH, Service, serving_web

from headcount.adapters.webhooks import Resolver

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


def answering(*addresses: str) -> Resolver:
    """A look-up that finds these addresses for every name."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        return addresses

    return resolve


def failing(code: int) -> Resolver:
    """A look-up that fails with this code of the name service."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(code, f"nothing of {host}:{port}")

    return resolve


async def hanging(host: str, port: int) -> Sequence[str]:
    """A look-up that never comes back."""
    await asyncio.Event().wait()
    return [f"{host}:{port}"]


async def begun_by(
    resolve: Resolver, folder: Path, *, webhook_allow_private: bool = False
) -> httpx2.Response:
    """The answer to a job whose webhook's name is looked up like this."""
    serving = serving_web(
        await sqlite(folder),
        works=False,
        resolve=resolve,
        webhook_allow_private=webhook_allow_private,
    )
    async with serving as service:
        return await service.post("/api/jobs", {**SEARCH, "webhook": URL})


@pytest.mark.parametrize(
    "address", ["10.0.0.7", "127.0.0.1", "169.254.169.254", "::1", "fd00::7"]
)
async def test_a_name_that_leads_inside_is_refused_at_the_door(
    address: str, tmp_path: Path
) -> None:
    answer = await begun_by(answering("93.184.216.34", address), tmp_path)

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "webhook"
    assert "private or reserved" in error["detail"]
    assert address not in answer.text


async def test_a_name_that_leads_inside_is_taken_where_the_operator_allows_it(
    tmp_path: Path,
) -> None:
    inside = answering("10.0.0.7")

    answer = await begun_by(inside, tmp_path, webhook_allow_private=True)

    assert answer.status_code == 201


@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_FAIL])
async def test_a_name_that_there_is_not_is_refused_with_a_hint(
    code: int, tmp_path: Path
) -> None:
    answer = await begun_by(failing(code), tmp_path)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "webhook", "detail": "shop.example has no address: check the name"}
    ]


@pytest.mark.parametrize("resolve", [failing(socket.EAI_AGAIN), hanging])
async def test_a_name_service_that_does_not_answer_keeps_no_job_away(
    resolve: Resolver, tmp_path: Path
) -> None:
    assert (await begun_by(resolve, tmp_path)).status_code == 201


async def test_setting_a_secret_takes_a_key_that_may_write(tmp_path: Path) -> None:
    async with serving_web(await sqlite(tmp_path), works=False, dev=False) as service:
        reader = await service.key("ann", "read")
        refused = await service.post("/api/webhooks/secret", {"url": URL}, **reader)

    assert refused.status_code == 403
