"""What a user gave becomes a search, or one clear line about the fault."""

import pytest
from builders import NOON

from headcount.core import search
from headcount.core.errors import InvalidSearch
from headcount.core.filters import Filters
from headcount.core.model import Job, Label, Limits, Search, Source, Status

TOO_LONG = f"a keyword has at most 200 characters, and '{'x' * 40}'... has"


def fault(given: object, value: object, **others: object) -> tuple[str, str]:
    """The field and the message of the fault that one part of a search has."""
    parts = {"target": 10, "keywords": ["tea"]} | others | {str(given): value}
    with pytest.raises(InvalidSearch) as error:
        search.build_search(**parts)  # type: ignore[arg-type] # a table of faults
    return error.value.field, str(error.value)


@pytest.mark.parametrize(
    ("given", "target"),
    [
        (1, 1),
        ("100", 100),
        (" 1,000,000 ", 1_000_000),
        ("1_000", 1_000),
        ("+7", 7),
        ("000000007", 7),
    ],
)
def test_a_target_is_read_as_people_write_it(given: int | str, target: int) -> None:
    assert search.parse_target(given) == target


@pytest.mark.parametrize(
    "given", [0, -1, 1_000_001, 999_999_999, "1000000000", "-1000000000", "0000000007"]
)
def test_a_target_out_of_range_is_refused(given: int | str) -> None:
    shown = str(given)
    assert fault("target", given) == (
        "targetResults",
        f"the number of creators goes from 1 to 1,000,000, not {shown!a}",
    )


@pytest.mark.parametrize("given", ["", "tea", "1.5", "10k", "--7", "٣", "-", "7-"])
def test_a_target_that_is_no_number_is_refused(given: str) -> None:
    assert fault("target", given) == (
        "targetResults",
        f"expected the number of creators first, such as 100, not {given!a}",
    )


def test_what_came_is_shown_short_and_harmless() -> None:
    assert fault("target", "x" * 40)[1].endswith(f"not '{'x' * 40}'")
    assert fault("target", "x" * 41)[1].endswith(f"not '{'x' * 40}'...")
    assert fault("target", "\x1b[31mü")[1].endswith(r"not '\x1b[31m\xfc'")


def test_a_keyword_is_composed_trimmed_and_single_spaced() -> None:
    assert search.fold_keyword("  cafe\u0301 \n con  leche ") == "caf\u00e9 con leche"


def test_keywords_are_taken_once_in_the_order_given() -> None:
    texts = ["Tea", "mate", " TEA ", "te a", "tea"]

    assert search.fold_keywords(texts) == ("Tea", "mate", "te a")


def test_the_longest_keyword_and_the_largest_number_of_them_pass() -> None:
    assert search.fold_keywords(["x" * 200]) == ("x" * 200,)
    assert len(search.fold_keywords(map(str, range(2_000)))) == 2_000


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ([], "expected at least one keyword after the number of creators"),
        (["tea", " \n"], "a keyword is blank: give a word or a phrase"),
        (
            ["x" * 1_201],
            f"{TOO_LONG} 1,201: shorten it",
        ),
        (
            ["x" * 201],
            f"{TOO_LONG} 201: shorten it",
        ),
        (["a\x00b"], r"a keyword has no control characters, unlike 'a\x00b'"),
        (["a\ud800"], r"a keyword has no control characters, unlike 'a\ud800'"),
        ([str(number) for number in range(2_001)], "at most 2,000 keywords, not 2,001"),
    ],
)
def test_keywords_that_cannot_be_used_are_refused(
    keywords: object, message: str
) -> None:
    assert fault("keywords", keywords) == ("keywords", message)


def test_a_search_takes_all_its_parts() -> None:
    made = search.build_search(
        "20",
        ["Tea"],
        filters={"followersMin": "1k"},
        limits=Limits(max_calls=1, max_credits=1, attempts=1),
        platform="TikTok",
        provider="sandbox/1",
        region=" us ",
        sort="most-liked",
        period="this-week",
    )

    assert made == Search(
        target=20,
        keywords=("Tea",),
        filters=Filters(followers_min=1_000),
        limits=Limits(max_calls=1, max_credits=1, attempts=1),
        platform="tiktok",
        provider="sandbox/1",
        region="US",
        sort="most-liked",
        period="this-week",
    )


