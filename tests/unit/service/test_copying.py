"""Files that are copied into and out of a guest: whole or as before, with nothing left beside them.

The guest is a folder of this machine: its agent does there what QEMU's does (guest-file-*, guest-exec), with this machine's own shell.
"""

from __future__ import annotations

import base64
import itertools
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import pytest

from stackengine.hosts.memory import MemoryHost
from stackengine.sdk import AgentError
from stackengine.service import guests
from stackengine.service.types import ServiceError
from unit.service.house import STACK, House

WEB = "web: {type: SE::Server, properties: {image: tiny}}\n"


class Agent:
    """Answers as the guest agent; after ``lives`` commands it is gone, and ``fails`` is a command that it refuses."""

    def __init__(self) -> None:
        self._files: dict[int, IO[bytes]] = {}
        self._ended: dict[int, subprocess.CompletedProcess[bytes]] = {}
        self._numbers = itertools.count(1)
        self.fails, self.asked = "", list[str]()

    @property
    def open(self) -> int:
        return len(self._files)

    def __call__(self, uuid: str, command: Mapping[str, Any], timeout: float = 5) -> Any:
        name, given = str(command["execute"]), command.get("arguments", {})
        self.asked.append(name)
        if name == self.fails:
            raise AgentError(f"{name}: no space left on device", code=86)
        try:
            return getattr(self, "_" + name.replace("-", "_"))(**{k.replace("-", "_"): v for k, v in given.items()})
        except OSError as error:
            raise AgentError(str(error), code=86) from error

    def _guest_file_open(self, path: str, mode: str) -> int:
        number = next(self._numbers)
        self._files[number] = Path(path).open(f"{mode}b")  # noqa: SIM115  (the agent holds it until it is told)
        return number

    def _guest_file_write(self, handle: int, buf_b64: str) -> dict[str, int]:
        return {"count": self._files[handle].write(base64.b64decode(buf_b64))}

    def _guest_file_read(self, handle: int, count: int) -> dict[str, Any]:
        data = self._files[handle].read(count)
        return {"count": len(data), "buf-b64": base64.b64encode(data).decode(), "eof": len(data) < count}

    def _guest_file_close(self, handle: int) -> dict[str, Any]:
        self._files.pop(handle).close()
        return {}

    def _guest_exec(self, path: str, arg: list[str], capture_output: bool) -> dict[str, int]:
        number = next(self._numbers)
        self._ended[number] = subprocess.run([path, *arg], check=False, capture_output=capture_output)
        return {"pid": number}

    def _guest_exec_status(self, pid: int) -> dict[str, Any]:
        done = self._ended.pop(pid)
        said = {"out-data": base64.b64encode(done.stdout).decode(), "err-data": base64.b64encode(done.stderr).decode()}
        return {"exited": True, "exitcode": done.returncode, **said}


@pytest.fixture
def agent(house: House, monkeypatch: pytest.MonkeyPatch) -> Agent:
    house.up(WEB)
    made = Agent()
    monkeypatch.setattr(MemoryHost, "domain_agent", lambda _, *words: made(*words))
    monkeypatch.setattr(MemoryHost, "simulated", False)
    return made


@pytest.fixture
def guest(tmp_path: Path) -> Path:
    folder = tmp_path / "guest's own"
    folder.mkdir()
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "source"
    file.write_bytes(bytes(range(256)) * 800)
    file.chmod(0o750)
    return file


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_new_file_has_what_its_source_has(house: House, agent: Agent, guest: Path, source: Path) -> None:
    assert guests.put(house.session, STACK, "web", source, str(guest / "page")) == source.stat().st_size
    assert (guest / "page").read_bytes() == source.read_bytes()
    assert (guest / "page").stat().st_mode & 0o777 == 0o750
    assert (names(guest), agent.open) == (["page"], 0)


def test_a_file_that_is_there_keeps_mode_and_owner_also_behind_a_link(house: House, agent: Agent, guest: Path, source: Path) -> None:
    (guest / "page").write_text("old")
    (guest / "page").chmod(0o640)
    (guest / "link").symlink_to("page")
    if os.getuid() == 0:
        os.chown(guest / "page", 12, 34)
    before = (guest / "page").stat()
    guests.put(house.session, STACK, "web", source, str(guest / "link"))
    after = (guest / "page").stat()
    assert (guest / "page").read_bytes() == source.read_bytes()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert names(guest) == ["link", "page"]


@pytest.mark.parametrize("fails", ["guest-file-write", "guest-file-open", "guest-file-close"])
def test_a_copy_that_fails_leaves_the_target_as_it_was(house: House, agent: Agent, guest: Path, source: Path, fails: str) -> None:
    (guest / "page").write_text("old")
    agent.fails = fails
    with pytest.raises(ServiceError, match="no space left"):
        guests.put(house.session, STACK, "web", source, str(guest / "page"))
    assert (guest / "page").read_text() == "old"
    assert names(guest) == ["page"]
    assert agent.open == (fails == "guest-file-close")


def test_a_source_that_cannot_be_read_further_leaves_nothing(house: House, agent: Agent, guest: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ServiceError, match="Is a directory"):
        guests.put(house.session, STACK, "web", tmp_path / "folder", str(guest / "page"))
    assert names(guest) == []


def test_what_is_no_file_is_written_as_it_stands_and_a_folder_is_told(house: House, agent: Agent, guest: Path, source: Path) -> None:
    guests.put(house.session, STACK, "web", source, "/dev/null")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(ServiceError, match="is a folder"):
        guests.put(house.session, STACK, "web", source, str(guest))
    assert names(guest) == []


def test_a_guest_without_a_shell_takes_files_too(house: House, agent: Agent, guest: Path, source: Path) -> None:
    agent.fails = "guest-exec"
    guests.put(house.session, STACK, "web", source, str(guest / "page"))
    assert (guest / "page").read_bytes() == source.read_bytes()


def test_what_comes_out_takes_the_place_of_what_is_here_when_it_is_whole(house: House, agent: Agent, guest: Path, source: Path, tmp_path: Path) -> None:
    here = tmp_path / "here" / "page"
    here.parent.mkdir()
    here.write_text("old")
    here.chmod(0o604)
    reading: Callable[..., Any] = agent._guest_file_read

    def breaks(handle: int, count: int) -> Any:
        if agent.asked.count("guest-file-read") > 1:
            raise OSError("Input/output error")
        return reading(handle, count)

    agent._guest_file_read = breaks  # type: ignore[method-assign]
    with pytest.raises(ServiceError, match="Input/output error"):
        guests.get(house.session, STACK, "web", str(source), here)
    assert (here.read_text(), names(here.parent), agent.open) == ("old", ["page"], 0)
    agent._guest_file_read = reading  # type: ignore[method-assign]
    assert guests.get(house.session, STACK, "web", str(source), here) == source.stat().st_size
    assert here.read_bytes() == source.read_bytes()
    assert here.stat().st_mode & 0o777 == 0o604
    assert (names(here.parent), agent.open) == (["page"], 0)
    guests.get(house.session, STACK, "web", str(source), Path("/dev/null"))
    assert Path("/dev/null").is_char_device()
