"""The API of flow control: what runs at a time and starts per period, by key."""

from dataclasses import replace
from typing import Any

from headcount.sandbox.qstash.answers import Answer, RefusedError
from headcount.sandbox.qstash.gates import FlowControl
from headcount.sandbox.qstash.intake import Intake
from headcount.sandbox.qstash.messages import FlowLimits
from headcount.sandbox.qstash.routing import Request, route
from headcount.sandbox.qstash.timing import seconds_of

Json = dict[str, Any]


@route("GET", "/v2/flowControl")
def flows(intake: Intake, request: Request) -> Answer:
    """All flow-control keys, or those that have the searched word in them."""
    (word,) = request.query.get("search", [""])[:1]
    found = [flow for flow in intake.office.flows.values() if word in flow.key]
    return Answer([_flow_json(intake, flow) for flow in found])


@route("GET", "/v2/globalParallelism")
def global_parallelism(intake: Intake, _: Request) -> Answer:
    """How many deliveries run at a time, and may."""
    office = intake.office
    told = {
        "parallelismMax": office.limits.parallelism,
        "parallelismCount": len(office.running),
    }
    return Answer(told)


@route("GET", "/v2/flowControl/*")
def get_flow(intake: Intake, _: Request, key: str) -> Answer:
    """One flow-control key."""
    return Answer(_flow_json(intake, _flow(intake, key)))


@route("POST", "/v2/flowControl/*/pause")
def pause_flow(intake: Intake, _: Request, key: str) -> Answer:
    """Holds the messages of a key."""
    _flow(intake, key).paused = True
    return Answer()


@route("POST", "/v2/flowControl/*/resume")
def resume_flow(intake: Intake, _: Request, key: str) -> Answer:
    """Lets the messages of a key go on."""
    _flow(intake, key).paused = False
    intake.office.pump()
    return Answer()


@route("POST", "/v2/flowControl/*/pin")
def pin_flow(intake: Intake, request: Request, key: str) -> Answer:
    """Sets limits that later messages do not change."""
    flow, given = intake.office.flow(key), request.query
    number = {name: values[0] for name, values in given.items()}
    if "parallelism" in number:
        flow.pinned_parallelism = True
        parallelism = int(number["parallelism"])
        flow.limits = replace(flow.limits, parallelism=parallelism)
    if "rate" in number:
        flow.pinned_rate = True
        period = number.get("period", "1")
        seconds = float(period) if period.isdecimal() else seconds_of(period)
        limits = FlowLimits(flow.limits.parallelism, int(number["rate"]), seconds)
        flow.limits = limits
    intake.office.pump()
    return Answer()


@route("POST", "/v2/flowControl/*/unpin")
def unpin_flow(intake: Intake, request: Request, key: str) -> Answer:
    """Lets later messages change the limits again."""
    flow, given = _flow(intake, key), request.query
    flow.pinned_parallelism &= given.get("parallelism") != ["true"]
    flow.pinned_rate &= given.get("rate") != ["true"]
    return Answer()


@route("POST", "/v2/flowControl/*/resetRate")
def reset_rate(intake: Intake, _: Request, key: str) -> Answer:
    """Begins a new period at once."""
    _flow(intake, key).reset_rate(intake.office.clock.now())
    intake.office.pump()
    return Answer()


def _flow(intake: Intake, key: str) -> FlowControl:
    if key not in intake.office.flows:
        raise RefusedError(404, f"flow control key {key} not found")
    return intake.office.flows[key]


def _flow_json(intake: Intake, flow: FlowControl) -> Json:
    now, office = intake.office.clock.now(), intake.office
    waiting = [
        message
        for message in office.live.values()
        if message.flow_key == flow.key
        and message.due <= now
        and message.id not in office.running
    ]
    return {
        "flowControlKey": flow.key,
        "waitListSize": len(waiting),
        "parallelismMax": flow.limits.parallelism,
        "parallelismCount": flow.running,
        "rateMax": flow.limits.rate,
        "rateCount": flow.in_period(now),
        "ratePeriod": int(flow.limits.period),
        "ratePeriodStart": int(flow.period_start),
        "isPaused": flow.paused,
        "isPinnedParallelism": flow.pinned_parallelism,
        "isPinnedRate": flow.pinned_rate,
    }
