"""Which jobs are selected: those that all that is asked of them holds for."""

from datetime import timedelta

import pytest
from builders import NOON, a_job

from headcount.core.model import Label, Status
from headcount.core.selection import Selection

SECOND = timedelta(seconds=1)
JOB = a_job("tea", "jam", label=Label("ann", campaign="spring", end_user="u-7"))


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(status=Status.PENDING),
        Selection(owner="ann"),
        Selection(campaign="spring"),
        Selection(end_user="u-7"),
        Selection(keyword="jam"),
        Selection(created_from=NOON),
        Selection(created_to=NOON + SECOND),
        Selection(Status.PENDING, "ann", "spring", "u-7", "tea", NOON, NOON + SECOND),
    ],
)
def test_a_job_is_selected_where_all_that_is_asked_holds(selection: Selection) -> None:
    assert selection.takes(JOB)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(status=Status.PAUSED),
        Selection(owner="bob"),
        Selection(campaign="autumn"),
        Selection(end_user="u-8"),
        Selection(keyword="te"),
        Selection(created_from=NOON + SECOND),
        Selection(created_to=NOON),
        Selection(owner="ann", keyword="cake"),
        Selection(owner="bob", keyword="tea"),
        Selection(keyword="cake", created_from=NOON),
        Selection(created_from=NOON + SECOND, created_to=NOON + 2 * SECOND),
        Selection(created_from=NOON - SECOND, created_to=NOON),
    ],
)
def test_a_job_is_left_out_where_one_thing_does_not_hold(selection: Selection) -> None:
    assert not selection.takes(JOB)
