"""Runs the command line on its arguments, then prints its peak memory in KB.

What the system says of a child afterwards would include the memory of its parent.
"""

import resource
import sys
from pathlib import Path

from headcount.__main__ import main

_STATUS = Path("/proc/self/status")


def peak() -> int:
    """The most memory this program itself has had, in KB."""
    if sys.platform != "linux":
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most // 1024 if sys.platform == "darwin" else most
    fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(fields["VmHWM"].split()[0])


if __name__ == "__main__":
    try:
        main()
    finally:
        print(peak())
