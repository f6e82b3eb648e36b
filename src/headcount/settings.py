"""The settings: one validated value, made at the door, and the environment's reader.

A flag goes before the environment, the environment before the file. The file is
`headcount.toml` in the working directory, else `config.toml` in the user's
configuration directory. Names without a prefix are those that existing scripts use.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_config_path, user_data_path
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from headcount.adapters.providers.scrapecreators import URL
from headcount.client_settings import ClientSettings
from headcount.core.errors import InvalidSetting
from headcount.core.expansion import Expand
from headcount.core.model import Limits, Speed
from headcount.operator_settings import OperatorSettings
from headcount.runner_settings import RunnerSettings

_OURS = re.compile("(postgres|postgresql|sqlite):")
_DRIVER = re.compile(r"^(\w+)\+\w+(?=:)")
_Words = Annotated[tuple[str, ...], NoDecode]


def _from(*names: str) -> Any:  # noqa: ANN401 - the type pydantic declares it with
    return AliasChoices(*names)


class Settings(ClientSettings, OperatorSettings, RunnerSettings):
    """Everything that can be set beside the search itself."""

    model_config = SettingsConfigDict(
        extra="forbid",
        populate_by_name=True,
        env_prefix="HEADCOUNT_",  # or a DEBUG or TIMEOUT of others would be ours
        env_ignore_empty=True,
        frozen=True,
    )

    database_url: str | None = Field(
        None,
        validation_alias=_from("HEADCOUNT_DATABASE_URL"),
        description="Where jobs are kept; default: what `DATABASE_URL` names, if that "
        "is a Postgres or SQLite, else a SQLite file in the user's data.",
    )
    database_direct_url: str | None = Field(
        None,
        validation_alias=_from("HEADCOUNT_DATABASE_DIRECT_URL"),
        description="The same database past a pooler, for what upgrades or listens.",
    )
    scrapecreators_api_key: SecretStr | None = Field(
        None,
        validation_alias=_from("SCRAPECREATORS_API_KEY"),
        description="The key of the search API.",
    )
    scrapecreators_api_url: str = Field(
        URL,
        validation_alias=_from("SCRAPECREATORS_API_URL"),
        description="The API's origin, or the full endpoint.",
    )
    target: int | None = Field(
        None,
        validation_alias=_from("HEADCOUNT_TARGET", "TARGET_COUNT"),
        description="The number of creators where `find` is given none.",
    )
    keywords: _Words = Field(
        (),
        validation_alias=_from("HEADCOUNT_KEYWORDS", "TEST_KEYWORDS"),
        description="The keywords where `find` is given none: commas or a JSON list.",
    )
    max_calls: int | None = Field(
        None,
        ge=1,
        validation_alias=_from("HEADCOUNT_MAX_CALLS", "MAX_API_CALLS"),
        description="The cap on calls of a job; default: 3 x the expected + 20.",
    )
    max_calls_for_testing: int | None = Field(
        None,
        ge=1,
        validation_alias=_from(
            "HEADCOUNT_MAX_CALLS_FOR_TESTING", "MAX_API_CALLS_FOR_TESTING"
        ),
        description="Caps every job whenever it is set, whatever else is asked.",
    )
    max_credits: int | None = Field(
        None,
        ge=1,
        validation_alias=_from("HEADCOUNT_MAX_CREDITS"),
        description="The cap on credits of a job.",
    )
    rate_limit_ms: int = Field(
        0,
        ge=0,
        validation_alias=_from("HEADCOUNT_RATE_LIMIT_MS", "RATE_LIMIT_MS"),
        description="Milliseconds between the starts of two calls.",
    )
    retries: int = Field(
        3,
        ge=1,
        validation_alias=_from("HEADCOUNT_RETRIES", "RETRY_ATTEMPTS"),
        description="Attempts at a page before its keyword is set aside.",
    )
    speed: Speed = Field(
        Speed.BALANCED,
        validation_alias=_from("HEADCOUNT_SPEED"),
        description="How many calls a job may waste to be done sooner: lean, balanced "
        "or fast.",
    )
    expand: Expand = Field(
        Expand.OFF,
        validation_alias=_from("HEADCOUNT_EXPAND"),
        description="Which new sources a job may open where its own cannot reach the "
        "target: off, variants, related or all.",
    )
    concurrency: int = Field(
        4,
        ge=1,
        le=1000,
        validation_alias=_from("HEADCOUNT_CONCURRENCY"),
        description="Calls out at once with one provider key: of all processes of a "
        "service together, else of this process.",
    )
    requests_per_minute: int = Field(
        1_200,
        ge=1,
        validation_alias=_from("HEADCOUNT_REQUESTS_PER_MINUTE"),
        description="What an API key may ask of one process of the service.",
    )
    cors_origins: _Words = Field(
        (),
        validation_alias=_from("HEADCOUNT_CORS_ORIGINS"),
        description="Sites whose pages may ask the service from a browser.",
    )
    debug: bool = Field(
        default=False,
        validation_alias=_from("HEADCOUNT_DEBUG", "DEBUG_MODE"),
        description="Show the new ids of each call.",
    )
    credit_price: float | None = Field(
        None,
        ge=0,
        validation_alias=_from("HEADCOUNT_CREDIT_PRICE"),
        description="What a credit costs you; shown as costs where it is set.",
    )
    webhook_allow_private: bool = Field(
        default=False,
        validation_alias=_from("HEADCOUNT_WEBHOOK_ALLOW_PRIVATE"),
        description="Let webhooks lead to private addresses, and be plain HTTP.",
    )
    sandbox_seed: int = Field(
        42,
        validation_alias=_from("HEADCOUNT_SANDBOX_SEED"),
        description="Which invented world `--sandbox` searches.",
    )
    sandbox_latency_ms: int = Field(
        0,
        ge=0,
        validation_alias=_from("HEADCOUNT_SANDBOX_LATENCY_MS"),
        description="How long the sandbox takes for an answer.",
    )
    sandbox_faults: _Words = Field(
        (),
        validation_alias=_from("HEADCOUNT_SANDBOX_FAULTS"),
        description="What goes wrong in the sandbox: NAME:RATE or NAME@CALL,CALL.",
    )

    @field_validator("keywords", "sandbox_faults", "cors_origins", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        """Read a list as people write it: with commas, or as JSON."""
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            try:
                return tuple(json.loads(value))
            except ValueError:
                raise ValueError('expected commas, or a list such as ["a"]') from None
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not read
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the file, then what is there for all."""
        file = TomlConfigSettingsSource(settings_cls, config_file())
        shared = InitSettingsSource(settings_cls, _shared())
        return (init_settings, env_settings, file, shared)

    @property
    def store_url(self) -> str:
        """Where jobs are kept."""
        return self.database_url or f"sqlite:///{data_folder() / 'jobs.db'}"

    def filled(self, limits: Limits) -> Limits:
        """The limits, where what was left at its default comes from the settings."""
        ours = Limits(
            self.max_calls, self.max_credits, attempts=self.retries, speed=self.speed
        )
        left = [f.name for f in fields(Limits) if getattr(limits, f.name) == f.default]
        return replace(limits, **{name: getattr(ours, name) for name in left})


