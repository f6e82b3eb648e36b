"""What the pages say of the program is so."""

import ast
import html
import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import typer
from docs.pages import DOCS, PAGES, ROOT, Page, page

import headcount
from headcount.adapters import tables
from headcount.cli import app
from headcount.cli.suite import SCENARIOS
from headcount.core import model

SOURCE = ROOT / "src" / "headcount"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Page) -> None:
    for link in page.links:
        place, _, anchor = link.partition("#")
        target = Page((page.path.parent / place).resolve() if place else page.path)

        assert target.path.exists(), link
        assert not anchor or anchor in target.anchors, link


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_a_page_of_the_docs_points_to_pages_of_the_docs(page: Page) -> None:
    for link in page.links:
        target = (page.path.parent / link.partition("#")[0]).resolve()

        assert target.is_relative_to(ROOT / "docs"), link


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text()

    for found in DOCS:
        assert f"- {found.path.relative_to(ROOT / 'docs').as_posix()}\n" in navigation


def test_the_generated_parts_are_up_to_date() -> None:
    script = ROOT / "scripts" / "reference.py"

    ran = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_the_picture_shows_the_run_of_make_demo() -> None:
    recipe = re.search(r"headcount (find .+)", (ROOT / "Makefile").read_text())
    drawn = (ROOT / "docs" / "images" / "demo.svg").read_text()
    lines = html.unescape(drawn).replace("\xa0", " ")

    assert recipe
    assert f"$ headcount {recipe[1]}" in lines
    assert "Exactly 100 of 100 creators (sandbox)" in lines


# ------------------------------------------------------------------------ the program
def commands() -> list[tuple[str, str]]:
    """Every command by its full name, with its help."""
    root = typer.main.get_command(app)
    found = [("headcount", root)]
    for name, command in found:
        inner = getattr(command, "commands", {})
        found += [(f"{name} {word}", one) for word, one in inner.items()]
    return [(name, command.help or "") for name, command in found]


@pytest.mark.parametrize(("name", "help_text"), commands())
def test_a_command_has_help_and_is_in_the_reference(name: str, help_text: str) -> None:
    assert help_text
    assert f"\n## `{name}`\n" in page("docs/reference/cli.md").text


@pytest.mark.parametrize("name", headcount.__all__)
def test_a_public_name_has_a_docstring_and_is_in_the_reference(name: str) -> None:
    assert getattr(headcount, name).__doc__
    assert f"\n## `{name}`\n" in page("docs/reference/python.md").text


def test_the_readme_has_measured_the_scenarios_of_the_suite() -> None:
    table = page("README.md").text.partition("<!-- measured -->")[2]
    rows = re.findall(r"^\| +(\d+) \|", table, re.MULTILINE)

    assert [int(row) for row in rows] == list(SCENARIOS)


def test_an_example_of_the_json_obeys_the_schema() -> None:
    schema = json.loads(files("headcount").joinpath("schema.json").read_text())
    blocks = [b for b in page("docs/reference/json.md").blocks if b.language == "json"]
    kinds = ("row", "exactCountTracking")

    for kind, block in zip(kinds, blocks, strict=True):
        part = {"$ref": f"#/$defs/{kind}", "$defs": schema["$defs"]}
        jsonschema.validate(json.loads(block.text), part)


# --------------------------------------------------------------------- the explanation
def test_the_glossary_has_every_class_of_the_model() -> None:
    text = page("docs/explanation/glossary.md").text
    classes = [
        name
        for name, kind in vars(model).items()
        if isinstance(kind, type) and kind.__module__ == model.__name__
    ]

    assert [name for name in classes if f"**{name}**" not in text] == []


def test_the_glossary_is_in_order() -> None:
    text = page("docs/explanation/glossary.md").text
    words = re.findall(r"^- \*\*(.+?)\*\*", text, re.MULTILINE)

    assert words == sorted(words, key=str.casefold)


def test_the_architecture_names_every_room() -> None:
    text = page("docs/explanation/architecture.md").text
    packages = [f"{path.parent.name}/" for path in SOURCE.glob("*/__init__.py")]
    modules = [path.name for path in SOURCE.glob("*.py")]
    core = [path.name for path in (SOURCE / "core").glob("*.py")]

    rooms = [*packages, *modules, *core]
    assert [name for name in rooms if f"{name}`" not in text] == []


def test_a_file_that_a_page_names_exists() -> None:
    for found in DOCS:
        for name in re.findall(r"`((?:src|tests|scripts)/[\w./]+)`", found.prose):
            assert (ROOT / name).exists() or "NAME" in name, f"{found.name}: {name}"
        for name in re.findall(
            r"(?<![\w/])((?:core|adapters|cli|runners)/\w+\.py)", found.prose
        ):
            assert (SOURCE / name).exists(), f"{found.name}: {name}"


def test_each_point_of_the_promise_names_tests_and_constraints_that_exist() -> None:
    text = page("docs/explanation/promise.md").text
    constraints = {
        str(constraint.name)
        for table in tables.metadata.tables.values()
        for constraint in table.constraints
    }
    named = re.findall(r"`((?:never|delivered|qualified|ordinals|no)_\w+)`", text)
    tests = re.findall(r"`(test_\w+)`", text)

    assert set(tests) <= names_of_tests()
    assert all(any(known.endswith(name) for known in constraints) for name in named)
    assert len(re.findall(r"^- Test: ", text, re.MULTILINE)) == 7


def names_of_tests() -> set[str]:
    """The names of all tests."""
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "decisions").glob("*.md")))
def test_a_decision_is_short_and_has_its_four_parts(path: Path) -> None:
    text = path.read_text()

    assert len(text.splitlines()) <= 40
    assert text.startswith(f"# {path.name[:4]} ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "Context",
        "Decision",
        "Consequences",
        "What would change our mind",
    ]
