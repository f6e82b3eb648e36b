"""The settings of what takes jobs forward, and within which times."""

from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings

from headcount.core.errors import InvalidSetting

MARGIN = 5.0  # seconds of a host's limit for what comes before a step and after it
# Anybody can sign with these: QStash's development server has the first two, and the
# sandbox those that begin so.
_PUBLISHED = {
    "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
    "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
}
_SANDBOX = "sig_sandbox"
_FIRST = ("QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY")
_SECOND = tuple(f"HEADCOUNT_{n.replace('QSTASH', 'QSTASH_SECOND')}" for n in _FIRST)


def _from(*names: str) -> Any:  # noqa: ANN401 - the type pydantic declares it with
    return AliasChoices(*names)


class RunnerSettings(BaseSettings):
    """The part of the settings that runners need; for QStash under its own names."""

    runner: Literal["local", "pgqueuer", "qstash"] = Field(
        "local",
        validation_alias=_from("HEADCOUNT_RUNNER"),
        description="What takes the jobs of a service forward: workers woken in this "
        "process, workers woken by PgQueuer over a Postgres, on other machines too, or "
        "messages of QStash.",
    )
    jobs_at_once: int = Field(
        50,
        ge=1,
        le=10_000,
        validation_alias=_from("HEADCOUNT_JOBS_AT_ONCE"),
        description="Jobs that one process of a service works on at once.",
    )
    timeout: float = Field(
        120.0,
        gt=0,
        validation_alias=_from("HEADCOUNT_TIMEOUT"),
        description="Seconds until a call is given up.",
    )
    qstash_token: SecretStr | None = Field(
        None,
        validation_alias=_from("QSTASH_TOKEN"),
        description="The token that messages are published with.",
    )
    qstash_url: str = Field(
        "https://qstash.upstash.io",
        validation_alias=_from("QSTASH_URL"),
        description="QStash's origin; each region has its own, with its own token.",
    )
    qstash_current_signing_key: SecretStr | None = Field(
        None,
        validation_alias=_from("QSTASH_CURRENT_SIGNING_KEY"),
        description="The key that messages are signed with.",
    )
    qstash_next_signing_key: SecretStr | None = Field(
        None,
        validation_alias=_from("QSTASH_NEXT_SIGNING_KEY"),
        description="The key they will be signed with after the next rotation.",
    )
    qstash_second_current_signing_key: SecretStr | None = Field(
        None,
        validation_alias=_from("HEADCOUNT_QSTASH_SECOND_CURRENT_SIGNING_KEY"),
        description="The same of a second region, while moving from one to another.",
    )
    qstash_second_next_signing_key: SecretStr | None = Field(
        None,
        validation_alias=_from("HEADCOUNT_QSTASH_SECOND_NEXT_SIGNING_KEY"),
        description="The next key of the second region.",
    )
    qstash_public_urls: str = Field(
        "",
        validation_alias=_from("HEADCOUNT_QSTASH_PUBLIC_URLS"),
        description="The addresses under which QStash finds this app, with commas "
        "between them; messages are published to the first.",
    )
    qstash_slice: float = Field(
        20.0,
        gt=0,
        validation_alias=_from("HEADCOUNT_QSTASH_SLICE"),
        description="Seconds that one message takes a job forward.",
    )
    qstash_limit: float = Field(
        60.0,
        gt=0,
        validation_alias=_from("HEADCOUNT_QSTASH_LIMIT"),
        description="Seconds that the host lets a request take. A call may take what "
        "is left of them after the slice, but for 5.",
    )
    qstash_parallelism: int = Field(
        10,
        ge=1,
        validation_alias=_from("HEADCOUNT_QSTASH_PARALLELISM"),
        description="Messages for one provider key that are worked on at once; no more "
        "than HEADCOUNT_CONCURRENCY, since each needs a call of its own.",
    )
    qstash_rate: int = Field(
        10,
        ge=1,
        validation_alias=_from("HEADCOUNT_QSTASH_RATE"),
        description="Messages for one provider key that are delivered in a second.",
    )

    @property
    def call_timeout(self) -> float:
        """Seconds until a call is given up; on QStash within what the host allows.

        Raises:
            InvalidSetting: the host's limit leaves no time for a call.
        """
        if self.runner != "qstash":
            return self.timeout
        return self.time_for_calls(self.qstash_slice)

    def time_for_calls(self, seconds: float) -> float:
        """Seconds until a call is given up, within what the host leaves of a slice.

        Raises:
            InvalidSetting: the host's limit leaves no time for a call.
        """
        left = self.qstash_limit - seconds - MARGIN
        if left < 1:
            raise InvalidSetting(
                f"HEADCOUNT_QSTASH_LIMIT: expected at least {MARGIN + 1:g} s more than "
                f"HEADCOUNT_QSTASH_SLICE, which is {seconds:g}, "
                f"not {self.qstash_limit:g}"
            )
        return min(self.timeout, left)

    @property
    def public_urls(self) -> tuple[str, ...]:
        """The addresses under which QStash finds this app; there is at least one.

        Raises:
            InvalidSetting: there is none, or one cannot be used.
        """
        given = (
            part.strip().rstrip("/") for part in self.qstash_public_urls.split(",")
        )
        urls = tuple(url for url in given if url)
        wrong = next((url for url in urls if not _is_plain(url)), None)
        if wrong is None and urls:
            return urls
        raise InvalidSetting(
            "HEADCOUNT_QSTASH_PUBLIC_URLS: expected the address under which QStash "
            f"finds this app, such as https://app.example, not {wrong or 'nothing'!r}"
        )

    def signing_keys(self, *, dev: bool) -> tuple[str, ...]:
        """All keys that a message of QStash may be signed with, the likeliest first.

        Raises:
            InvalidSetting: one is missing or cannot be used, or is known to everybody
                and `dev` is not set.
        """
        first = (self.qstash_current_signing_key, self.qstash_next_signing_key)
        second = (
            self.qstash_second_current_signing_key,
            self.qstash_second_next_signing_key,
        )
        keys = tuple(_pair(_FIRST, first)) if any(first) or not dev else ()
        keys += tuple(_pair(_SECOND, second)) if any(second) else ()
        known = any(key in _PUBLISHED or key.startswith(_SANDBOX) for key in keys)
        if known and not dev:
            raise InvalidSetting(
                "QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY: these are "
                "published, so anybody could sign with them: set your own, or try with "
                "--dev"
            )
        return keys


def _is_plain(url: str) -> bool:
    """Whether a URL reads the same to everybody, so that signatures can be for it."""
    parts = urlsplit(url)
    right = parts.scheme in {"http", "https"} and bool(parts.netloc)
    return right and url.isascii() and not (set(url) & set("?#@ "))


def _pair(names: tuple[str, ...], pair: tuple[SecretStr | None, ...]) -> Iterator[str]:
    for name, secret in zip(names, pair, strict=True):
        key = secret.get_secret_value().strip().strip("\"'") if secret else ""
        if not key:
            raise InvalidSetting(f"{name}: set it to the signing key of your QStash")
        if not key.isascii() or any(map(str.isspace, key)):
            raise InvalidSetting(
                f"{name}: expected no space or line break in it: paste it anew"
            )
        yield key
