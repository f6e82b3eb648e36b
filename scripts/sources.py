"""The example apps as parts of the documentation: each file as the tests run it."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parent.parent
_LANGUAGES = {".py": "py", ".ts": "ts"}
_NOT_OURS = {"node_modules", "migrations"}


def sources() -> Mapping[str, Callable[[], str]]:
    """Every file by its path from the root of the repository."""
    found = (
        path
        for suffix in _LANGUAGES
        for path in (ROOT / "examples").rglob(f"*{suffix}")
        if not _NOT_OURS & set(path.parts) and not path.name.endswith(".d.ts")
    )
    return {path.relative_to(ROOT).as_posix(): partial(_shown, path) for path in found}


def _shown(path: Path) -> str:
    return f"```{_LANGUAGES[path.suffix]}\n{path.read_text().strip()}\n```"
