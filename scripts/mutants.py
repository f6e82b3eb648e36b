"""Run the mutants of the core; fail where one lives that is not explained.

What explains them is the table of `docs/explanation/mutants.md`, by the changed line.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXPLAINED = ROOT / "docs/explanation/mutants.md"
MUTMUT = Path(sys.executable).with_name("mutmut")


def mutmut(*words: str) -> str:
    """Run mutmut with these arguments, and return what it prints."""
    done = subprocess.run(  # noqa: S603 - our own tool, our own arguments
        [MUTMUT, *words], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout


def survivors() -> list[str]:
    """The names of the mutants that no test noticed."""
    lines = [line.partition(":") for line in mutmut("results").splitlines()]
    return [
        name.strip()
        for name, _, state in lines
        if state.strip() in {"survived", "no tests", "suspicious", "segfault"}
    ]


def changed(name: str) -> str:
    """The changed line of a mutant, as the table has it."""
    lines = mutmut("show", name).splitlines()
    diff = [line for line in lines if not line.startswith(("+++", "---"))]
    added = [line[1:].strip() for line in diff if line.startswith("+")]
    removed = [line[1:].strip() for line in diff if line.startswith("-")]
    return f"| `{added[0]}` |" if added else f"| without `{removed[0]}` |"


def main() -> int:
    """Run them all; 1 where a mutant lives that is not explained."""
    shutil.rmtree(ROOT / "mutants", ignore_errors=True)  # its results outlive tests
    progress = None if sys.stdout.isatty() else subprocess.DEVNULL
    command = [str(MUTMUT), "run", "--max-children", "2"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=progress)  # noqa: S603 - our own tool
    explained = EXPLAINED.read_text()
    living = {name: changed(name) for name in survivors()}
    unknown = {name: line for name, line in living.items() if line not in explained}
    for name, line in unknown.items():
        print(f"no test notices {name}: {line}")
    print(f"{len(living)} mutants live, {len(unknown)} of them are not explained")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
