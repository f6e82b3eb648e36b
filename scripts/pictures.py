"""Draws the pictures of the README and the docs: real runs, recorded in a terminal."""

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich import _export_format
from rich.console import Console
from rich.text import Text

IMAGES = Path(__file__).parent.parent / "docs" / "images"
HEADCOUNT = Path(sys.executable).with_name("headcount")
COMMAND = "headcount find 100 apple tech gaming --sandbox --format table"
WIDTH, HEIGHT = 112, 40  # wide enough for whole rows
ROWS_SHOWN = 14  # lines of the last screen, before its last two
_CONTROL = re.compile(r"(\r?\n|\r|\x1b\[[0-9;?]*[A-Za-z])")
_FONTS = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)


def record(command: str) -> str:
    """All that a command writes to a terminal of this width, controls included."""
    screen, terminal = pty.openpty()
    size = struct.pack("HHHH", HEIGHT, WIDTH, 0, 0)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
    written = b""
    with TemporaryDirectory() as folder:
        running = subprocess.Popen(  # noqa: S603 - our own program
            [HEADCOUNT, *shlex.split(command)[1:]],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=os.environ
            | {
                "HEADCOUNT_DATABASE_URL": f"sqlite:///{folder}/jobs.db",
                "HEADCOUNT_SANDBOX_LATENCY_MS": "700",
                "TERM": "xterm-256color",
            },
        )
        os.close(terminal)
        while chunk := _read(screen):
            written += chunk
        running.wait()
    return written.decode()


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 65_536)
    except OSError:  # what Linux answers once the other side has gone
        return b""


def screens(written: str) -> list[list[str]]:
    """The screen as it was at each return to the start of a line, and at the end."""
    lines, row, seen = [""], 0, []
    for piece in _CONTROL.split(written):
        if piece in {"\n", "\r\n"}:
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif piece == "\r":
            seen.append(list(lines))
        elif piece.startswith("\x1b[") and piece.endswith("A"):
            row -= int(piece[2:-1] or 1)
        elif piece == "\x1b[2K":
            lines[row] = ""
        elif not piece.startswith("\x1b[") or piece.endswith("m"):
            lines[row] += piece
    return [*seen, lines]


def draw(name: str, lines: list[str]) -> None:
    """Draw lines of a terminal as an SVG that loads nothing from anywhere."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(f"\x1b[1m$ {COMMAND}\x1b[0m"))
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=False)
    form = _FONTS.sub("", _export_format.CONSOLE_SVG_FORMAT)
    svg = console.export_svg(title="headcount", code_format=form, unique_id=name)
    plain = "\n".join(line.rstrip() for line in svg.splitlines())
    IMAGES.mkdir(parents=True, exist_ok=True)
    (IMAGES / f"{name}.svg").write_text(plain + "\n")
    print(f"wrote {IMAGES / name}.svg")


def main() -> None:
    """Record the run of `make demo`, and draw it at work and at its end."""
    every = screens(record(COMMAND))
    at_work = [screen for screen in every if "100.0%" not in "".join(screen)]
    draw("at-work", [line for line in at_work[-1] if line])
    end = [line for line in every[-1] if Text.from_ansi(line).plain.strip()]
    draw("demo", [*end[:ROWS_SHOWN], "...", *end[-2:]])


if __name__ == "__main__":
    main()
