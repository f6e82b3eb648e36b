"""Allowances over HTTP: who sees and sets them, and what they do to jobs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from fakes.databases import sqlite
from web.service import EVERY_DATABASE, Service, serving_web

PATH = "/api/allowances"


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Service]:
    """A service that asks for keys, where nobody works on jobs."""
    async with serving_web(await sqlite(tmp_path), works=False, dev=False) as desk:
        yield desk


async def put(
    service: Service, ask: dict[str, object], key: dict[str, str] | None = None
) -> tuple[int, dict[str, object]]:
    answer = await service.client.put(PATH, json=ask, headers=key or {})
    return answer.status_code, answer.json()


@EVERY_DATABASE
async def test_an_allowance_is_set_and_shown_with_what_was_used(
    database: Callable[[Path], Awaitable[str]], tmp_path: Path
) -> None:
    async with serving_web(await database(tmp_path), works=False) as service:
        told = await put(service, {"owner": "acme", "creditsPerDay": 50})
        await put(service, {"owner": "*", "creatorsPerMonth": 9_000})
        shown = (await service.get(PATH)).json()

    acme = {
        "owner": "acme",
        "endUser": None,
        "creditsPerDay": 50,
        "creditsUsedToday": 0,
        "creatorsPerMonth": None,
        "creatorsUsedThisMonth": 0,
    }
    everyone = acme | {
        "owner": "*",
        "creditsPerDay": None,
        "creatorsPerMonth": 9_000,
    }
    assert told == (200, acme)
    assert shown == {"allowances": [everyone, acme]}


async def test_an_owner_sets_and_sees_the_allowances_of_their_users(
    guarded: Service,
) -> None:
    ada, eve = await guarded.key("ada"), await guarded.key("eve")

    status, told = await put(guarded, {"endUser": "u1", "creatorsPerMonth": 5}, ada)

    assert (status, told["owner"], told["endUser"]) == (200, "ada", "u1")
    theirs = (await guarded.get(PATH, **ada)).json()["allowances"]
    assert theirs == [told]
    assert (await guarded.get(PATH, **eve)).json() == {"allowances": []}


@pytest.mark.parametrize(
    "ask",
    [
        {"creditsPerDay": 5},
        {"owner": "ada", "creditsPerDay": 5},
        {"owner": "*", "creditsPerDay": 5},
        {"owner": "eve", "endUser": "u1", "creditsPerDay": 5},
    ],
)
async def test_an_owner_does_not_set_their_own_allowance_or_anothers(
    guarded: Service, ask: dict[str, object]
) -> None:
    status, problem = await put(guarded, ask, await guarded.key("ada"))

    assert (status, "scope admin" in str(problem["detail"])) == (403, True)
    admin = await guarded.key("root", "admin")
    assert (await guarded.get(PATH, **admin)).json() == {"allowances": []}


async def test_who_may_only_read_sets_nothing(guarded: Service) -> None:
    reader = await guarded.key("ada", "read")

    status, _ = await put(guarded, {"endUser": "u1", "creditsPerDay": 5}, reader)

    assert status == 403


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        ({"owner": "acme", "creditsPerDay": -1}, "creditsPerDay"),
        ({"owner": "acme", "creditsPerDay": "many"}, "creditsPerDay"),
        ({"owner": "acme", "creatorsPerMonth": 10**13}, "creatorsPerMonth"),
        ({"owner": "", "creditsPerDay": 1}, "owner"),
        ({"owner": "a\0b", "creditsPerDay": 1}, "owner"),
        ({"owner": "*", "endUser": "u1", "creditsPerDay": 1}, "endUser"),
        ({"owner": "acme", "perDay": 1}, "perDay"),
    ],
)
async def test_what_cannot_be_an_allowance_is_refused_by_field(
    desk: Service, ask: dict[str, object], field: str
) -> None:
    status, problem = await put(desk, ask)

    assert status == 422
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert [error["field"] for error in errors] == [field]
