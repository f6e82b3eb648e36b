"""The pages of the documentation: their fenced blocks, headings and links."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(
    r"(?:^<!-- (?P<said>[^\n]+?) -->\n)?"
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block; `said` is the comment on the line before it, if there is one."""

    language: str
    text: str
    said: str = ""


@dataclass(frozen=True)
class Page:
    """A page in Markdown."""

    path: Path

    @property
    def name(self) -> str:
        """The path from the root of the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        """All of the page."""
        return self.path.read_text(encoding="utf-8")

    @property
    def blocks(self) -> list[Block]:
        """The fenced blocks, in their order."""
        return [
            Block(found["language"], found["text"], found["said"] or "")
            for found in _FENCE.finditer(self.text)
        ]

    @property
    def prose(self) -> str:
        """The page without its fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def links(self) -> list[str]:
        """Where the page points to within the repository."""
        found = _LINK.findall(self.prose)
        return [link for link in found if not link.startswith(("http:", "https:"))]

    @property
    def anchors(self) -> set[str]:
        """What can be pointed to, as GitHub and MkDocs both name it."""
        headings = (text.lower() for text in _HEADING.findall(self.prose))
        kept = (re.sub(r"[^\w\- ]", "", text) for text in headings)
        return {text.strip().replace(" ", "-") for text in kept}


def page(name: str) -> Page:
    """The page of this name, from the root of the repository."""
    return Page(ROOT / name)


FRONT = [page("README.md"), page("CONTRIBUTING.md"), page("CHANGELOG.md")]
DOCS = [Page(path) for path in sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [*FRONT, *DOCS]
