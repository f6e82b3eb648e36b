"""`headcount`, and `python -m headcount`: the command line, however it is started."""

import os
import sys
from typing import TextIO, cast


def main() -> None:
    """Run the command line; Ctrl-C while it is loaded is no error either."""
    # Python has `None` where a stream was closed from the start.
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stderr = sys.stderr or _nowhere("w")
    try:
        from headcount.cli import app  # noqa: PLC0415 - so that Ctrl-C is met here

        app()
    except KeyboardInterrupt:
        sys.exit(130)


def _nowhere(mode: str) -> TextIO:
    """A stream that is empty to read, and takes what is written."""
    return cast("TextIO", open(os.open(os.devnull, os.O_RDWR), mode, closefd=False))


if __name__ == "__main__":
    main()
