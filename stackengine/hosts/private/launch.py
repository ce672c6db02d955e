"""Start process 1 of a private host, and wait until its libvirtd answers."""

from __future__ import annotations

import json
import os
import queue
import select
import shutil
import subprocess
import threading
import time
from pathlib import Path

from stackengine.hosts import processes
from stackengine.hosts.private import packages
from stackengine.hosts.private.broker import Broker
from stackengine.hosts.private.paths import Paths
from stackengine.hosts.private.requirements import FOLDERS, SIMULATE, requirements
from stackengine.hosts.runtime import is_ours, make_runtime_folder
from stackengine.sdk import HostError, UnreachableError

START_SECONDS = 60.0
COVERED = ("/run", "/var/run", "/proc", "/sys", *FOLDERS)
"""Places that look different inside; a state folder there would not be found."""


def check(paths: Paths, *, outbound: bool, switch: bool = False) -> None:
    """HostError naming what is missing here."""
    for requirement in requirements(outbound=outbound, switch=switch):
        if requirement.problem:
            raise HostError(f"a private host cannot start here: {requirement.problem}", hint=f"{requirement.mend}; {SIMULATE}")
    real = paths.folder.resolve()
    for place in COVERED:
        if real.is_relative_to(place):
            raise HostError(f"state below {place} cannot be seen inside a private host", hint="name another folder with --state")


def into_namespaces() -> list[str]:
    """The start of a command line that makes the caller root of fresh user namespaces, where it is not root already."""
    unshare = packages.which("unshare") or "unshare"
    return [unshare, "--user", "--map-auto", "--map-root-user"] if os.getuid() else [unshare]


def remove_tree(folder: Path) -> None:
    """Remove a folder; files of a plain user's mapped ids can be removed only from inside such a namespace."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists() and os.getuid():
        subprocess.run([*into_namespaces(), "rm", "-rf", "--", str(folder)], check=False, stdin=subprocess.DEVNULL)
    if folder.exists():
        shutil.rmtree(folder)


def process_1(paths: Paths) -> int | None:
    """The process id of process 1, seen from here; None when the host does not run."""
    return Broker(paths.broker).pid() if is_ours(paths.runtime) else None


def running(paths: Paths) -> int | None:
    """Likewise, but one that is just starting (whoever began it is gone) is waited for."""
    limit = time.monotonic() + START_SECONDS
    while (pid := process_1(paths)) is None and processes.lives(paths.lock):
        if time.monotonic() > limit:
            if starting := processes.holder(paths.lock):
                processes.end(starting, at_once=True)
            return None
        time.sleep(processes.LOOK_SECONDS)
    return pid


def end(pid: int) -> None:
    """End process 1, and with it every process of its host; return when all is gone."""
    with processes.watching(processes.parent(pid)) as monitor:  # unshare, which waits for process 1 to end with it
        processes.end(pid)
        if monitor is not None:
            select.select([monitor], [], [], processes.END_SECONDS)


def launch(paths: Paths) -> int:
    """Start process 1 in fresh namespaces and wait until libvirtd listens; the process id, seen from here. HostError says why it did not start."""
    for folder in FOLDERS:
        if os.getuid() == 0:
            Path(folder).mkdir(parents=True, exist_ok=True)
    make_runtime_folder(paths.runtime)
    log = paths.folder / "log" / "init.log"
    answer, told = os.pipe()
    try:
        # the lock is handed on to process 1, so that there is no moment in which a start can be seen by nobody, whoever is killed
        with processes.holding(paths.lock) as lock, open(told, "wb"):
            if lock is None:
                raise HostError(f"the private host {paths.name} is being started by somebody else", hint="try again in a moment")
            _empty(paths)
            processes.start_detached(_command(paths, told, lock), log, (told, lock))
        said = _answer(answer)
    finally:
        os.close(answer)
    pid = running(paths) if said == "\n" else None
    if pid is None:
        if starting := processes.holder(paths.lock):
            processes.end(starting, at_once=True)
        remove_tree(paths.runtime)
        why = said.strip() or processes.last_words(log)
        hint = f"stack-run hosts doctor private://{paths.name} says what is missing; {SIMULATE}"
        raise HostError(f"the private host {paths.name} did not start: {why}", hint=hint)
    return pid


def _empty(paths: Paths) -> None:
    """What a host that ended left in its runtime folder goes; the lock is held and stays."""
    for left in paths.runtime.iterdir():
        if left.is_dir() and not left.is_symlink():
            remove_tree(left)
        elif left != paths.lock:
            left.unlink()
    (paths.runtime / "run" / "libvirt").mkdir(parents=True)


def _command(paths: Paths, told: int, lock: int) -> list[str]:
    settings = {"folder": paths.folder, "runtime": paths.runtime, "cache": paths.cache, "broker": paths.broker, "name": paths.name}
    arguments = json.dumps({key: str(value) for key, value in settings.items()})
    init = processes.python("stackengine.hosts.private.init", arguments, str(told), str(lock))
    return [*into_namespaces(), "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child", *init]


def _answer(descriptor: int) -> str:
    """What process 1 says of its start: a line feed when all is well; the reason, or nothing, when it ended."""
    said = b""
    while select.select([descriptor], [], [], START_SECONDS)[0]:
        data = os.read(descriptor, 4096)
        said += data
        if not data or said.endswith(b"\n"):
            return said.decode(errors="replace")
    return f"no answer within {START_SECONDS:g} s"


def wait_for_libvirtd(paths: Paths) -> None:
    """Return when libvirtd answers. It opens in a thread of its own, as an open against a silent server never returns."""
    import libvirt

    answer: queue.SimpleQueue[libvirt.libvirtError | None] = queue.SimpleQueue()

    def body() -> None:
        try:
            libvirt.open(paths.libvirt_uri).close()
        except libvirt.libvirtError as error:
            answer.put(error)
        else:
            answer.put(None)

    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    threading.Thread(target=body, name="libvirt-open", daemon=True).start()
    try:
        error = answer.get(timeout=START_SECONDS)
    except queue.Empty:
        raise UnreachableError(f"libvirtd of the private host {paths.name} does not answer within {START_SECONDS:g} s") from None
    if error is not None:
        raise UnreachableError(f"libvirtd of the private host {paths.name} refuses: {error}", hint=f"see {paths.folder / 'log'}") from error
