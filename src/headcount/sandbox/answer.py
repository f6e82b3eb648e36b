"""An answer on its way out, and the bytes it becomes."""

import gzip
import json
from dataclasses import dataclass, field, replace
from typing import Any

from headcount.sandbox.wire import Json

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back for one request.

    `body` is JSON, or ready bytes of another kind. A `slow` answer comes after a long
    pause, a `cut` one stops in the middle, a `lost` one never comes although its work
    is done. `items` is counted for the ledger.
    """

    body: Json | bytes
    status: int = 200
    credits: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/json"
    slow: bool = False
    cut: bool = False
    lost: bool = False

    @property
    def items(self) -> int:
        """How many items the body carries."""
        if not isinstance(self.body, dict):
            return 0
        names = ("search_item_list", "aweme_list", "suggestions")
        return max(len(self.body.get(name) or ()) for name in names)


def refusal(status: int, message: str, **more: Any) -> Answer:  # noqa: ANN401 - JSON
    """An error: no work done, nothing charged."""
    return Answer({**more, "message": message}, status)


def enveloped(answer: Answer, *, remaining: int) -> Answer:
    """Prepends what every 200 object carries since 2026; others stay as they are."""
    if answer.status != 200 or not isinstance(answer.body, dict):
        return answer
    envelope = {
        "success": True,
        "credits_remaining": remaining,
        "credits_charged": answer.credits,
    }
    return replace(answer, body={**envelope, **answer.body})


@dataclass(frozen=True, slots=True)
class Encoded:
    """An answer as it crosses the wire."""

    status: int
    headers: list[Header] = field(repr=False)
    content: bytes = field(repr=False)


def encode(answer: Answer, *, accepts: str) -> Encoded:
    """Writes an answer down, compressed if the client accepts gzip."""
    content = answer.body if isinstance(answer.body, bytes) else _json(answer.body)
    if answer.cut:
        content = content[: len(content) // 2]
    headers = {
        "content-type": answer.media_type,
        "x-sandbox": "headcount",
        **dict(answer.headers),
    }
    if "gzip" in accepts:
        content = gzip.compress(content, 1, mtime=0)
        headers["content-encoding"] = "gzip"
    headers["content-length"] = str(len(content))
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Encoded(answer.status, raw, content)


def _json(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
