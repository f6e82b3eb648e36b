"""What people's own tables give, read as they give it."""

from typing import Any

import pytest

from headcount.core.errors import InvalidSearch
from headcount.processor.asked import Asked, read_job
from headcount.settings import Settings

ROW: dict[str, Any] = {"keywords": ["apple", "tech"], "targetResults": 100}


def read(**given: Any) -> Asked:  # noqa: ANN401 - whatever a table gives
    return read_job({**ROW, **given}, "row-1", settings=Settings(), sandbox=False)


@pytest.mark.parametrize(
    "keywords",
    [
        ["apple", "tech"],
        ("apple", "tech"),
        "apple, tech",
        "apple,tech,",
        '["apple", "tech"]',
        [" apple ", "tech", "Apple"],
    ],
)
def test_keywords_are_read_as_a_list_or_as_text(keywords: object) -> None:
    assert read(keywords=keywords).search.keywords == ("apple", "tech")


def test_a_phrase_is_one_keyword() -> None:
    assert read(keywords="apple tech").search.keywords == ("apple tech",)


@pytest.mark.parametrize("target", [100, "100", 100.0, " 100 "])
def test_the_target_is_read_as_a_number_or_as_text(target: object) -> None:
    assert read(targetResults=target).target == 100


def test_the_target_has_the_name_that_python_tables_give_it_too() -> None:
    row = {"keywords": "tea", "target_results": 7}

    assert read_job(row, "row-1", settings=Settings(), sandbox=False).target == 7


@pytest.mark.parametrize("platform", ["TikTok", "tiktok", "Tiktok", "TIKTOK", None, ""])
def test_the_platform_is_tiktok_in_any_case(platform: str | None) -> None:
    assert read(platform=platform).search.platform == "tiktok"


@pytest.mark.parametrize("metadata", [None, "", "  ", "null", {}, "{}"])
def test_metadata_may_be_missing_in_every_way(metadata: object) -> None:
    assert read(metadata=metadata).metadata == {}


def test_metadata_may_be_text() -> None:
    assert read(metadata='{"campaign": 7}').metadata == {"campaign": 7}


def test_a_row_has_the_region_of_its_search() -> None:
    assert read(region="us").search.region == "US"


@pytest.mark.parametrize(
    "creators",
    [
        [{"id": "7000001", "creator": {"uniqueId": "ann"}}],
        ["7000001"],
        [7000001],
        '[{"id": "7000001"}]',
        [{"creators": [{"id": "7000001"}]}, {"creators": []}],
        [{"id": "7000001"}, {"id": 7000001}],
    ],
)
def test_creators_are_read_by_id_each_once(creators: object) -> None:
    read_creators = read(creators=creators).creators

    assert [c.key for c in read_creators or ()] == ["tiktok:7000001"]


@pytest.mark.parametrize(
    "creator",
    [
        {"creator": {"uniqueId": "Ann"}},
        {"username": "ann"},
        "@Ann",
        {"id": "3", "username": "ann"},
        {"id": "0c1c6c1e-6a5c-4c4e-9d5e-5b1f6a4b8f0e", "username": "ann"},
    ],
)
def test_a_creator_without_an_id_of_tiktoks_is_known_by_the_handle(
    creator: object,
) -> None:
    [known] = read(creators=[creator]).creators or ()

    assert known.key == "tiktok:@ann"


def test_what_a_row_tells_of_a_creator_is_kept() -> None:
    row = {
        "id": "7000001",
        "creator": {"uniqueId": "ann", "followers": 12, "verified": True, "bio": None},
        "video": {"url": "https://tiktok.invalid/1", "statistics": {"play_count": 9}},
        "hashtags": ["tea"],
    }

    [known] = read(creators=[row]).creators or ()

    assert (known.username, known.followers, known.verified) == ("ann", 12, True)
    assert (known.video.plays, known.hashtags, known.bio) == (9, ("tea",), "")


@pytest.mark.parametrize(
    ("given", "field", "text"),
    [
        ({"platform": "Instagram"}, "platform", "expected platform tiktok, not 'Inst"),
        ({"platform": 5}, "platform", "expected text, not '5'"),
        ({"targetResults": None}, "targetResults", "expected the number of creators"),
        ({"targetResults": True}, "targetResults", "expected the number of creators"),
        ({"targetResults": 0}, "targetResults", "goes from 1 to 1,000,000"),
        ({"targetResults": "many"}, "targetResults", "such as 100, not 'many'"),
        ({"keywords": None}, "keywords", "expected a list such as"),
        ({"keywords": [1]}, "keywords", "expected a list such as"),
        ({"keywords": "[apple"}, "keywords", "expected JSON"),
        ({"keywords": " , "}, "keywords", "expected at least one keyword"),
        ({"region": "Mars"}, "region", "expected a country by its code"),
        ({"metadata": "{"}, "metadata", "expected JSON, as it was returned"),
        ({"metadata": "[" * 100_000}, "metadata", "expected JSON"),
        ({"metadata": [1]}, "metadata", "expected an object"),
        ({"creators": {"a": 1}}, "creators", "expected a list of creators"),
        ({"creators": [1.5]}, "creators[0]", "expected a creator"),
        ({"creators": ["@"]}, "creators[0]", "expected the id of a creator"),
        ({"metadata": {1: 2}}, "metadata", "expected names that are text"),
        ({"results": [{"creators": [{}]}]}, "results[0].creators[0]", "with an id or"),
    ],
)
def test_what_cannot_be_used_is_named(
    given: dict[str, Any], field: str, text: str
) -> None:
    with pytest.raises(InvalidSearch) as caught:
        read(**given)

    assert caught.value.field == field
    assert text in str(caught.value)


@pytest.mark.parametrize("job_id", ["", " ", None, 7])
def test_a_job_needs_an_id_that_is_text(job_id: Any) -> None:  # noqa: ANN401 - also what is none
    with pytest.raises(InvalidSearch, match="job_id: expected the id"):
        read_job(ROW, job_id, settings=Settings(), sandbox=False)


def test_the_limits_of_the_settings_hold() -> None:
    settings = Settings(max_calls=9, max_calls_for_testing=2)

    limits = read_job(ROW, "row-1", settings=settings, sandbox=False).search.limits

    assert (limits.max_calls, limits.max_calls_for_testing) == (9, 2)
