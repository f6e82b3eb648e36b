"""API keys: only a digest is kept, and only the whole key opens anything."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from builders import NOON
from fakes.databases import postgres_16, sqlite

from headcount.adapters import schema
from headcount.adapters.database import Database
from headcount.adapters.keys import Keys, Scope
from headcount.adapters.requests import KEPT, PATIENCE, Kept, Requests, Taken
from headcount.adapters.service_tables import api_keys
from headcount.adapters.sql import open_database
from headcount.core.errors import InvalidSetting, NoSuchKey

Opener = Callable[[Path], Awaitable[str]]


@pytest.fixture(params=[sqlite, postgres_16], ids=lambda opener: opener.__name__)
async def database(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Database]:
    opener: Opener = request.param
    database = open_database(await opener(tmp_path))
    await schema.ready(database)
    yield database
    await database.close()


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


async def test_a_key_is_known_by_its_whole_text(database: Database, time: Time) -> None:
    keys = Keys(database, now=time)

    key, token = await keys.create("ada", Scope.READ)

    assert await keys.holder(token) == key
    assert await keys.holder(token[:-1]) is None
    assert await keys.holder(token + "A") is None
    assert await keys.holder(f"hc_{key.id}_{'A' * 43}") is None
    assert await keys.holder("") is None


async def test_only_a_digest_of_a_key_is_kept(database: Database, time: Time) -> None:
    _, token = await Keys(database, now=time).create("ada", Scope.READ)

    row = await database.read(lambda to: to.execute(api_keys.select()).one())

    assert row.digest == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str(row)
    assert token.startswith("hc_")
    assert len(token.partition("_")[2].partition("_")[2]) == 43  # 256 random bits


async def test_a_revoked_key_is_refused_and_still_listed(
    database: Database, time: Time
) -> None:
    keys = Keys(database, now=time)
    key, token = await keys.create("ada", Scope.WRITE)

    first = await keys.revoke(key.id)
    time.now += timedelta(hours=1)
    second = await keys.revoke(key.id)

    assert await keys.holder(token) is None
    assert first == second
    assert first.revoked_at == NOON
    assert await keys.all() == [first]


async def test_an_unknown_key_cannot_be_revoked(database: Database, time: Time) -> None:
    with pytest.raises(NoSuchKey, match="headcount keys list"):
        await Keys(database, now=time).revoke("x")


@pytest.mark.parametrize("owner", ["", " ", "a\x00b", "x" * 101, "a\nb", " a"])
async def test_a_name_that_cannot_be_used_is_refused(
    database: Database, time: Time, owner: str
) -> None:
    with pytest.raises(InvalidSetting, match="owner"):
        await Keys(database, now=time).create(owner, Scope.READ)


def test_a_scope_allows_what_lesser_ones_do() -> None:
    assert [s for s in Scope if s.allows(Scope.WRITE)] == [Scope.WRITE, Scope.ADMIN]
    assert all(Scope.ADMIN.allows(scope) for scope in Scope)


# ---------------------------------------------------------------------------- requests
ANSWER = Kept(201, '{"id": "x"}', "/api/jobs/x")


async def test_a_request_is_claimed_once_and_its_answer_kept(
    database: Database, time: Time
) -> None:
    requests = Requests(database, now=time)

    assert await requests.claim("ada", "one", "this") is None
    assert await requests.claim("ada", "one", "this") is Taken.UNDER_WAY
    await requests.keep("ada", "one", ANSWER)

    assert await requests.claim("ada", "one", "this") == ANSWER
    assert await requests.claim("ada", "one", "that") is Taken.BY_ANOTHER
    assert await requests.claim("bob", "one", "that") is None


async def test_a_request_that_was_let_go_may_be_claimed_again(
    database: Database, time: Time
) -> None:
    requests = Requests(database, now=time)
    await requests.claim("ada", "one", "this")

    await requests.release("ada", "one")

    assert await requests.claim("ada", "one", "that") is None


async def test_an_answer_is_not_let_go_of(database: Database, time: Time) -> None:
    requests = Requests(database, now=time)
    await requests.claim("ada", "one", "this")
    await requests.keep("ada", "one", ANSWER)

    await requests.release("ada", "one")

    assert await requests.claim("ada", "one", "this") == ANSWER


async def test_a_claim_without_an_answer_is_taken_over_by_one(
    database: Database, time: Time
) -> None:
    requests = Requests(database, now=time)
    await requests.claim("ada", "one", "this")

    time.now += PATIENCE

    assert await requests.claim("ada", "one", "this") is None
    assert await requests.claim("ada", "one", "this") is Taken.UNDER_WAY


async def test_an_answer_is_kept_for_a_day(database: Database, time: Time) -> None:
    requests = Requests(database, now=time)
    await requests.claim("ada", "one", "this")
    await requests.keep("ada", "one", ANSWER)

    time.now += KEPT
    await requests.forget()
    still = await requests.claim("ada", "one", "this")
    time.now += timedelta(seconds=1)
    await requests.forget()

    assert still == ANSWER
    assert await requests.claim("ada", "one", "that") is None
