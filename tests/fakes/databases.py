"""A database for one test, of each kind that jobs are kept in: its URL."""

from pathlib import Path

from fakes.postgres import server


async def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder}/jobs.db"


async def postgres_16(_: Path) -> str:
    return await server(16).database_with_tables()


async def postgres_18(_: Path) -> str:
    return await server(18).database_with_tables()
