"""What somebody at a terminal sees: a live bar, and a question before much is spent."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from e2e.program import PATIENCE, PROGRAM, Home, Provider, Run, until

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_SIZE = struct.pack("HHHH", 24, 80, 0, 0)  # rows and columns, as terminals begin


class Terminal:
    """A terminal with a command in it."""

    def __init__(self, screen: int, process: subprocess.Popen[bytes]) -> None:
        self._screen = screen
        self.process = process
        self.shown = ""

    def read_to(self, words: str) -> str:
        """All that was shown, up to these words, or to the end."""
        while words not in self.shown:
            try:
                shown = os.read(self._screen, 65536).decode(errors="replace")
            except OSError:  # the other side is gone
                break
            self.shown += _ESCAPES.sub("", shown)
        return self.shown

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def end(self) -> str:
        """All that was shown, once the command has ended."""
        self.read_to("\0 never shown")
        self.process.wait(PATIENCE)
        return self.shown


@contextmanager
def terminal(home: Home, *words: str) -> Iterator[Terminal]:
    screen, keyboard = pty.openpty()
    fcntl.ioctl(keyboard, termios.TIOCSWINSZ, _SIZE)
    with ExitStack() as stack:
        stack.callback(os.close, screen)
        process = stack.enter_context(
            subprocess.Popen(  # noqa: S603 - our own program
                [*PROGRAM, *words],
                stdin=keyboard,
                stdout=keyboard,
                stderr=keyboard,
                env=home.env | {"TERM": "xterm-256color"},
                cwd=home.folder,
            )
        )
        stack.callback(process.kill)
        os.close(keyboard)
        yield Terminal(screen, process)


def test_a_terminal_shows_a_bar_with_all_the_numbers(home: Home) -> None:
    home.env["HEADCOUNT_SANDBOX_LATENCY_MS"] = "150"
    with terminal(home, "find", "120", "tech", "gaming", "--sandbox") as live:
        shown = live.end()

    assert live.process.returncode == 0
    assert "[API CALL" not in shown
    assert "sandbox" in shown
    assert "━" in shown
    assert re.search(r"\b120/120\b", shown)
    for numbers in (
        r"100\.0%",
        r"\d+ calls",
        r"\d+ duplicates",
        r"\d+\.\d+/call",
        r"To go: ~\d+ calls? \(\d+-\d+\) · ~\d+ credits? \(\d+-\d+\)",
        r" · ~\d+ s \(\d+-\d+ s\)",
        r"\d+ credits",
    ):
        assert re.search(numbers, shown), numbers
    assert "Exactly 120 of 120 creators (sandbox)" in shown


def test_a_terminal_is_given_a_table(home: Home) -> None:
    with terminal(home, "find", "3", "tech", "--sandbox", "--quiet") as live:
        shown = live.end()

    assert "username" in shown
    assert "ordinal,platform" not in shown


def test_before_much_is_spent_it_asks(home: Home, provider: Provider) -> None:
    with terminal(home, "find", "5000", "tech") as live:
        live.read_to("Go on? [y/N]")
        live.type("n\n")
        shown = live.end()

    assert "About 194 credits will be spent" in shown
    assert live.process.returncode == 130
    assert provider.calls == []
    assert home.run("jobs", "list", "--format", "json").json == []


def test_the_question_names_no_more_than_the_caps_allow(
    home: Home, provider: Provider
) -> None:
    home.env["HEADCOUNT_MAX_CREDITS"] = "150"
    with terminal(home, "find", "5000", "tech") as live:
        shown = live.read_to("Go on? [y/N]")
        live.type("n\n")
        live.end()

    assert "About 150 credits will be spent" in shown
    assert provider.calls == []


def test_with_yes_it_does_not_ask(home: Home, provider: Provider) -> None:
    with terminal(home, "find", "5000", "tech", "--yes", "--max-calls", "2") as live:
        shown = live.end()

    assert "Go on?" not in shown
    assert len(provider.calls) == 2


def test_a_worker_at_a_terminal_says_what_a_search_says(home: Home) -> None:
    run = home.start("serve", "--dev", "--port", "0", "--no-work")
    with terminal(home, "worker") as watched:
        made = home.run(
            "find", 40, "apple", "tech", "--sandbox", "--server", server_of(run)
        )
        shown = watched.read_to("job completed")
        watched.process.terminate()

    assert made.code == 0
    assert "📡 [API CALL #1] Cursor: 0 Keyword: " in shown
    assert "📊 [PROGRESS] 40/40 (100.0%) complete" in shown
    assert "✅ [DONE] Exactly 40 creators" in shown
    assert "⏳" not in shown


def server_of(run: Run) -> str:
    """Where a service that was started listens."""
    found = until(lambda: re.search(r"http://127\.0\.0\.1:\d+", run.said))
    return found[0]
