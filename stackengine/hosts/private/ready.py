"""One private host that is kept ready: it runs already, and whoever needs a new host takes it over and need not wait for libvirtd.

It runs under a name that nobody can ask for. Taking it over is one rename of its folder, so it is taken by one, and once; no process of it notices, as all of
them see their folders by mounts. Its runtime folder, where its sockets are, stays where it is: the settings say under which name it was started.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

from stackengine import __version__
from stackengine.hosts import processes
from stackengine.hosts.private import launch
from stackengine.hosts.private.configuration import read_settings, write_configuration
from stackengine.hosts.private.paths import SETTINGS, Paths, paths_of
from stackengine.hosts.runtime import locked, write_whole
from stackengine.sdk import HostError

READY, ENDING = ".ready-", ".ending-"
"""How the folders of such hosts begin; that of one that is being ended cannot be taken any more."""


def take(paths: Paths, state_dir: Path) -> bool:
    """Make the one that is kept ready the host of these paths, whose folder is empty; False where there is none, or it was taken meanwhile."""
    for folder in sorted(paths.folder.parent.glob(f"{READY}*")):
        if _usable(paths_of(folder.name, state_dir)):
            with contextlib.suppress(OSError):
                folder.rename(paths.folder)
                return True
    return False


def keep(state_dir: Path, *, among_others: bool = False) -> None:
    """Have one, and only one; what an older version or a reboot left goes. HostError says why it does not start.

    ``among_others``: only where there is some other private host.
    """
    with _alone(state_dir) as hosts:
        if among_others and not any(hosts.glob(f"[!.]*/{SETTINGS}")):
            return
        found = sorted(hosts.glob(f"{READY}*"))
        kept = next((f for f in found if _usable(paths_of(f.name, state_dir))), None)
        _end(hosts, state_dir, but=kept)
        if kept is None:
            try:
                _start(paths_of(f"{READY}{secrets.token_hex(4)}", state_dir))
            except BaseException:
                _end(hosts, state_dir, but=None)
                raise


def keep_soon(state_dir: Path) -> None:
    """Likewise, by a process that nobody waits for; it does nothing where no private host is left by then."""
    processes.start_detached(processes.python("stackengine.hosts.private.ready", str(state_dir.resolve())), state_dir / "hosts" / ".ready.log")


def end(state_dir: Path) -> bool:
    """End it and remove what it had; whether there was one."""
    if not (state_dir / "hosts").is_dir():
        return False
    with _alone(state_dir) as hosts:
        return _end(hosts, state_dir, but=None)


def was_taken(name: str, state_dir: Path) -> bool:
    """Whether a host is one that was kept ready, and no other is."""
    taken = "started_as" in read_settings(paths_of(name, state_dir))
    return taken and not any((state_dir / "hosts").glob(f"{READY}*"))


@contextlib.contextmanager
def _alone(state_dir: Path) -> Iterator[Path]:
    hosts = state_dir.resolve() / "hosts"
    with locked(hosts / ".ready"):
        yield hosts


def _usable(paths: Paths) -> bool:
    """Whether it runs, is whole (its settings are written last), and is of this version."""
    return paths.settings.is_file() and read_settings(paths).get("version") == __version__ and launch.process_1(paths) is not None


def _start(paths: Paths) -> None:
    launch.check(paths, outbound=False)
    paths.folder.mkdir(mode=0o700)
    write_configuration(paths)
    launch.launch(paths)
    launch.wait_for_libvirtd(paths)
    write_whole(paths.settings, json.dumps({"outbound": False, "switch": False, "started_as": paths.name, "version": __version__}))


def _end(hosts: Path, state_dir: Path, but: Path | None) -> bool:
    """End all but one; also what somebody who was killed had begun to end."""
    for folder in hosts.glob(f"{READY}*"):
        if folder != but:
            with contextlib.suppress(FileNotFoundError):  # somebody has taken it
                folder.rename(hosts / folder.name.replace(READY, ENDING, 1))
    ending = list(hosts.glob(f"{ENDING}*"))
    for folder in ending:
        paths = paths_of(folder.name.replace(ENDING, READY, 1), state_dir)
        pid = launch.running(paths)
        if pid is not None:
            launch.end(pid)
        launch.remove_tree(paths.runtime)
        launch.remove_tree(folder)
    return bool(ending)


def main() -> None:
    """Argument: the state folder. Nobody waits, so what goes wrong is left in the log."""
    try:
        keep(Path(sys.argv[1]), among_others=True)
    except HostError as error:
        print(error)


if __name__ == "__main__":
    main()
