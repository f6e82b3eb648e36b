"""The start of a handler: what a fresh process has loaded at its first paid call."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from serverless.letters import about
from serverless.site import a_search, a_world
from serverless.test_programs import ran
from web.service import EVERY_DATABASE

from headcount.bootstrap import open_app

# Tells at the first connection to the provider what is loaded by then.
HANDLER = """
import json, sys
port, loaded = int(sys.argv[1]), []

def look(event, details):
    if event == "socket.connect" and details[1][1] == port and not loaded:
        loaded.extend(name for name in sys.modules if "." not in name)

sys.addaudithook(look)
from headcount.serverless import handle_message

event = json.load(sys.stdin)
status, _, _ = handle_message(event["body"].encode(), event["headers"])
print(json.dumps([status, loaded]))
"""
# The other way in: a job of somebody's own table.
PROCESSOR = """
import json, sys
from headcount import process_tiktok_job_with_exact_count_sync as process

told = process({"keywords": "tea", "targetResults": 30}, "row-1")
print(json.dumps([told.status, [name for name in sys.modules if "." not in name]]))
"""
OF_THE_SERVICE = {"fastapi", "starlette", "uvicorn", "jinja2", "structlog"}
OF_THE_TERMINAL = {"typer", "click", "rich"}
OF_EXPORTS = {"polars", "xlsxwriter"}
OF_QSTASH = {"qstash", "httpx", "jwt", "cryptography"}  # wanted only for publishing
OTHERS = {"alembic", "pgqueuer", "prometheus_client", "opentelemetry"}
HEAVY = OF_THE_SERVICE | OF_THE_TERMINAL | OF_EXPORTS | OTHERS


@EVERY_DATABASE
async def test_a_handler_loads_nothing_for_its_first_call_that_the_call_does_not_need(
    tmp_path: Path, database: Callable[[Path], Awaitable[str]]
) -> None:
    url = await database(tmp_path)
    async with a_world(tmp_path, "vanished:1", database_url=url) as outside:
        async with open_app(outside.settings) as app:
            letter = about((await app.create(a_search(40))).id)
        port = outside.given["scrapecreators_api_url"].rpartition(":")[2]
        event = {
            "body": letter.body.decode(),
            "headers": {"upstash-signature": letter.signature},
        }

        said = await ran(outside, "-c", HANDLER, port, said=json.dumps(event))

        status, loaded = json.loads(said)
        needless = {"psycopg"} if url.startswith("sqlite") else set()
        assert status == 200
        assert "headcount" in loaded
        assert set(loaded) & (HEAVY | OF_QSTASH | needless) == set()


@pytest.mark.parametrize("has_store", [True, False], ids=["store", "metadata"])
async def test_a_job_of_another_table_needs_no_more(
    tmp_path: Path,
    has_store: bool,  # noqa: FBT001 - a case of the table
) -> None:
    async with a_world(tmp_path, runner="local") as outside:
        if not has_store:
            del outside.given["database_url"]

        status, loaded = json.loads(await ran(outside, "-c", PROCESSOR))

        assert status == "completed"
        assert set(loaded) & (HEAVY | OF_QSTASH | {"psycopg"}) == set()
