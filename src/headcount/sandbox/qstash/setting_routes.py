"""The API of everything else: keys, queues, schedules and URL groups."""

from dataclasses import replace
from typing import Any

from headcount.sandbox.qstash.answers import Answer, RefusedError
from headcount.sandbox.qstash.clock import milliseconds
from headcount.sandbox.qstash.gates import Queue
from headcount.sandbox.qstash.intake import Intake, Schedule, Topic
from headcount.sandbox.qstash.routing import Request, route
from headcount.sandbox.qstash.timing import seconds_of
from headcount.sandbox.qstash.views import message_json

Json = dict[str, Any]


# ------------------------------------------------------------------------------- keys
@route("GET", "/v2/keys")
def keys(intake: Intake, _: Request) -> Answer:
    """The two signing keys."""
    known = intake.office.courier.keys
    return Answer({"current": known.current, "next": known.next})


@route("POST", "/v2/keys/rotate")
def rotate(intake: Intake, request: Request) -> Answer:
    """The next key signs from now on, and a new one stands by."""
    courier = intake.office.courier
    courier.keys = courier.keys.rotated()
    return keys(intake, request)


# ----------------------------------------------------------------------------- queues
@route("POST", "/v2/queues")
def put_queue(intake: Intake, request: Request) -> Answer:
    """Makes a queue, or changes it."""
    given = request.json
    name = given["queueName"]
    intake.check_queue(name)
    queue = intake.office.queue(name)
    queue.parallelism = given.get("parallelism", queue.parallelism)
    queue.paused = given.get("paused", queue.paused)
    queue.updated_at = intake.office.clock.now()
    intake.office.pump()
    return Answer()


@route("GET", "/v2/queues")
def queues(intake: Intake, _: Request) -> Answer:
    """All queues."""
    return Answer([_queue_json(queue) for queue in intake.office.queues.values()])


@route("GET", "/v2/queues/*")
def get_queue(intake: Intake, _: Request, name: str) -> Answer:
    """One queue."""
    return Answer(_queue_json(_queue(intake, name)))


@route("DELETE", "/v2/queues/*")
def delete_queue(intake: Intake, _: Request, name: str) -> Answer:
    """Takes a queue away, and cancels what stands in its line."""
    queue = intake.office.queues.pop(name, None)
    for message_id in list(queue.line) if queue else ():
        if message_id in intake.office.live:
            intake.office.cancel(intake.office.live[message_id])
    return Answer()


@route("POST", "/v2/queues/*/pause")
def pause_queue(intake: Intake, _: Request, name: str) -> Answer:
    """Holds a queue."""
    _queue(intake, name).paused = True
    return Answer()


@route("POST", "/v2/queues/*/resume")
def resume_queue(intake: Intake, _: Request, name: str) -> Answer:
    """Lets a queue go on."""
    _queue(intake, name).paused = False
    intake.office.pump()
    return Answer()


def _queue(intake: Intake, name: str) -> Queue:
    if name not in intake.office.queues:
        raise RefusedError(404, f"queue {name} not found")
    return intake.office.queues[name]


def _queue_json(queue: Queue) -> Json:
    return {
        "name": queue.name,
        "parallelism": queue.parallelism,
        "createdAt": milliseconds(queue.created_at),
        "updatedAt": milliseconds(queue.updated_at),
        "lag": len(queue.line),
        "paused": queue.paused,
    }


# -------------------------------------------------------------------------- schedules
@route("POST", "/v2/schedules/**")
def put_schedule(intake: Intake, request: Request, destination: str) -> Answer:
    """Makes a schedule, or replaces the one of this id."""
    address = request.destination(destination)
    return Answer({"scheduleId": intake.schedule(address, request.order).id})


@route("GET", "/v2/schedules")
def schedules(intake: Intake, _: Request) -> Answer:
    """All schedules."""
    return Answer([_schedule_json(each) for each in intake.schedules.values()])


@route("GET", "/v2/schedules/*")
def get_schedule(intake: Intake, _: Request, schedule_id: str) -> Answer:
    """One schedule."""
    return Answer(_schedule_json(_schedule(intake, schedule_id)))


