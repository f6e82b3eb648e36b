"""What a creator looks like outside, and what a spreadsheet must not run."""

from dataclasses import replace

import pytest
from builders import NOON, a_job, a_sighting

from headcount.core.model import Finding, Job
from headcount.core.report import Document
from headcount.core.rows import SHAPES, columns, disarm, flat, guide_row, row
from headcount.core.sighting import Sighting, Verdict


def found(sighting: Sighting) -> Finding:
    """This creator, delivered as the third, found by the second source."""
    return Finding(
        number=3,
        key=sighting.key,
        verdict=Verdict.QUALIFIED,
        sighting=sighting,
        source=2,
        call=1,
        found_at=NOON,
        ordinal=3,
    )


def fictional(job: Job) -> Job:
    return replace(job, search=replace(job.search, provider="sandbox/42"))


def within(document: Document, name: str) -> Document:
    part = document[name]
    assert isinstance(part, dict)
    return part


def test_a_row_names_the_creator_the_source_and_the_video() -> None:
    finding = found(replace(a_sighting(5), hashtags=("tea", "cup")))

    told = row(a_job("tea", "cake"), finding, 4)

    assert told == {
        "ordinal": 3,
        "platform": "tiktok",
        "id": "7000005",
        "username": "invented_5",
        "name": "Invented 5",
        "profileUrl": None,
        "followers": 1_200,
        "verified": False,
        "avatarUrl": None,
        "keyword": "cake",
        "source": "keyword",
        "origin": None,
        "hashtags": ["tea", "cup"],
        "seenIn": 4,
        "collectedAt": "2026-03-14T12:00:00.000Z",
        "video": {
            "id": "9000005000",
            "url": None,
            "description": "a cup of #tea",
            "postedAt": "2026-03-14T12:00:00.000Z",
            "plays": 5_000,
            "likes": 300,
            "comments": None,
            "shares": None,
        },
    }


def test_the_shape_of_the_guide_has_the_names_that_its_front_ends_read() -> None:
    finding = found(replace(a_sighting(5), bio="brews tea"))

    told = guide_row(a_job("tea", "cake"), finding)

    assert told == {
        "id": "7000005",
        "creator": {
            "uniqueId": "invented_5",
            "name": "Invented 5",
            "followers": 1_200,
            "avatarUrl": None,
            "bio": "brews tea",
            "verified": False,
        },
        "video": {
            "description": "a cup of #tea",
            "url": None,
            "statistics": {
                "play_count": 5_000,
                "digg_count": 300,
                "comment_count": None,
                "share_count": None,
            },
        },
        "hashtags": ["tea"],
        "platform": "TikTok",
        "collectedAt": "2026-03-14T12:00:00.000Z",
    }


def test_a_platform_without_a_name_of_its_own_is_called_by_ours() -> None:
    finding = found(replace(a_sighting(), platform="elsewhere"))

    assert guide_row(a_job("tea", "cake"), finding)["platform"] == "elsewhere"


@pytest.mark.parametrize("shape", SHAPES)
def test_only_an_invented_creator_bears_the_mark_of_the_sandbox(shape: str) -> None:
    job, finding = a_job("tea", "cake"), found(a_sighting())

    assert "sandbox" not in SHAPES[shape](job, finding, 1)
    assert SHAPES[shape](fictional(job), finding, 1)["sandbox"] is True


def test_flat_cells_have_dotted_names_and_lists_become_words() -> None:
    finding = found(replace(a_sighting(), hashtags=("tea", "cup")))

    cells = flat(row(a_job("tea", "cake"), finding, 1))

    assert cells["video.plays"] == 5_000
    assert cells["hashtags"] == "tea cup"
    assert "video" not in cells


def test_statistics_are_flat_cells_too() -> None:
    cells = flat(guide_row(a_job("tea", "cake"), found(a_sighting())))

    assert cells["creator.uniqueId"] == "invented_1"
    assert cells["video.statistics.digg_count"] == 300


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("job", [a_job("tea", "cake"), fictional(a_job("tea", "cake"))])
def test_the_columns_are_those_of_any_row(shape: str, job: Job) -> None:
    cells = flat(SHAPES[shape](job, found(a_sighting()), 1))

    assert columns(SHAPES[shape], sandbox=job.sandbox) == tuple(cells)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://evil.invalid")',
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\tplain",
        "\rplain",
        "  =1",
        "\n=1",
        "\xa0=1",
        "\u3000=1",
        "\x00=1",
        "\ufeff=1",
        "\u200b\u200f=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        " \uff20x",
    ],
)
def test_text_that_may_be_a_formula_is_disarmed(text: str) -> None:
    assert disarm(text) == f"'{text}"
    assert disarm(disarm(text)) == f"'{text}"


@pytest.mark.parametrize(
    "value",
    ["", " ", "tea", "a=b", "tea - cup", "'=1", "#tea", "7000000000000000001", "🍵"],
)
def test_other_text_stays_as_it_is(value: str) -> None:
    assert disarm(value) == value


@pytest.mark.parametrize("value", [-5, 0, 1.5, True, None])
def test_only_text_is_ever_disarmed(value: object) -> None:
    assert disarm(value) is value
