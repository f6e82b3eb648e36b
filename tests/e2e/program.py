"""The real program in processes of its own, and the sandbox's ledger as witness."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from typer.testing import CliRunner

from headcount.cli import app

T = TypeVar("T")
PROGRAM = (sys.executable, "-m", "headcount")
PATIENCE = 20.0  # seconds; far more than anything here takes
_JOB = re.compile(r"Job (\w+): ")
_GLANCE = 0.01  # seconds between two looks


def until(look: Callable[[], T | None]) -> T:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(_GLANCE)
    raise AssertionError(f"nothing came within {PATIENCE:g} s")


@contextmanager
def unread() -> Iterator[int]:
    """A pipe to write to, whose reader has left."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said where."""

    code: int
    out: str
    err: str

    @property
    def job(self) -> str:
        """The id of the job that the command began with."""
        named = _JOB.search(self.err)
        assert named, self.err
        return named[1]

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the command wrote
        return json.loads(self.out)


class Run:
    """A command under way."""

    def __init__(self, process: subprocess.Popen[str], spoken: Path) -> None:
        self.process = process
        self._spoken = spoken

    @property
    def said(self) -> str:
        """What it has said so far, beside the data."""
        return self._spoken.read_text(encoding="utf-8")

    @property
    def job(self) -> str:
        """The id of its job, as soon as it has told it."""
        return until(lambda: _JOB.search(self.said))[1]

    def hears(self, words: str) -> None:
        """Wait until it has said this."""
        until(lambda: words in self.said)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def end(self) -> Ran:
        """Wait for its end."""
        out, _ = self.process.communicate(timeout=2 * PATIENCE)
        return Ran(self.process.returncode, out or "", self.said)


class Home:
    """A user's machine: its own folders and environment, nothing inherited."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._stack = stack
        self._runs = 0
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_DATA_HOME": str(self.data),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "LANG": "C.UTF-8",
            "PYTHONWARNINGS": "error",
        }

    def start(
        self,
        *words: str | int | Path,
        out: IO[Any] | int = subprocess.PIPE,
        by: tuple[str, ...] = (),
        **env: str,
    ) -> Run:
        """Begin a command in a process of its own, where asked `by` another program."""
        self._runs += 1
        spoken = self.folder / f"stderr-{self._runs}.txt"
        with spoken.open("w") as errors:
            process = self._stack.enter_context(
                subprocess.Popen(  # noqa: S603 - our own program
                    [*by, *PROGRAM, *map(str, words)],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=errors,
                    text=True,
                    encoding="utf-8",
                    cwd=self.folder,
                    env=self.env | env,
                )
            )
        self._stack.callback(process.kill)
        return Run(process, spoken)

    def run(self, *words: str | int | Path, **env: str) -> Ran:
        """Run a command to its end, in this process: it is faster, and no other."""
        inherited = dict.fromkeys(os.environ, None)
        with chdir(self.folder):
            result = CliRunner().invoke(
                app, [*map(str, words)], env=inherited | self.env | env
            )
        if isinstance(result.exception, Exception):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def shows(self, job: str) -> dict[str, Any]:
        """A job, as `jobs show` has it."""
        shown: dict[str, Any] = self.run("jobs", "show", job, "--format", "json").json
        return shown

    def creators(self, job: str) -> list[str]:
        """The ids of the creators that a job delivers."""
        rows = self.run("jobs", "export", job, "--format", "jsonl").out.splitlines()
        return [json.loads(row)["id"] for row in rows]


class Provider:
    """A sandbox in a process of its own, and what it has witnessed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.env = {
            "SCRAPECREATORS_API_URL": self.url,
            "SCRAPECREATORS_API_KEY": "the-secret-key",
        }

    def _ask(self, path: str, method: str = "GET") -> dict[str, Any]:
        request = urllib.request.Request(self.url + path, method=method)  # noqa: S310 - the loopback
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - the same
            told: dict[str, Any] = json.load(answer)
        return told

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Every search request it got."""
        calls: list[dict[str, Any]] = self._ask("/sandbox/ledger")["calls"]
        return calls

    @property
    def charged(self) -> int:
        """What all of them cost."""
        credits_: int = self._ask("/sandbox/ledger")["credits_charged"]
        return credits_

    @property
    def most_at_once(self) -> int:
        """The most calls that it had to answer at the same time."""
        most: int = self._ask("/sandbox/ledger")["most_at_once"]
        return most

    def reset(self) -> None:
        """Begin a new ledger, with all credits back."""
        self._ask("/sandbox/reset", "POST")

    def after(self, calls: int) -> None:
        """Wait until it has been asked so often."""
        until(lambda: len(self.calls) >= calls)

    def asked_again(self) -> int:
        """How many answers with creators in them were paid for a second time."""
        good = Counter(
            (call["keyword"], call["cursor"]) for call in self.calls if call["items"]
        )
        return sum(good.values()) - len(good)