@route("DELETE", "/v2/schedules/*")
def delete_schedule(intake: Intake, _: Request, schedule_id: str) -> Answer:
    """Takes a schedule away."""
    del intake.schedules[_schedule(intake, schedule_id).id]
    return Answer()


@route("POST", "/v2/schedules/*/pause")
@route("PATCH", "/v2/schedules/*/pause")
def pause_schedule(intake: Intake, _: Request, schedule_id: str) -> Answer:
    """Has a schedule pass over its times."""
    found = _schedule(intake, schedule_id)
    intake.schedules[found.id] = replace(found, paused=True)
    return Answer()


@route("POST", "/v2/schedules/*/resume")
@route("PATCH", "/v2/schedules/*/resume")
def resume_schedule(intake: Intake, _: Request, schedule_id: str) -> Answer:
    """Has a schedule fire again."""
    found = _schedule(intake, schedule_id)
    intake.schedules[found.id] = replace(found, paused=False)
    return Answer()


def _schedule(intake: Intake, schedule_id: str) -> Schedule:
    if schedule_id not in intake.schedules:
        raise RefusedError(404, f"schedule {schedule_id} not found")
    return intake.schedules[schedule_id]


def _schedule_json(schedule: Schedule) -> Json:
    """A schedule has most fields of a message that it sends."""
    delay = schedule.order.headers.get("upstash-delay")
    last = {"lastScheduleTime": milliseconds(schedule.last_at)}
    return {
        **message_json(schedule.sample),
        "retries": schedule.sample.retries,
        "scheduleId": schedule.id,
        "destination": schedule.destination,
        "cron": schedule.cron,
        "createdAt": milliseconds(schedule.created_at),
        "nextScheduleTime": milliseconds(schedule.next_at),
        "isPaused": schedule.paused,
        **(last if schedule.last_at else {}),
        **({"delay": int(seconds_of(delay))} if delay else {}),
    }


# ------------------------------------------------------------------------- URL groups
@route("POST", "/v2/topics/*/endpoints")
def put_endpoints(intake: Intake, request: Request, name: str) -> Answer:
    """Adds endpoints to a URL group, which is made if there is none."""
    now = intake.office.clock.now()
    added = {each["url"]: each.get("name", "") for each in request.json["endpoints"]}
    for url in added:
        intake.office.courier.destinations.check(url)
    topic = intake.topics.get(name, Topic(name, now, now))
    endpoints = {**topic.endpoints, **added}
    intake.topics[name] = replace(topic, endpoints=endpoints, updated_at=now)
    return Answer()


@route("DELETE", "/v2/topics/*/endpoints")
def delete_endpoints(intake: Intake, request: Request, name: str) -> Answer:
    """Takes endpoints out by URL or name; a URL group without any is gone."""
    topic = intake.topic(name)
    gone = {value for each in request.json["endpoints"] for value in each.values()}
    rest = {
        url: label
        for url, label in topic.endpoints.items()
        if url not in gone and (label or url) not in gone
    }
    now = intake.office.clock.now()
    intake.topics[name] = replace(topic, endpoints=rest, updated_at=now)
    if not rest:
        del intake.topics[name]
    return Answer()


@route("GET", "/v2/topics")
def topics(intake: Intake, _: Request) -> Answer:
    """All URL groups."""
    return Answer([_topic_json(topic) for topic in intake.topics.values()])


@route("GET", "/v2/topics/*")
def get_topic(intake: Intake, _: Request, name: str) -> Answer:
    """One URL group."""
    return Answer(_topic_json(intake.topic(name)))


@route("DELETE", "/v2/topics/*")
def delete_topic(intake: Intake, _: Request, name: str) -> Answer:
    """Takes a URL group away; one that is not there is no error."""
    intake.topics.pop(name, None)
    return Answer()


def _topic_json(topic: Topic) -> Json:
    return {
        "name": topic.name,
        "createdAt": milliseconds(topic.created_at),
        "updatedAt": milliseconds(topic.updated_at),
        "endpoints": [
            {"url": url, **({"name": name} if name else {})}
            for url, name in topic.endpoints.items()
        ],
    }
