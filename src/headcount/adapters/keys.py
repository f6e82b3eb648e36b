"""The API keys: who may use the service, for what. Of a key only a digest is kept."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from enum import StrEnum
from functools import partial

from sqlalchemy import Connection, bindparam, insert, select, update

from headcount.adapters.database import Database
from headcount.adapters.gathered import Gathered
from headcount.adapters.service_tables import api_keys
from headcount.core.errors import InvalidSetting, NoSuchKey

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TOKEN = re.compile(rf"hc_(?P<id>[{_ALPHABET}]{{8}})_[\w-]{{43}}")
_OWNER = re.compile(r"[\w.@+-]([\w .@+-]{0,98}[\w.@+-])?")


class Scope(StrEnum):
    """What a key allows; each but the first allows what the ones before it do."""

    METRICS = "metrics"  # nothing else, and only `admin` allows it too
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"  # the jobs of all owners

    def allows(self, needed: "Scope") -> bool:
        """Whether this is enough for what is needed."""
        if Scope.METRICS in {self, needed}:
            return self in {needed, Scope.ADMIN}
        order = list(Scope)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is listed; nobody can make the key itself of it."""

    id: str
    owner: str
    scope: Scope
    created_at: datetime
    revoked_at: datetime | None = None


_FIELDS = [api_keys.c[field.name] for field in fields(ApiKey)]
_ALL = select(*_FIELDS).order_by(api_keys.c.created_at, api_keys.c.id)
_BY_ID = select(*_FIELDS, api_keys.c.digest).where(
    api_keys.c.id.in_(bindparam("ids", expanding=True))
)
_REVOKE = (
    update(api_keys)
    .where(api_keys.c.id == bindparam("key"), api_keys.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now", type_=api_keys.c.revoked_at.type))
)


class Keys:
    """The API keys of a store."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now
        self._found = Gathered(self._find)

    async def create(self, owner: str, scope: Scope) -> tuple[ApiKey, str]:
        """Make a key for an owner; the text given back is the only time it is seen.

        Raises:
            InvalidSetting: a name that cannot be used.
        """
        if not _OWNER.fullmatch(owner):
            raise InvalidSetting(
                "owner: expected a name of at most 100 letters, digits, spaces and "
                f".@+-_ such as acme, not {owner[:40]!a}"
            )
        key_id = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        token = f"hc_{key_id}_{secrets.token_urlsafe(32)}"
        key = ApiKey(key_id, owner, scope, self._now())
        row = dict(zip((c.name for c in _FIELDS), astuple(key), strict=True))
        row["digest"] = _digest(token)
        await self._database.write(lambda to: to.execute(insert(api_keys), row))
        return key, token

    async def all(self) -> list[ApiKey]:
        """Every key there ever was, the oldest first."""
        rows = await self._database.read(lambda to: to.execute(_ALL).all())
        return [_key(*row) for row in rows]

    async def revoke(self, key_id: str) -> ApiKey:
        """Let a key be refused from now on; one that is revoked stays so.

        Raises:
            NoSuchKey: no key has this id.
        """
        given = {"key": key_id, "now": self._now()}
        await self._database.write(lambda to: to.execute(_REVOKE, given))
        found = await self._found(key_id)
        if found is None:
            raise NoSuchKey(f"no key has the id {key_id!a}: see `headcount keys list`")
        return found[0]

    async def holder(self, token: str) -> ApiKey | None:
        """The key that a caller showed; `None` if it is forged or revoked."""
        named = _TOKEN.fullmatch(token)
        if named is None:
            return None
        found = await self._found(named["id"])
        # An unknown id takes the same time as a wrong secret.
        key, digest = found or (None, _digest(""))
        same = hmac.compare_digest(digest, _digest(token))
        return key if same and key and key.revoked_at is None else None

    async def _find(self, key_ids: list[str]) -> list[tuple[ApiKey, str] | None]:
        """Read keys and their digests; `None` for ids that no key has."""
        found = await self._database.read(partial(_read, key_ids=key_ids))
        return [found.get(key_id) for key_id in key_ids]


def _read(connection: Connection, key_ids: list[str]) -> dict[str, tuple[ApiKey, str]]:
    rows = connection.execute(_BY_ID, {"ids": key_ids})
    return {row.id: (_key(*row[:-1]), row.digest) for row in rows}


def _key(
    key_id: str,
    owner: str,
    scope: str,
    created_at: datetime,
    revoked_at: datetime | None,
) -> ApiKey:
    return ApiKey(key_id, owner, Scope(scope), created_at, revoked_at)


def _digest(token: str) -> str:
    """What is kept of a key; a plain hash is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
