"""A user's machine for each test, and sandboxes to ask."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from e2e.program import Home, Provider, until

_ADDRESS = re.compile(r"Sandbox on (\S+) ")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with ExitStack() as stack:
        yield Home(tmp_path, stack)


@contextmanager
def _sandbox(folder: Path, *options: str | int) -> Iterator[Provider]:
    with ExitStack() as stack:
        run = Home(folder, stack).start("sandbox", "serve", "--port", 0, *options)
        yield Provider(until(lambda: _ADDRESS.search(run.said))[1])


@pytest.fixture
def serve(
    home: Home, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Provider]]:
    """Starts a sandbox with these options, for `home` to ask."""
    with ExitStack() as stack:

        def start(*options: str | int) -> Provider:
            folder = tmp_path_factory.mktemp("sandbox")
            provider = stack.enter_context(_sandbox(folder, *options))
            home.env |= provider.env
            return provider

        yield start


@pytest.fixture(scope="session")
def _slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with _sandbox(tmp_path_factory.mktemp("sandbox"), "--latency", 200) as provider:
        yield provider


@pytest.fixture
def slow(_slow: Provider, home: Home) -> Provider:
    """A sandbox that leaves time to interrupt, with a fresh ledger."""
    _slow.reset()
    home.env |= _slow.env
    return _slow


@pytest.fixture(scope="session")
def _plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with _sandbox(tmp_path_factory.mktemp("sandbox")) as provider:
        yield provider


@pytest.fixture
def provider(_plain: Provider, home: Home) -> Provider:
    """A sandbox without faults, with a fresh ledger, for `home` to ask."""
    _plain.reset()
    home.env |= _plain.env
    return _plain
