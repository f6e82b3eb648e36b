"""Runs `headcount` as processes of their own, and looks at what they take."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

_ADDRESS = re.compile(rb"http://127\.0\.0\.1:(\d+)")
_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 60  # seconds until a process has ended that was told to


@asynccontextmanager
async def running(
    *words: str, environment: Mapping[str, str]
) -> AsyncIterator[tuple[Process, int]]:
    """A command for as long as the block runs, and the port it tells; 0 for none."""
    serves = words[0] == "serve"
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("headcount"),
        *words,
        env={**os.environ, **environment},
        stderr=PIPE if serves else DEVNULL,
    )
    try:
        port = await _port(process) if serves else 0
        reading = asyncio.create_task(_drain(process))
        yield process, port
    finally:
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), _PATIENCE)
    await reading


async def _port(process: Process) -> int:
    assert process.stderr
    async for line in process.stderr:
        if found := _ADDRESS.search(line):
            return int(found[1])
    raise AssertionError("the service did not start")


async def _drain(process: Process) -> None:
    while process.stderr and await process.stderr.read(65_536):
        pass


def cpu_seconds(process: Process) -> float:
    """The time for which a process has had a processor, its threads' all together."""
    stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / _TICKS
