"""How long a handler takes from a fresh process to its first call of the provider."""

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from statistics import median
from tempfile import TemporaryDirectory

from figures import Figure, Say
from postgres import running_postgres

from headcount.bootstrap import open_app
from headcount.core.search import build_search
from headcount.sandbox import Sandbox, World, serving
from headcount.sandbox import qstash as fake
from headcount.sandbox.qstash import Clock, Keys, Letter, QStashSandbox
from headcount.serverless import PROCESS
from headcount.settings import Settings

_TIMES = 9
_AT_MOST = 1.5  # seconds
_HOME = "https://app.invalid"
_KEYS = Keys("sig_invented_current", "sig_invented_next")
_HANDLER = """
import json, sys, time
port, calls = int(sys.argv[1]), []

def look(event, details):
    if event == "socket.connect" and details[1][1] == port:
        calls.append(time.time())

sys.addaudithook(look)
from headcount.serverless import handle_message

event = json.load(sys.stdin)
status, _, _ = handle_message(event["body"].encode(), event["headers"])
assert status == 200, status
print(calls[0])
"""


async def measure(say: Say) -> AsyncIterator[Figure]:
    """Time it with each kind of database."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        postgres = await stack.enter_async_context(running_postgres())
        provider = await stack.enter_async_context(serving(Sandbox(World(42))))
        qstash = QStashSandbox({_HOME: _nobody}, keys=_KEYS, clock=Clock(0))
        env = {
            "HEADCOUNT_RUNNER": "qstash",
            "HEADCOUNT_QSTASH_PUBLIC_URLS": _HOME,
            "QSTASH_TOKEN": fake.TOKEN,
            "QSTASH_URL": await stack.enter_async_context(fake.serving(qstash)),
            "QSTASH_CURRENT_SIGNING_KEY": _KEYS.current,
            "QSTASH_NEXT_SIGNING_KEY": _KEYS.next,
            "SCRAPECREATORS_API_KEY": "sandbox-key",
            "SCRAPECREATORS_API_URL": provider,
        }
        for name, url in (
            ("SQLite", f"sqlite:///{folder}/jobs.db"),
            ("Postgres", postgres.fresh()),
        ):
            say(name)
            env["HEADCOUNT_DATABASE_URL"] = url
            await _start(env)  # so that all is compiled to bytecode
            times = [await _start(env) for _ in range(_TIMES)]
            yield Figure(
                "first message",
                f"a fresh process with {name}, to the first call",
                median(times),
                _AT_MOST,
                n=_TIMES,
                unit="s",
            )


async def _start(env: dict[str, str]) -> float:
    """Seconds from the start of a process until it calls the provider."""
    url = env["HEADCOUNT_DATABASE_URL"]
    async with open_app(Settings(database_url=url, runner="local")) as app:
        job = await app.create(build_search(30, ["tea"]))
    body = json.dumps({"jobId": job.id}).encode()
    letter = Letter.addressed(_HOME + PROCESS, body, keys=_KEYS, at=time.time())
    headers = {"upstash-signature": letter.signature}
    port = env["SCRAPECREATORS_API_URL"].rpartition(":")[2]
    begun = time.time()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _HANDLER, port),
        env=os.environ | env,
        stdin=PIPE,
        stdout=PIPE,
    )
    event = json.dumps({"body": body.decode(), "headers": headers})
    said, _ = await process.communicate(event.encode())
    assert process.returncode == 0
    return float(said) - begun


async def _nobody(_scope: object, _receive: object, send: object) -> None:
    """Whom QStash delivers to: never asked, its time stands still."""
    raise AssertionError(send)
