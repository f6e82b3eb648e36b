"""What the API answers, and how a request is refused."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back for one request: JSON, or nothing for `None`."""

    body: Any = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def content(self) -> bytes:
        """The body as it crosses the wire."""
        return b"" if self.body is None else json.dumps(self.body).encode()


def refusal(
    status: int, message: str, headers: tuple[tuple[str, str], ...] = ()
) -> Answer:
    """An error as QStash words it."""
    return Answer({"error": message}, status, headers)


class RefusedError(Exception):
    """A request that QStash does not take: the status and the text of its answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = refusal(status, message)
