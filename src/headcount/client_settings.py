"""The settings of commands that turn to a server."""

from typing import Any

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings


def _from(*names: str) -> Any:  # noqa: ANN401 - the type pydantic declares it with
    return AliasChoices(*names)


class ClientSettings(BaseSettings):
    """The part of the settings that says which server is asked, and how."""

    server: str | None = Field(
        None,
        validation_alias=_from("HEADCOUNT_SERVER"),
        description="The server that `find`, `jobs` and `stats` turn to; default: "
        "none, so that they work on this machine.",
    )
    api_key: SecretStr | None = Field(
        None,
        validation_alias=_from("HEADCOUNT_API_KEY"),
        description="The key for that server.",
    )
    server_allow_http: bool = Field(
        default=False,
        validation_alias=_from("HEADCOUNT_SERVER_ALLOW_HTTP"),
        description="Send the key over plain HTTP too, where others could read it.",
    )

    @field_validator("server")
    @classmethod
    def _none_if_empty(cls, server: str | None) -> str | None:
        """`--server ""` is this machine, whatever the environment says."""
        return (server or "").strip() or None
