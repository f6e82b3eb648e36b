"""What the HTTP API tells of results, as frozen values: creators and key figures."""

from datetime import date, datetime

import msgspec

from headcount.client.documents import Answer


class VideoDocument(Answer, frozen=True):
    """The post that showed a creator."""

    id: str
    url: str
    description: str
    posted_at: datetime | None
    plays: int | None
    likes: int | None
    comments: int | None
    shares: int | None


class Row(Answer, frozen=True, omit_defaults=True):
    """A creator, with the video that showed them."""

    ordinal: int | None
    platform: str
    id: str
    username: str
    name: str
    profile_url: str | None
    followers: int | None
    verified: bool
    avatar_url: str | None
    keyword: str
    source: str
    origin: str | None
    hashtags: list[str]
    seen_in: int
    collected_at: datetime
    video: VideoDocument
    sandbox: bool = False


class GuideCreator(Answer, frozen=True):
    """Whose video it is."""

    unique_id: str
    name: str
    followers: int | None
    avatar_url: str | None
    bio: str
    verified: bool


class GuideStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of a video by TikTok's own names."""

    play_count: int | None
    digg_count: int | None
    comment_count: int | None
    share_count: int | None


class GuideVideo(Answer, frozen=True):
    """The post that showed the creator."""

    description: str
    url: str
    statistics: GuideStatistics


class GuideRow(Answer, frozen=True, omit_defaults=True):
    """A creator in the shape that front ends of the JavaScript original read."""

    id: str
    creator: GuideCreator
    video: GuideVideo
    hashtags: list[str]
    platform: str
    collected_at: datetime
    sandbox: bool = False


class Figures(Answer, frozen=True):
    """The key figures of a set of jobs that have ended."""

    total_jobs: int
    completed: int
    partial: int
    cancelled: int
    failed: int
    exact_count_achieved: int
    accuracy_rate: str | None
    completion_rate: str | None
    success_rate: str | None
    api_efficiency: float | None
    avg_api_calls: float | None
    avg_processing_time: str | None
    total_api_calls: int
    credits_spent: int
    creators_delivered: int
    duplicates_found: int


class ExactCountStatus(Figures, frozen=True):
    """How a service does, in one flat object."""

    last_updated: datetime


class ExactCountStats(Answer, frozen=True):
    """The block that monitoring reads: the real jobs that were processed."""

    total_jobs_processed: int
    exact_count_achieved: int
    accuracy_rate: str | None
    avg_api_calls_per_job: float | None
    avg_processing_time: str | None
    top_keywords: list[str]
    last_updated: datetime


class FiguresByTarget(Answer, frozen=True):
    """The figures of jobs with a target up to this; `None` for all larger ones."""

    target_count_up_to: int | None
    figures: Figures


class StatisticsDocument(Answer, frozen=True):
    """All figures: of real jobs, of the other kinds apart, by the target asked."""

    since: date | None
    until: date | None
    keyword: str | None
    owner: str | None
    exact_count_stats: ExactCountStats
    real: Figures
    sandbox: Figures
    test_capped: Figures
    by_target_count: list[FiguresByTarget]


class AllowanceDocument(Answer, frozen=True):
    """What an owner, or a user of theirs, may use, and has used."""

    owner: str
    end_user: str | None
    credits_per_day: int | None
    credits_used_today: int
    creators_per_month: int | None
    creators_used_this_month: int


class AllowancePage(Answer, frozen=True):
    """The allowances that a key may see."""

    allowances: list[AllowanceDocument]


class WebhookSecret(Answer, frozen=True):
    """The secret of an endpoint, shown once."""

    url: str
    secret: str

    def __repr__(self) -> str:
        return f"WebhookSecret(url={self.url!r})"
