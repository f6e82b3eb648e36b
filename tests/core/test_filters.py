"""What the filters let through, and how a user may write them."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from builders import NOON, a_sighting

from headcount.core import filters
from headcount.core.errors import InvalidSearch
from headcount.core.filters import FILTERS, Filters
from headcount.core.sighting import Judgement, Sighting, Verdict

DAY = timedelta(days=1)
SPECS = {spec.name: spec for spec in FILTERS}


def shown(
    *,
    caption: str = "Morning  TEA, slowly #calm",
    plays: int | None = 10,
    likes: int | None = 10,
    posted_at: datetime | None = NOON - DAY,
    **creator: object,
) -> Sighting:
    """A sighting on the edge of most filters below."""
    seen = a_sighting()
    video = replace(
        seen.video, description=caption, plays=plays, likes=likes, posted_at=posted_at
    )
    about = {"followers": 10, "hashtags": ("Calm",), "language": "en"} | creator
    return replace(seen, video=video, **about)  # type: ignore[arg-type] # names of fields


NEARLY_CALM = shown(hashtags=("calmly",), caption="")


@pytest.mark.parametrize(
    ("name", "value", "passes", "fails"),
    [
        ("followers_min", 10, shown(followers=10), shown(followers=9)),
        ("followers_min", 0, shown(followers=0), shown(followers=None)),
        ("followers_max", 10, shown(followers=10), shown(followers=11)),
        ("followers_max", 0, shown(followers=0), shown(followers=None)),
        ("plays_min", 10, shown(plays=10), shown(plays=9)),
        ("plays_min", 10, shown(plays=11), shown(plays=None)),
        ("likes_min", 10, shown(likes=10), shown(likes=9)),
        ("likes_min", 10, shown(likes=11), shown(likes=None)),
        ("posted_within", DAY, shown(), shown(posted_at=NOON - DAY * 1.01)),
        ("posted_within", DAY, shown(posted_at=NOON), shown(posted_at=None)),
        ("verified", True, shown(verified=True), shown(verified=False)),
        ("caption_has", ("morning tea",), shown(), shown(caption="tea")),
        ("caption_has", ("tea", "slow"), shown(), shown(caption="tea")),
        ("caption_has", ("#calm",), shown(caption=""), shown(hashtags=(), caption="")),
        ("caption_has", ("calm",), shown(caption=""), NEARLY_CALM),
        ("caption_lacks", ("coffee", "mate"), shown(), shown(caption="a mate")),
        ("caption_lacks", ("#ad",), shown(), shown(hashtags=("AD",))),
        ("language", ("en", "es"), shown(language="es"), shown(language="de")),
        ("language", ("en",), shown(), shown(language=None)),
        ("no_ads", True, shown(is_ad=False), shown(is_ad=True)),
    ],
)  # fmt: skip
def test_a_filter_passes_up_to_its_edge_and_names_itself_beyond(
    name: str, value: object, passes: Sighting, fails: Sighting
) -> None:
    given = Filters(**{name: value})  # type: ignore[arg-type] # names of fields

    assert filters.judge(passes, given, NOON) == Judgement(Verdict.QUALIFIED)
    assert filters.judge(fails, given, NOON) == Judgement(Verdict.REJECTED, name)
    assert filters.judge(fails, Filters(), NOON) == Judgement(Verdict.QUALIFIED)


def test_the_first_filter_that_fails_is_the_reason() -> None:
    given = Filters(followers_min=99, plays_min=99)

    assert filters.judge(shown(), given, NOON).reason == "followers_min"


# --------------------------------------------------------------------------- the names
def test_every_filter_has_a_field_a_flag_and_a_json_name() -> None:
    assert [spec.name for spec in FILTERS] == list(Filters.__dataclass_fields__)
    assert SPECS["followers_min"].flag == "--followers-min"
    assert SPECS["followers_min"].json_name == "followersMin"
    assert SPECS["verified"].json_name == "verified"
    assert {spec.kind for spec in FILTERS} == {"count", "span", "words", "flag"}
    assert all(spec.help.endswith(".") for spec in FILTERS)


def test_filters_are_given_by_either_name() -> None:
    by_json = filters.build_filters({"followersMin": "1k", "noAds": True})
    by_python = filters.build_filters({"followers_min": 1_000, "no_ads": True})

    assert by_json == by_python == Filters(followers_min=1_000, no_ads=True)


def test_a_filter_given_as_none_is_not_given() -> None:
    assert filters.build_filters({"followersMin": None}) == Filters()


def test_filters_as_given_make_the_same_filters_again() -> None:
    made = Filters(
        followers_min=0,
        posted_within=30 * DAY,
        verified=True,
        caption_has=("tea", "mate"),
    )

    given = filters.filters_as_given(made)

    assert given == {
        "followersMin": 0,
        "postedWithin": "2592000s",
        "verified": True,
        "captionHas": ["tea", "mate"],
    }
    assert filters.build_filters(given) == made
    assert filters.filters_as_given(Filters()) == {}


# ----------------------------------------------------------------------------- parsing
@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("850", 850),
        ("10k", 10_000),
        ("1.5M", 1_500_000),
        ("2b", 2_000_000_000),
        (" 1,000 ", 1_000),
        ("1_000 k", 1_000_000),
    ],
)
def test_a_count_is_read_as_people_write_it(text: str, count: int) -> None:
    assert filters.parse_count(text) == count
    assert SPECS["plays_min"].parse(text) == count


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("12h", timedelta(hours=12)),
        (" 30 D ", timedelta(days=30)),
        ("2w", timedelta(weeks=2)),
        ("36500d", timedelta(days=36_500)),
        ("999999999s", timedelta(seconds=999_999_999)),
    ],
)
def test_a_span_is_read_as_people_write_it(text: str, span: timedelta) -> None:
    assert filters.parse_span(text) == span
    assert SPECS["posted_within"].parse(text) == span


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("  Green   TEA ", ("green tea",)),
        (["Tea", "mate", "tea"], ("tea", "mate")),
        (("Straße",), ("strasse",)),
    ],
)
def test_words_are_folded_and_taken_once(given: object, words: tuple[str, ...]) -> None:
    assert SPECS["caption_has"].parse(given) == words


@pytest.mark.parametrize("given", [True, False])
def test_a_flag_is_true_or_false(given: bool) -> None:  # noqa: FBT001 - the value under test
    assert SPECS["no_ads"].parse(given) is given


COUNT = "expected a count such as 850, 10k or 1.5m"
SPAN = "expected a time such as 90s, 12h, 30d or 2w"


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("plays_min", "many", f"plays_min: {COUNT}, not 'many'"),
        ("plays_min", "1.k", f"plays_min: {COUNT}, not '1.k'"),
        ("plays_min", "-1", f"plays_min: {COUNT}, not '-1'"),
        ("plays_min", -1, "plays_min: expected a count from 0 up, not -1"),
        ("plays_min", True, "plays_min: expected a count from 0 up, not True"),
        ("plays_min", 1.5, "plays_min: expected count, not 1.5"),
        ("posted_within", "soon", f"posted_within: {SPAN}, not 'soon'"),
        ("posted_within", "0d", f"posted_within: {SPAN}, not '0d'"),
        ("posted_within", "1000000000s", f"posted_within: {SPAN}, not '1000000000s'"),
        ("posted_within", "36501d", "posted_within: at most 100 years, not '36501d'"),
        ("posted_within", 30, "posted_within: expected span, not 30"),
        ("verified", "yes", "verified: expected true or false, not 'yes'"),
        ("caption_has", ["tea", " "], "caption_has: expected a word, got a blank one"),
        ("caption_has", 7, "caption_has: expected words, not 7"),
    ],
)
def test_what_cannot_be_read_is_refused(name: str, given: object, message: str) -> None:
    with pytest.raises(InvalidSearch) as error:
        filters.build_filters({name: given})

    assert (error.value.field, str(error.value)) == (name, message)


def test_a_parser_names_what_it_reads_where_no_filter_does() -> None:
    with pytest.raises(InvalidSearch, match=r"^count: expected") as count:
        filters.parse_count("many")
    with pytest.raises(InvalidSearch, match=r"^span: expected") as span:
        filters.parse_span("soon")

    assert (count.value.field, span.value.field) == ("count", "span")


def test_an_unknown_filter_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(InvalidSearch) as error:
        filters.build_filters({"followersMin": 1, "charm": 7})

    assert error.value.field == "charm"
    assert str(error.value) == (
        "no filter is called 'charm'; the filters are followersMin, followersMax, "
        "playsMin, likesMin, postedWithin, verified, captionHas, captionLacks, "
        "language, noAds"
    )


def test_nobody_has_both_more_and_fewer_followers() -> None:
    with pytest.raises(InvalidSearch) as error:
        filters.build_filters({"followersMin": 11, "followersMax": 10})

    assert error.value.field == "followers_min"
    assert str(error.value) == (
        "no creator has at least 11 and at most 10 followers: "
        "lower followers_min or raise followers_max"
    )


@pytest.mark.parametrize(
    "given",
    [
        {"followersMin": 10, "followersMax": 10},
        {"followersMin": 11},
        {"followersMax": 0},
        {"captionHas": ["tea"], "captionLacks": ["mate"]},
    ],
)
def test_filters_without_a_contradiction_pass(given: dict[str, object]) -> None:
    made = filters.build_filters(given)

    assert filters.filters_as_given(made) == given


def test_no_caption_both_has_and_lacks_a_word() -> None:
    words = ["tea", "mate", "coffee"]
    with pytest.raises(InvalidSearch) as error:
        filters.build_filters({"captionHas": words, "captionLacks": words[:2]})

    assert error.value.field == "caption_lacks"
    assert str(error.value) == (
        "no caption both contains and lacks 'mate': drop one of the two"
    )
