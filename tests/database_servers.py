"""Real database servers: Debian's, each in a folder of its own, heard on a Unix socket only, and ended with the test run."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

START_SECONDS = 60.0
BINARIES = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/sbin"), Path("/usr/bin"), Path("/usr/local/bin")]


def program(name: str) -> str:
    return next((str(folder / name) for folder in BINARIES if (folder / name).exists()), "")


def lacking(kind: str) -> str:
    """Why a server cannot be run here; empty where it can."""
    programs, driver, how = {
        "postgresql": (("postgres", "initdb"), "psycopg", "apt-get install postgresql; pip install 'psycopg[binary]'"),
        "mariadb": (("mariadbd", "mariadb-install-db", "my_print_defaults"), "pymysql",
                    "apt-get install mariadb-server-core mariadb-client-core; pip install PyMySQL"),
    }[kind]  # fmt: skip
    missing = [p for p in programs if not program(p)] + ([driver] if find_spec(driver) is None else [])
    return f"{', '.join(missing)} is not here ({how})" if missing else ""


def account(*names: str) -> Any:
    """Who the server runs as: neither of them runs as root."""
    if os.getuid():
        return pwd.getpwuid(os.getuid())
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise AssertionError(names)


class Server:
    """One that runs; ``fresh`` gives the URL of a new, empty database in it."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self._user = account("postgres", "nobody") if kind == "postgresql" else account("mysql", "nobody")
        os.chown(folder, self._user.pw_uid, self._user.pw_gid)
        self._make()
        self.start()

    def _as(self) -> dict[str, Any]:
        environ = {"PATH": "/usr/bin:/usr/sbin:/bin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        whose = {} if os.getuid() else {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return {"env": environ, "cwd": self.folder, **whose}

    def _run(self, words: Sequence[str]) -> None:
        done = subprocess.run(words, check=False, capture_output=True, text=True, **self._as())
        assert done.returncode == 0, done.stdout + done.stderr

    def _make(self) -> None:
        data = str(self.folder / "data")
        if self.kind == "postgresql":
            self._run([program("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"])
        else:
            words = ["--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"]
            self._run([program("mariadb-install-db"), *words, f"--tmpdir={self.folder}"])

    def start(self) -> None:
        data, log = str(self.folder / "data"), (self.folder / "log").open("ab")
        if self.kind == "postgresql":
            words = [program("postgres"), "-D", data, "-k", str(self.folder), "-c", "listen_addresses=", "-c", "fsync=off"]
        else:
            words = [program("mariadbd"), "--no-defaults", f"--datadir={data}", f"--socket={self.folder}/socket", "--skip-networking",
                     f"--pid-file={self.folder}/pid", f"--tmpdir={self.folder}", "--innodb-flush-log-at-trx-commit=0"]  # fmt: skip
        with log:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._as())
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self._execute("SELECT 1")
            except Exception:
                said = (self.folder / "log").read_text("utf-8", "replace")
                assert time.monotonic() < end, said
                assert self._process.poll() is None, said
                time.sleep(0.1)
            else:
                return

    def _execute(self, statement: str) -> None:
        connection: Any
        if self.kind == "postgresql":
            connection = import_module("psycopg").connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True)
        else:
            connection = import_module("pymysql").connect(unix_socket=f"{self.folder}/socket", user="root", autocommit=True)
        cursor = connection.cursor()
        cursor.execute(statement)
        connection.close()

    def fresh(self) -> str:
        name = f"s{uuid.uuid4().hex[:12]}"
        self._execute(f"CREATE DATABASE {name}")
        if self.kind == "postgresql":
            return f"postgresql://postgres@/{name}?host={self.folder}"
        return f"mariadb://root@localhost/{name}?unix_socket={self.folder}/socket"

    def stop(self) -> None:
        """At once, as far as clients are concerned."""
        self._process.terminate() if self.kind == "mariadb" else self._process.send_signal(2)
        self._process.wait(60)


@contextmanager
def running(kind: str) -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="se-db-"))  # a socket's path is short, and pytest's folders are of one user only
    try:
        server = Server(kind, folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)

