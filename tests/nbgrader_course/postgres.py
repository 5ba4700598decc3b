"""A PostgreSQL server of our own, in a folder, for as long as a test lasts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "gradebook"


def programs() -> Path | None:
    """Where ``initdb`` and ``pg_ctl`` lie; Debian keeps them off the path."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").is_file()), None)


@contextmanager
def server() -> Iterator[str]:
    """A server with one empty database; gives its URL.

    It refuses to be started by root, so root starts it as ``nobody``. It listens on localhost to
    whoever knows the password.
    """
    where = programs()
    if where is None:
        raise RuntimeError("no PostgreSQL; on Debian: sudo apt-get install postgresql")
    # Not below pytest's folder, which is closed to others.
    with tempfile.TemporaryDirectory(prefix="csnn-postgres-") as base:
        os.chmod(base, 0o755)
        home = Path(base) / "home"
        home.mkdir()
        if os.geteuid() == 0:
            shutil.chown(home, "nobody")
        data, password = home / "data", Path(base) / "password"
        password.write_text("of-the-test\n")
        password.chmod(0o644)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        _run(
            where / "initdb",
            *("-D", data, "-U", USER, f"--pwfile={password}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"),
        )
        options = f"-h 127.0.0.1 -p {port} -k '' -F"
        log = home / "log"
        _run(where / "pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            yield f"postgresql://{USER}:of-the-test@127.0.0.1:{port}/postgres"
        finally:
            _run(where / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _run(*command: object) -> None:
    words = list(map(str, command))
    if os.geteuid() == 0:
        words = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *words]
    # pg_ctl leaves its server our output: a pipe would never end.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(words, stdout=said, stderr=said, cwd="/", timeout=120, check=False)
        said.seek(0)
        assert done.returncode == 0, said.read().decode(errors="replace")
