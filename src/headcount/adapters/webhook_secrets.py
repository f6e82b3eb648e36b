"""What a webhook's messages are signed with: a secret for each owner's endpoint.

A secret is kept as it is, since signing takes the secret itself; it is handed out once,
when it is made. After a rotation both sign for a while, so that the receiver has time
to take over the new one.
"""

import base64
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, select, update

from headcount.adapters.database import Database, insert_missing
from headcount.adapters.service_tables import webhook_secrets as table
from headcount.core.destinations import SECRET_PREFIX, check_secret

OVERLAP = timedelta(days=1)  # for which the previous secret signs along


class WebhookSecrets:
    """The secrets in a database, by owner and URL."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now

    async def ensure(self, owner: str, url: str) -> str | None:
        """Make an endpoint's secret unless it has one; `None` if it had."""
        secret = new_secret()
        made = await self._database.write(
            partial(self._insert, owner=owner, url=url, secret=secret)
        )
        return secret if made else None

    async def rotate(self, owner: str, url: str, secret: str | None = None) -> str:
        """Sign with this secret from now on, or a new one, and for a day with both.

        The secret that signs already changes nothing, so that a repeated request does
        not end the overlap.

        Raises:
            InvalidSearch: the secret given is none.
        """
        secret = new_secret() if secret is None else check_secret(secret)
        await self._database.write(
            partial(self._replace, owner=owner, url=url, secret=secret)
        )
        return secret

    async def signing(self, owner: str, url: str) -> tuple[str, ...]:
        """All secrets that a message is signed with now, the newest first.

        An endpoint that has none gets one, which its owner learns by rotating it.
        """
        await self.ensure(owner, url)
        row = await self._database.read(partial(_read, owner=owner, url=url))
        secret, previous, until = row
        return (secret, previous) if previous and self._now() < until else (secret,)

    def _insert(
        self, connection: Connection, owner: str, url: str, secret: str
    ) -> bool:
        given = {"owner": owner, "url": url, "secret": secret}
        statement = insert_missing(self._database, table).returning(table.c.owner)
        return connection.execute(statement, given).first() is not None

    def _replace(
        self, connection: Connection, owner: str, url: str, secret: str
    ) -> None:
        if self._insert(connection, owner, url, secret):
            return
        connection.execute(
            update(table)
            .where(table.c.owner == owner, table.c.url == url)
            .where(table.c.secret != secret)
            .values(
                secret=secret,
                previous=table.c.secret,
                previous_until=self._now() + OVERLAP,
            )
        )


def _read(
    connection: Connection, owner: str, url: str
) -> tuple[str, str | None, datetime]:
    found = connection.execute(
        select(table.c.secret, table.c.previous, table.c.previous_until).where(
            table.c.owner == owner, table.c.url == url
        )
    )
    secret, previous, until = found.one()
    return secret, previous, until


def new_secret() -> str:
    """A secret of 32 random bytes, in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
