"""Watches a job over many connections: `python watching.py PORT TOKEN JOB NUMBER`.

It says when all are open, and at the end how many saw the job's last event.
"""

import asyncio
import sys

_LAST = b"event: job.completed"


async def main(port: int, token: str, job_id: str, number: int) -> None:
    """Watch until the service ends all answers."""
    opened = asyncio.Semaphore(0)
    watchers = [
        asyncio.create_task(_watch(port, token, job_id, opened)) for _ in range(number)
    ]
    for _ in watchers:
        await opened.acquire()
    print("ready", flush=True)
    print(sum(await asyncio.gather(*watchers)))


async def _watch(port: int, token: str, job_id: str, opened: asyncio.Semaphore) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET /api/jobs/{job_id}/events HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode()
    )
    end = await reader.readuntil(b"\n\n")  # the head, and how the job stands
    opened.release()
    while read := await reader.read(65_536):
        end = (end + read)[-10_000:]
    writer.close()
    return _LAST in end


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
