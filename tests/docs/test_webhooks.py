"""The page on webhooks says what is sent, when, and how often."""

import re
from datetime import timedelta

from docs.pages import ROOT, page

from headcount.adapters.webhook_secrets import OVERLAP
from headcount.adapters.webhooks import TOTAL_TIMEOUT
from headcount.core.webhooks import PROGRESS_EVERY, RETRIES, TOLD

PAGE = page("docs/reference/webhooks.md")
UNIT = {"s": "seconds", "min": "minutes", "h": "hours"}
PAUSE = re.compile(r"(\d+) (s|min|h)[,.]")  # as the list of pauses has them


def test_the_message_shown_is_the_one_that_was_published() -> None:
    (block,) = PAGE.blocks

    assert block.text == (ROOT / "tests/golden/webhookMessage.json").read_text()


def test_every_event_is_listed() -> None:
    assert re.findall(r"^\| `(job\.\w+)`", PAGE.text, re.MULTILINE) == list(TOLD)


def test_the_times_are_those_of_the_program() -> None:
    pauses = PAUSE.findall(PAGE.text)

    assert [timedelta(**{UNIT[u]: int(n)}) for n, u in pauses] == list(RETRIES)
    assert f"at most every {PROGRESS_EVERY.seconds} seconds" in PAGE.text
    assert f"it may take {TOTAL_TIMEOUT:g} seconds in all" in PAGE.text
    assert timedelta(days=1) == OVERLAP
    assert "for a day both sign" in PAGE.text
