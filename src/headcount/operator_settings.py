"""The settings of who runs a service: what is watched, and how long things are kept."""

from typing import Any

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings


def _from(*names: str) -> Any:  # noqa: ANN401 - the type pydantic declares it with
    return AliasChoices(*names)


class OperatorSettings(BaseSettings):
    """The part of the settings that an operator needs; tracing by its standard names.

    What else the standard has (headers, timeouts, sampling, the service's name) is read
    from the environment by the library that traces.
    """

    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        validation_alias=_from("HEADCOUNT_METRICS_PORT"),
        description="Where `headcount worker` answers /metrics, /healthz and /readyz; "
        "0 is any port. `headcount serve` does so on its own.",
    )
    metrics_host: str = Field(
        "127.0.0.1",
        validation_alias=_from("HEADCOUNT_METRICS_HOST"),
        description="The address that port is on; 0.0.0.0 is everywhere.",
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        validation_alias=_from("HEADCOUNT_RETENTION_DAYS"),
        description="Days until a job that has ended is forgotten with all that it "
        "found; default: never. Its figures are kept.",
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        None,
        validation_alias=_from("OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="The OpenTelemetry collector that a service sends traces to, such "
        "as http://localhost:4318; default: no traces.",
    )
    otel_exporter_otlp_traces_endpoint: str | None = Field(
        None,
        validation_alias=_from("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        description="The same with the full path; goes before it.",
    )
    otel_traces_exporter: str = Field(
        "otlp",
        validation_alias=_from("OTEL_TRACES_EXPORTER"),
        description="Anything but otlp: no traces.",
    )
    otel_sdk_disabled: str = Field(
        "false",
        validation_alias=_from("OTEL_SDK_DISABLED"),
        description="true: no traces.",
    )

    @property
    def traces_endpoint(self) -> str | None:
        """Where traces are to be sent over HTTP; `None` where nobody wants any."""
        exporters = [part.strip() for part in self.otel_traces_exporter.split(",")]
        if "otlp" not in exporters or self.otel_sdk_disabled.lower() == "true":
            return None
        if self.otel_exporter_otlp_traces_endpoint:
            return self.otel_exporter_otlp_traces_endpoint
        base = self.otel_exporter_otlp_endpoint
        return f"{base.rstrip('/')}/v1/traces" if base else None
