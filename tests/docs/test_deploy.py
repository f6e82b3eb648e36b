"""What the container files run is there to be run."""

import json
import re
import subprocess
import sys
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from headcount.cli import app
from headcount.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PAGE = (ROOT / "docs/how-to/deploy.md").read_text()


def commands() -> list[list[str]]:
    """Every `headcount ...` of the container files and of the page."""
    composed = [s["command"] for s in COMPOSE["services"].values() if "command" in s]
    [image] = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    written = re.findall(r"(?:bin/|exec api )headcount ([\w -]+)", PAGE)
    return [*composed, yaml.safe_load(image), *(words.split() for words in written)]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_each_command_and_option_that_is_named_exists(words: list[str]) -> None:
    names = [word for word in words if word.isalpha() and word.islower()]
    options = [word for word in words if word.startswith("--")]
    path = names[:2] if names[0] in {"db", "keys"} else names[:1]

    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})

    assert shown.exit_code == 0, shown.output
    assert [option for option in options if option not in shown.output] == []


def test_each_setting_that_is_named_exists() -> None:
    known = {
        str(name)
        for field in Settings.model_fields.values()
        for name in getattr(field.validation_alias, "choices", ())
    }

    given = COMPOSE["x-headcount"]["environment"]

    assert set(given) <= known


def test_the_image_asks_the_port_it_serves_for_its_health() -> None:
    assert re.findall(r":(\d{4})/healthz", DOCKERFILE) == ["8000"]
    assert "EXPOSE 8000" in DOCKERFILE
    assert '"--port", "8000"' in DOCKERFILE


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_image_is_healthy_where_its_service_says_so(status: int, code: int) -> None:
    [check] = re.findall(r"HEALTHCHECK .*\\\n +CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    asked = []

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Health) as service:
        Thread(target=service.handle_request).start()
        _, *words = json.loads(check.replace("8000", str(service.server_port)))
        ran = subprocess.run(  # noqa: S603 - the image's own
            [sys.executable, *words], check=False, stderr=subprocess.DEVNULL
        )

    assert (ran.returncode, asked) == (code, ["/healthz"])


def test_the_image_installs_extras_that_there_are() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [extras] = re.findall(r'"\.\[(.*)\]"', DOCKERFILE)

    assert set(extras.split(",")) <= set(project["optional-dependencies"])


def test_the_image_does_not_run_as_root() -> None:
    stages = DOCKERFILE.split("FROM ")

    assert "\nUSER headcount\n" in stages[-1]
