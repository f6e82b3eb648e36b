"""Every example of the documentation does what the page says, against the sandbox.

A comment on the line before a fenced block says what is particular to it:
`exit: N` (how the command ends, 0 otherwise), `output` (these lines are part of what
the last command wrote), `file: NAME` (the block is this file), `not run: WHY`.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from docs.pages import PAGES, Block, Page

from headcount.sandbox import Sandbox, World, serving

RUN = {"bash", "python"}
PROGRAMS = Path(sys.executable).parent
_SHELL = ("bash", "-euo", "pipefail", "-c")


class Reader:
    """Somebody with an empty home who does what a page says, block by block."""

    def __init__(self, home: Path, provider: str) -> None:
        self._home = home
        self._said = ""
        self._env = {
            "PATH": f"{PROGRAMS}{os.pathsep}{os.defpath}",
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "SCRAPECREATORS_API_URL": provider,
            "SCRAPECREATORS_API_KEY": "sandbox",
        }

    async def follow(self, block: Block) -> None:
        """Do what a block says, and see that it goes as the page has it."""
        what, _, detail = block.said.partition(": ")
        if what == "file":
            (self._home / detail).write_text(block.text)
        elif what == "output":
            self._recognise(block.text)
        elif block.language in RUN and what != "not run":
            await self._run(block, int(detail) if what == "exit" else 0)

    async def _run(self, block: Block, expected: int) -> None:
        text = block.text
        if "JOB_ID" in text:
            earlier, text = _split(text)
            await self._ran(*_SHELL, earlier)
            text = text.replace("JOB_ID", await self._newest_job())
        command = (sys.executable, "-c") if block.language == "python" else _SHELL
        code, self._said = await self._ran(*command, text)
        assert code == expected, f"{text}\nended with {code}:\n{self._said[-2_000:]}"

    async def _newest_job(self) -> str:
        _, listed = await self._ran("headcount", "jobs", "list", "--format", "json")
        return str(json.loads(listed)[0]["id"])

    async def _ran(self, *command: str) -> tuple[int, str]:
        """The exit code of a command, and all that it wrote."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self._home,
            env=self._env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        written, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, written.decode()

    def _recognise(self, text: str) -> None:
        for line in text.splitlines():
            assert line in self._said, f"no {line!r} in:\n{self._said[-2_000:]}"


def _split(text: str) -> tuple[str, str]:
    """The lines of a block before the first that names a job, and the others."""
    lines = text.splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if "JOB_ID" in line)
    return "".join(lines[:first]), "".join(lines[first:])


def with_examples() -> list[Page]:
    return [p for p in PAGES if any(block.language in RUN for block in p.blocks)]


@pytest.mark.parametrize("page", with_examples(), ids=lambda page: page.name)
async def test_the_examples_of_a_page_do_what_it_says(
    page: Page, tmp_path: Path
) -> None:
    async with serving(Sandbox(World(42))) as provider:
        reader = Reader(tmp_path, provider)

        for block in page.blocks:
            await reader.follow(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_said_of_a_block_is_understood(page: Page) -> None:
    said = {block.said.partition(": ")[0] for block in page.blocks if block.said}

    assert said <= {"not run", "exit", "output", "file"}