def _shared() -> dict[str, Any]:
    """The database that a host names for all programs, unless it is of another kind.

    The driver that it names for Python is another program's choice.
    """
    url = _DRIVER.sub(r"\1", os.environ.get("DATABASE_URL", ""))
    return {"database_url": url} if _OURS.match(url) else {}


def data_folder() -> Path:
    """Where the user's own data lie."""
    return user_data_path("headcount")


def config_file() -> Path:
    """The settings file: that of the working directory, else the user's own."""
    here = Path("headcount.toml")
    return here if here.is_file() else user_config_path("headcount") / "config.toml"


def load_settings(**flags: object) -> Settings:
    """Read the settings; flags that are `None` were not given.

    Raises:
        InvalidSetting: naming the setting, what was expected and what came.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings()
    except ValidationError as error:
        raise InvalidSetting(_first_fault(error, _as_given)) from None
    except ValueError as error:
        raise InvalidSetting(f"{config_file()}: {error}") from None
    try:  # what is left to be wrong are the flags
        return Settings.model_validate(settings.model_dump() | given)
    except ValidationError as error:
        raise InvalidSetting(_first_fault(error, _as_flag)) from None


def _first_fault(error: ValidationError, called: Callable[[str], str]) -> str:
    fault = error.errors(include_url=False, include_context=False)[0]
    name = str(fault["loc"][0])
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(name, Settings.model_fields, n=1, cutoff=0.4)
        hint = f": did you mean {near[0]!r}?" if near else ""
        return f"{config_file()}: no setting is called {name!r}{hint}"
    name = called(name)
    secret = name.lower().partition(" ")[0].endswith(("_key", "_token"))
    shown = "" if secret else f", not {fault['input']!r}"
    said = fault["msg"].removeprefix("Value error, ")
    return f"{name}: {said[0].lower()}{said[1:]}{shown}"


def _as_flag(place: str) -> str:
    return f"--{place.replace('_', '-')}"


def _as_given(place: str) -> str:
    """The name in the environment or the file of what pydantic found at this place."""
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names = alias.choices if isinstance(alias, AliasChoices) else []
        if place == name or place in names:
            given = [known for known in names if os.environ.get(str(known))]
            return str(given[0]) if given else f"{name} in {config_file()}"
    return place
