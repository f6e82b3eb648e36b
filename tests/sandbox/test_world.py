"""The universe has the statistics of the recorded pages, and follows from its seed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import combinations
from pathlib import Path
from statistics import fmean

import pytest

from headcount.sandbox import Question, World
from headcount.sandbox.people import Video
from headcount.sandbox.topics import TOPICS, neighbours
from headcount.sandbox.world import Page

TODAY = date(2026, 3, 1)
SEEDS = (1, 2, 3, 4, 5)
KEYWORDS = [word for words in TOPICS.values() for word in words[:3]]


def pages(world: World, keyword: str) -> Iterator[Page]:
    page = world.page(Question(keyword))
    yield page
    while page.has_more:
        page = world.page(Question(keyword, page.cursor))
        yield page


def new_creators_by_page(world: World, keyword: str) -> list[int]:
    seen: set[str] = set()
    counts = []
    for page in pages(world, keyword):
        fresh = {video.creator.uid for video in page.videos} - seen
        seen |= fresh
        counts.append(len(fresh))
    return counts


@cache
def yields() -> list[list[int]]:
    """New creators by page, of many keywords in several worlds."""
    return [
        new_creators_by_page(World(seed, TODAY), keyword)
        for seed in SEEDS
        for keyword in KEYWORDS
    ]


def creators(world: World, keyword: str, region: str = "") -> set[str]:
    ranking = world.ranking(Question(keyword, region=region))
    return {sighting.creator for sighting in ranking}


def overlap(some: set[str], others: set[str]) -> float:
    """The shared part of the smaller set."""
    return len(some & others) / min(len(some), len(others))


def many_videos(seed: int) -> list[Video]:
    world = World(seed, TODAY)
    found = [world.page(Question(keyword)).videos for keyword in KEYWORDS]
    return [video for videos in found for video in videos]


def test_a_seed_and_a_day_decide_everything() -> None:
    question = Question("iphone", cursor=60, region="US")

    assert World(7, TODAY).page(question) == World(7, TODAY).page(question)
    assert World(7, TODAY).page(question) != World(8, TODAY).page(question)


def test_another_day_moves_the_dates_and_nothing_else() -> None:
    later = World(7, TODAY + timedelta(days=10)).page(Question("iphone"))

    moved = [
        replace(video, created=video.created - timedelta(days=10))
        for video in later.videos
    ]

    assert tuple(moved) == World(7, TODAY).page(Question("iphone")).videos


def test_a_keyword_is_the_same_in_any_case_and_spacing() -> None:
    world = World(7, TODAY)

    assert world.page(Question("Yoga  Mat")) == world.page(Question(" yoga mat "))


def test_new_creators_a_page_fall_slowly_as_recorded() -> None:
    full = [counts[:4] for counts in yields() if len(counts) > 4]
    first, second, third, fourth = (fmean(page) for page in zip(*full, strict=True))

    assert 28.5 < first < 30
    assert first > second > third > fourth > 21
    assert 25.3 < fmean((first, second, third, fourth)) < 26.3


def test_a_keyword_has_150_to_420_videos_by_70_to_85_percent_as_many_creators() -> None:
    for seed in SEEDS:
        world = World(seed, TODAY)
        for keyword in KEYWORDS:
            total = len(world.ranking(Question(keyword)))

            assert 150 <= total <= 420
            assert 0.69 < len(creators(world, keyword)) / total < 0.86


def test_a_keyword_runs_dry_after_100_to_330_creators() -> None:
    depths = [sum(counts) for counts in yields()]

    assert 95 < min(depths) < 150
    assert 260 < max(depths) < 345


def test_repeated_videos_come_mostly_from_the_page_before_and_never_within_one() -> (
    None
):
    repeated, from_page_before, late = 0, 0, 0
    for keyword in KEYWORDS:
        shown: list[set[str]] = []
        for page in pages(World(1, TODAY), keyword):
            videos = {video.id for video in page.videos}
            assert len(videos) == len(page.videos)
            old = videos & set().union(*shown)
            repeated += len(old)
            from_page_before += len(old & shown[-1]) if shown else 0
            late += len(videos) if len(shown) >= 3 else 0
            shown.append(videos)

    assert 0.08 < repeated / late < 0.16
    assert 0.65 < from_page_before / repeated < 0.9


def test_one_page_in_twelve_lacks_an_item_or_two_and_its_cursor_moves_by_30_still() -> (
    None
):
    full = [
        page
        for keyword in KEYWORDS
        for page in pages(World(2, TODAY), keyword)
        if page.has_more
    ]

    short = [page for page in full if len(page.videos) < 30]

    assert 0.04 < len(short) / len(full) < 0.13
    assert {len(page.videos) for page in short} == {28, 29}
    assert all(page.cursor % 30 == 0 for page in full)


def test_an_unaligned_cursor_is_accepted() -> None:
    page = World(2, TODAY).page(Question("yoga", cursor=29))

    assert page.cursor == 59
    assert len(page.videos) >= 28


def test_beyond_the_end_there_is_an_empty_last_page() -> None:
    page = World(2, TODAY).page(Question("yoga", cursor=9_000))

    assert page == Page((), 9_030, has_more=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_words_of_a_topic_share_most_bordering_ones_some_and_others_no_creators(
    seed: int,
) -> None:
    world = World(seed, TODAY)

    for topic, words in TOPICS.items():
        for one, other in combinations(words[:4], 2):
            assert 0.5 < overlap(creators(world, one), creators(world, other)) < 0.96
        for further in TOPICS.keys() - {topic}:
            shared = overlap(
                creators(world, words[1]), creators(world, TOPICS[further][1])
            )
            low, high = (0.1, 0.3) if further in neighbours(topic) else (0.0, 0.05)
            assert low <= shared <= high


def test_a_phrase_of_two_topics_draws_from_both() -> None:
    world = World(1, TODAY)

    mixed = creators(world, "yoga guitar")

    assert overlap(mixed, creators(world, "yoga")) > 0.2
    assert overlap(mixed, creators(world, "guitar")) > 0.2


def test_an_unknown_word_has_its_creators_too() -> None:
    assert len(creators(World(1, TODAY), "Øresund 2031")) > 100


def test_hashtags_are_words_that_lead_to_fresh_creators() -> None:
    world = World(1, TODAY)
    known = creators(world, "yoga")

    tags = {tag for v in world.page(Question("yoga")).videos for tag in v.hashtags}

    assert tags <= {word for words in TOPICS.values() for word in words}
    fresh = set().union(*(creators(world, tag) for tag in tags)) - known
    assert len(fresh) > 3 * len(known)


def test_a_region_ranks_about_half_other_videos_and_filters_no_country() -> None:
    world = World(1, TODAY)
    shares = []
    for keyword in KEYWORDS:
        plain = set(world.ranking(Question(keyword)))
        regional = world.ranking(Question(keyword, region="US"))
        shares.append(len(plain & set(regional)) / len(regional))

    found = world.page(Question("yoga", region="US")).videos

    assert 0.45 < fmean(shares) < 0.65
    assert len({video.country for video in found}) > 3


def test_orders_really_sort() -> None:
    world = World(1, TODAY)

    liked = [v.likes for v in world.page(Question("yoga", sort_by="most-liked")).videos]
    dated = [
        v.created for v in world.page(Question("yoga", sort_by="date-posted")).videos
    ]

    assert liked == sorted(liked, reverse=True)
    assert dated == sorted(dated, reverse=True)


def test_a_period_really_filters_and_so_shrinks_a_keyword() -> None:
    world = World(1, TODAY)
    month = Question("yoga", date_posted="this-month")

    found = world.page(month).videos

    assert min(v.created for v in found) >= datetime(2026, 1, 30, tzinfo=UTC)
    assert len(world.ranking(month)) < 0.7 * len(world.ranking(Question("yoga")))


def test_followers_have_the_recorded_quantiles() -> None:
    people = {v.creator.uid: v.creator for seed in SEEDS for v in many_videos(seed)}
    followers = sorted(creator.followers for creator in people.values())

    recorded = {0.1: 113, 0.25: 630, 0.5: 11_965, 0.75: 172_943, 0.9: 1_390_000}

    for share, value in recorded.items():
        assert 0.6 < followers[int(share * len(followers))] / value < 1.6
    assert followers[-1] <= 8_900_000


def test_shares_of_plays_ads_languages_countries_and_badges_are_the_recorded_ones() -> (
    None
):
    videos = [video for seed in SEEDS for video in many_videos(seed)]
    people = list({v.creator.uid: v.creator for v in videos}.values())

    assert fmean(v.plays < 1000 for v in videos) == pytest.approx(0.128, abs=0.02)
    assert fmean(v.is_ad for v in videos) == pytest.approx(0.014, abs=0.007)
    assert fmean(v.language == "un" for v in videos) == pytest.approx(0.17, abs=0.02)
    assert fmean(v.country == "US" for v in videos) == pytest.approx(0.5, abs=0.04)
    assert fmean(c.badge == "Verified account" for c in people) == pytest.approx(
        0.09, abs=0.02
    )
    assert fmean(not c.nickname.isascii() for c in people) == pytest.approx(
        0.26, abs=0.03
    )


def test_ids_are_digits_mostly_19_and_handles_say_they_are_invented() -> None:
    people = {v.creator.uid: v.creator for v in many_videos(1)}.values()

    lengths = [len(creator.uid) for creator in people]

    assert all(creator.uid.isdecimal() for creator in people)
    assert lengths.count(19) / len(lengths) == pytest.approx(0.95, abs=0.03)
    assert set(lengths) <= {19, 18, 17, 8, 7}
    assert all(creator.handle.startswith("sandbox_") for creator in people)
    assert max(len(creator.handle) for creator in people) <= 24
    assert len({creator.handle for creator in people}) == len(people)


# ---------------------------------------------------------------- a world out of a file


def written(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "world.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_file_says_exactly_what_its_keywords_find(tmp_path: Path) -> None:
    path = written(
        tmp_path, {"note": "ignored", "keywords": {"Yoga": [["1", 2, "1"], [], ["c"]]}}
    )
    world = World.from_file(path)

    first, empty, last = pages(world, "yoga")

    assert [video.creator.uid for video in first.videos] == ["1", "2", "1"]
    assert len({video.id for video in first.videos}) == 3
    assert (first.cursor, first.has_more) == (30, True)
    assert empty == Page((), 60, has_more=True)
    assert [video.creator.uid for video in last.videos] == ["c"]
    assert (last.cursor, last.has_more) == (90, False)


def test_a_creator_of_a_file_is_the_same_wherever_it_is_seen(tmp_path: Path) -> None:
    long_id = "5" * 40
    path = written(tmp_path, {"keywords": {"a": [[long_id]], "b": [["x", long_id]]}})
    world = World.from_file(path)

    (here,) = world.page(Question("a")).videos
    (_, there) = world.page(Question("b", region="US")).videos

    assert here.creator == there.creator
    assert len(here.creator.handle) <= 24


def test_a_keyword_that_is_not_in_the_file_finds_nothing(tmp_path: Path) -> None:
    world = World.from_file(written(tmp_path, {"keywords": {"yoga": [["1"]]}}))

    assert world.page(Question("pilates")) == Page((), 30, has_more=False)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "expected JSON"),
        ([], "keywords: expected an object of keywords, got []"),
        ({"words": {}}, "keywords: expected an object of keywords, got null"),
        (
            {"keywords": {"a": "b"}},
            "keywords['a']: expected a list of pages, got \"b\"",
        ),
        (
            {"keywords": {"a": [["1"], "2"]}},
            "keywords['a'][1]: expected a list of creator ids, got \"2\"",
        ),
        (
            {"keywords": {"a": [["1", None]]}},
            "keywords['a'][0][1]: expected a creator id, got null",
        ),
        (
            {"keywords": {"a": [[True]]}},
            "keywords['a'][0][0]: expected a creator id, got true",
        ),
        ({"keywords": {"": [["1"]]}}, "keywords['']: expected a word or a phrase"),
        ({"keywords": {" \t ": [["1"]]}}, "nobody can search for a blank"),
        (
            {"keywords": {"tea": [["1"]], "TEA ": [["2"]]}},
            "keywords['TEA ']: expected one keyword only of those that differ in case",
        ),
        (
            '{"keywords": {"tea": [["1"]], "tea": [["2"]]}}',
            "expected each name of an object once: 'tea' is twice",
        ),
        pytest.param("[" * 100_000, "expected JSON", id="deeper than one can read"),
    ],
)
def test_a_malformed_file_is_refused_in_one_line_that_names_the_key(
    tmp_path: Path, content: object, complaint: str
) -> None:
    path = written(tmp_path, content)

    with pytest.raises(ValueError, match="world file") as refused:
        World.from_file(path)

    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a readable file"):
        World.from_file(tmp_path / "nowhere.json")
