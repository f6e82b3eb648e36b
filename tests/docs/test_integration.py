"""The pages on integration name tests that there are, and show every example whole."""

import re

from docs.pages import DOCS, ROOT, page

INDEX = page("docs/how-to/integrate/index.md")
PAGES = [found for found in DOCS if found.path.parent == INDEX.path.parent]


def test_each_test_of_the_checklist_exists() -> None:
    files = re.findall(r"`(tests/examples/\w+\.py)`", INDEX.text)
    there = "".join((ROOT / file).read_text() for file in files)
    named = re.findall(r"`(test_\w+)`", INDEX.text)

    assert len(named) > 10
    assert [name for name in named if f"def {name}(" not in there] == []


def test_every_part_of_an_example_that_an_app_needs_is_shown() -> None:
    shown = "".join(found.text for found in PAGES)
    hidden = {"__init__.py", "env.ts", "headcount.d.ts"}  # nothing to see
    sources = [
        path
        for pattern in ("*.py", "*.ts")
        for path in (ROOT / "examples").rglob(pattern)
        if path.name not in hidden
        and not {"node_modules", "migrations"} & set(path.parts)
    ]

    assert len(sources) > 10
    assert [path for path in sources if path.read_text().strip() not in shown] == []
