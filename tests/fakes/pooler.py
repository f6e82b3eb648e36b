"""A real PgBouncer in transaction mode: each transaction may get another connection."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fakes.postgres import Server
from sqlalchemy import make_url

_PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
_CONNECTIONS = 3  # fewer than one store has threads, so that they must be shared
_CONFIGURATION = """
[databases]
* = host={server} user=postgres pool_size={connections}
[pgbouncer]
pool_mode = transaction
auth_type = any
listen_addr =
unix_socket_dir = {folder}
log_connections = 0
log_disconnections = 0
log_stats = 0
"""


@contextmanager
def pooled(server: Server, url: str) -> Iterator[str]:
    """The URL at which a pooler passes on to this database of the server."""
    assert _PROGRAM, "these tests need PgBouncer: apt-get install pgbouncer"
    folder = Path(tempfile.mkdtemp(prefix="headcount-pooler-"))
    file = folder / "pgbouncer.ini"
    file.write_text(
        _CONFIGURATION.format(
            server=server.socket, connections=_CONNECTIONS, folder=folder
        )
    )
    user: list[str] = []
    if os.geteuid() == 0:  # PgBouncer will not be root
        os.chown(folder, pwd.getpwnam(server.user).pw_uid, -1)
        user = ["-u", server.user]
    command = [_PROGRAM, *user, str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        said: list[str] = []
        for line in process.stderr or ():
            said.append(line)
            if "process up" in line:
                break
        assert process.poll() is None, "".join(said)
        try:
            yield f"postgresql://postgres@:6432/{make_url(url).database}?host={folder}"
        finally:
            process.kill()
    shutil.rmtree(folder)
