"""Which hashtags go with a keyword, in a summary that does not grow."""

import math
import random
from collections import Counter

import pytest
from scipy.stats import chi2_contingency

from headcount.core.hashtags import (
    NO_HASHTAGS,
    ROOM,
    Hashtags,
    companions,
    noted,
)


def posts(**tags: int) -> list[tuple[str, ...]]:
    """So many posts with each hashtag."""
    return [(tag,) for tag, number in tags.items() for _ in range(number)]


def test_a_hashtag_counts_once_in_a_post() -> None:
    summary = noted(NO_HASHTAGS, "tea", [("cup", "cup"), ("cup", "mug"), ()])

    assert summary == Hashtags({"tea": 3}, {"tea": {"cup": 2, "mug": 1}})


def test_what_comes_later_is_added_for_its_own_keyword() -> None:
    summary = noted(NO_HASHTAGS, "tea", posts(cup=2))

    summary = noted(summary, "mate", posts(cup=1))
    summary = noted(summary, "tea", posts(cup=3, mug=1))

    assert summary.posts == {"tea": 6, "mate": 1}
    assert summary.counts == {"tea": {"cup": 5, "mug": 1}, "mate": {"cup": 1}}


@pytest.mark.parametrize(
    "tag",
    ["fyp", "fypシ", "fypシ゚viral", "fyppp", "fypage", "fyp2026", "foryoupage",
     "foryourpage", "4youpage", "viralvideo", "viral_video", "trending", "tiktokshop",
     "like4like", "x", "2026", "a" * 41],
)  # fmt: skip
def test_a_hashtag_that_says_nothing_is_not_counted(tag: str) -> None:
    assert noted(NO_HASHTAGS, "tea", [(tag, "cup")]).counts == {"tea": {"cup": 1}}


@pytest.mark.parametrize(
    "tag",
    ["videogames", "videography", "forum", "explorer", "trendyoutfits", "fyodor",
     "followme2japan", "likeability", "postpartum", "pages", "nowruz", "viralityとは"],
)  # fmt: skip
def test_a_word_that_only_begins_like_one_that_says_nothing_is_counted(
    tag: str,
) -> None:
    assert noted(NO_HASHTAGS, "tea", [(tag,)]).counts == {"tea": {tag: 1}}


def test_a_hashtag_made_to_be_read_slowly_is_read_at_once() -> None:
    slow = "fyp4youpage1" * 3 + "zzz"

    assert noted(NO_HASHTAGS, "tea", [(slow,)] * 999).counts == {"tea": {slow: 999}}


def test_what_is_known_is_left_out_in_whichever_way_it_is_written() -> None:
    summary = noted(NO_HASHTAGS, "tea", [("cup", "tea_pot")] * 50 + [()] * 200)

    found = companions(summary, known={"teapot"})

    assert [one.hashtag for one in found] == ["cup"]
    assert len(companions(summary)) == 2
    assert len(companions(summary, most=1)) == 1


def test_the_summary_keeps_what_is_frequent_however_much_comes() -> None:
    dice = random.Random(7)  # noqa: S311 - a test's own
    seen, summary = Counter[str](), NO_HASHTAGS
    for _ in range(60):
        page = [
            ("cup", *(f"rare{dice.randrange(5_000)}" for _ in range(5)))
            if dice.random() < 0.2
            else tuple(f"rare{dice.randrange(5_000)}" for _ in range(5))
            for _ in range(30)
        ]
        summary = noted(summary, "tea", page)
        seen.update(tag for tags in page for tag in set(tags))

    kept = summary.counts["tea"]

    assert len(kept) <= ROOM
    assert all(kept[tag] <= seen[tag] for tag in kept), "never too high"
    assert seen["cup"] - seen.total() / (ROOM + 1) <= kept["cup"]
    assert summary.posts == {"tea": 1_800}


def test_a_hashtag_of_every_sixth_post_goes_with_a_single_keyword() -> None:
    summary = noted(NO_HASHTAGS, "tea", [*posts(cup=50, rare=4), *[()] * 246])

    [found] = companions(summary)

    imagined = [[50, 250], [1, 999]]  # with and without it: of tea, and of others
    ratio = chi2_contingency(imagined, correction=False, lambda_="log-likelihood")
    by_chance = 300 / 1_300 * 51 / 1_300
    together = 50 / 1_300
    assert (found.hashtag, found.keyword, found.posts) == ("cup", "tea", 50)
    assert found.score == pytest.approx(ratio.statistic)
    assert found.closeness == pytest.approx(
        math.log(together / by_chance) / -math.log(together)
    )


def test_the_closest_comes_first_and_only_ever_together_is_1() -> None:
    summary = noted(NO_HASHTAGS, "tea", [("cup", "mug"), *[("cup",)] * 199])
    summary = noted(summary, "tea", posts(mug=100))

    found = companions(summary)

    assert [one.hashtag for one in found] == ["cup", "mug"]
    assert 0.9 < companions(noted(NO_HASHTAGS, "tea", posts(cup=300)))[0].closeness <= 1


def test_a_hashtag_that_stands_everywhere_goes_with_no_keyword() -> None:
    summary = NO_HASHTAGS
    for keyword in ("tea", "mate", "cocoa"):
        only = {f"with{keyword}": 400}
        tags = [("everywhere",)] * 400 + posts(**only) + [()] * 2_000
        summary = noted(summary, keyword, tags)

    found = {one.hashtag: one.closeness for one in companions(summary)}

    assert set(found) >= {"withtea", "withmate", "withcocoa"}
    assert found.get("everywhere", 0.0) < 0.3 < found["withtea"]


def test_a_keyword_is_no_companion_of_itself() -> None:
    assert companions(noted(NO_HASHTAGS, "Green tea", posts(greentea=200))) == []


def test_less_often_than_elsewhere_is_no_companion() -> None:
    summary = noted(NO_HASHTAGS, "tea", [*posts(cup=6), *[()] * 5_000])
    summary = noted(summary, "mate", posts(cup=900))

    assert [one.keyword for one in companions(summary)] == ["mate"]