def test_a_search_needs_no_more_than_a_target_and_keywords() -> None:
    assert search.build_search(20, ["tea"]) == Search(20, ("tea",))


@pytest.mark.parametrize("region", ["", "U", "USA", "U1", "ÜS", "U ", "UK", "XX"])
def test_a_region_is_a_country_that_there_is(region: str) -> None:
    assert fault("region", region) == (
        "region",
        f"region: expected a country by its code such as US or GB, not {region!a}",
    )


@pytest.mark.parametrize("code", ["english", "e", "e1", "én", "en-us", "un"])
def test_a_language_is_a_code_that_a_caption_may_have(code: str) -> None:
    assert fault("filters", {"language": ["en", code]}) == (
        "language",
        f"language: expected a language by its code such as en or es, not {code!a}",
    )


def test_a_language_may_have_two_letters_or_three() -> None:
    made = search.build_search(20, ["tea"], filters={"language": ["EN", "fil"]})

    assert made.filters.language == ("en", "fil")


def test_an_unknown_platform_is_refused() -> None:
    assert fault("platform", "myspace") == (
        "platform",
        "expected platform tiktok, not 'myspace'",
    )


@pytest.mark.parametrize(
    ("limits", "name", "value"),
    [
        (Limits(max_calls=0), "maxCalls", 0),
        (Limits(max_credits=-1), "maxCredits", -1),
        (Limits(attempts=0), "attempts", 0),
    ],
)
def test_a_limit_allows_one_attempt_at_least(
    limits: Limits, name: str, value: int
) -> None:
    assert fault("limits", limits) == (
        f"limits.{name}",
        f"{name}: expected 1 or more, not {value}",
    )


def test_a_deadline_names_its_zone() -> None:
    naive = NOON.replace(tzinfo=None)

    assert fault("limits", Limits(deadline=naive)) == (
        "limits.deadline",
        f"deadline: expected a time with its zone, not {naive}",
    )
    assert search.check_limits(Limits(deadline=NOON)) == Limits(deadline=NOON)


def test_each_keyword_of_a_new_job_is_a_source_of_its_own() -> None:
    asked = Search(20, ("tea", "mate"), region="US", sort="likes", period="week")

    assert search.new_job("job-1", asked, NOON) == Job(
        id="job-1",
        search=asked,
        created_at=NOON,
        sources=(
            Source(1, "tea", region="US", sort="likes", period="week"),
            Source(2, "mate", region="US", sort="likes", period="week"),
        ),
        status=Status.PENDING,
        due_at=NOON,
    )


@pytest.mark.parametrize(
    ("keyword", "told"),
    [
        ("\u200b", "a keyword has something to see, unlike '\\u200b'"),
        ("\u200d \u2060", "a keyword has something to see, unlike "),
        ("\u200b \u0301", "a keyword has something to see, unlike "),
        ("tea \u202e", "a keyword has no control characters, unlike "),
        ("\u2066tea", "a keyword has no control characters, unlike "),
    ],
)
def test_a_keyword_that_shows_nothing_or_turns_the_text_is_refused(
    keyword: str, told: str
) -> None:
    with pytest.raises(InvalidSearch) as refused:
        search.fold_keyword(keyword)

    assert refused.value.field == "keywords"
    assert keyword not in str(refused.value)
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize("keyword", ["👩\u200d🍳", "قهوة", "café", "#tea", "c++"])
def test_emoji_and_every_script_are_keywords(keyword: str) -> None:
    assert search.fold_keyword(keyword) == keyword


def test_a_new_job_has_the_label_it_is_given() -> None:
    label = Label("ann", campaign="spring")
    asked = search.build_search(10, ["tea"])

    assert search.new_job("job-1", asked, NOON, label=label).label == label
