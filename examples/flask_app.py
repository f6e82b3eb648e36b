"""A Flask app that keeps its QStash route and its own table of jobs.

    flask --app flask_app run

A message takes a job of TikTok forward by one call of Headcount, which says what to
store and when to go on; other jobs are done as before.
"""

import json
import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from flask import Flask, request
from flask.typing import ResponseReturnValue
from qstash import QStash, Receiver
from qstash.errors import SignatureError

from headcount import InvalidSearch, process_tiktok_job_with_exact_count_sync

PATH = "/api/qstash/process-scraping"
URL = os.environ["PUBLIC_URL"] + PATH
NEVER = 489, {"Upstash-NonRetryable-Error": "true"}  # QStash tries it no more
TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    platform TEXT NOT NULL,
    keywords TEXT NOT NULL,
    target_results INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending',
    progress INTEGER NOT NULL DEFAULT 0,
    metadata TEXT
);
CREATE TABLE IF NOT EXISTS creators (
    job_id TEXT NOT NULL REFERENCES jobs (id),
    id TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (job_id, id)
);
"""

app = Flask(__name__)


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """One transaction in the app's own database."""
    with closing(sqlite3.connect(os.environ["APP_DATABASE"])) as connection:
        connection.row_factory = sqlite3.Row
        connection.executescript(TABLES)
        with connection:
            yield connection


def publish(job_id: str, delay: int = 0) -> None:
    """Have QStash call the app back for a job, once for each message it is done for.

    It is tried once: where QStash is away, this message fails and comes again.
    """
    after = request.headers.get("Upstash-Message-Id", "the-app")
    QStash(os.environ["QSTASH_TOKEN"], retry=False).message.publish_json(
        url=URL,
        body={"jobId": job_id},
        delay=delay,
        deduplication_id=f"{job_id}-after-{after}",
    )


# ------------------------------------------------------------------- QStash's messages
@app.post(PATH)
def process_scraping() -> ResponseReturnValue:
    """Take the job that a message names forward."""
    body = request.get_data(as_text=True)  # as it came: the signature is over it
    if not is_from_qstash(body):
        return "unauthorized", 401
    job_id = json.loads(body)["jobId"]
    with database() as db:
        row = db.execute("SELECT * FROM jobs WHERE id = ?", [job_id]).fetchone()
    if row is None:
        return {"error": "no job has this id"}, *NEVER
    job = dict(row)
    if job["platform"].lower() == "tiktok" and job["keywords"]:
        return find_creators(job)
    return scrape(job)


def is_from_qstash(body: str) -> bool:
    """Whether a message is signed by QStash, for this address."""
    receiver = Receiver(
        current_signing_key=os.environ["QSTASH_CURRENT_SIGNING_KEY"],
        next_signing_key=os.environ["QSTASH_NEXT_SIGNING_KEY"],
    )
    signature = request.headers.get("Upstash-Signature", "")
    try:
        receiver.verify(signature=signature, body=body, url=URL)
    except SignatureError:
        return False
    return True


def find_creators(job: dict[str, Any]) -> ResponseReturnValue:
    """Take a job of TikTok forward, and store what came of it in one transaction."""
    try:
        told = process_tiktok_job_with_exact_count_sync(job, job["id"])
    except InvalidSearch as error:
        store(job["id"], status="failed")
        return {"error": str(error)}, *NEVER
    store(
        job["id"],
        status=told.status,
        progress=told.progress,
        metadata=json.dumps(told.metadata),
        creators=told.creators,
    )
    if told.call_again_in is not None:
        publish(job["id"], delay=told.call_again_in)
    return {"status": told.status, "message": told.message}


def store(
    job_id: str,
    *,
    status: str,
    progress: int = 0,
    metadata: str | None = None,
    creators: tuple[dict[str, Any], ...] = (),
) -> None:
    """Write down how a job stands, with the creators that are new."""
    with database() as db:
        db.execute(
            "UPDATE jobs SET status = ?, progress = ?, "
            "metadata = coalesce(?, metadata) WHERE id = ?",
            [status, progress, metadata, job_id],
        )
        db.executemany(
            "INSERT OR IGNORE INTO creators VALUES (?, ?, ?)",
            [(job_id, creator["id"], json.dumps(creator)) for creator in creators],
        )


def scrape(job: dict[str, Any]) -> ResponseReturnValue:
    """Do the app's own work for what is not TikTok's."""
    store(job["id"], status="completed", progress=100)
    return {"scraped": job["id"]}


# ------------------------------------------------------------------- the app's own work
@app.post("/campaigns")
def begin() -> ResponseReturnValue:
    """Keep a job in the app's own table, and publish its first message."""
    asked, job_id = request.get_json(), str(uuid.uuid4())
    with database() as db:
        db.execute(
            "INSERT INTO jobs (id, platform, keywords, target_results)"
            " VALUES (?, ?, ?, ?)",
            [
                job_id,
                asked.get("platform", "TikTok"),
                json.dumps(asked["keywords"]),
                asked["target"],
            ],
        )
    publish(job_id)
    return {"id": job_id}, 201


@app.get("/campaigns/<job_id>")
def show(job_id: str) -> ResponseReturnValue:
    """Show how far a job is, in percent, and the creators so far."""
    with database() as db:
        row = db.execute("SELECT * FROM jobs WHERE id = ?", [job_id]).fetchone()
        found = db.execute("SELECT data FROM creators WHERE job_id = ?", [job_id])
        creators = [json.loads(creator["data"]) for creator in found]
    if row is None:
        return {"error": "no job has this id"}, 404
    return {"status": row["status"], "progress": row["progress"], "creators": creators}
