"""The unit that brings everything back after a reboot: printed, written, and taken away; what it runs is one command."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from stackengine import service
from stackengine.service import revival
from stackengine.service.types import Settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder, and a systemctl that notes how it was called."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "systemctl"
    program.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    return tmp_path


def test_it_is_written_for_the_user_enabled_and_taken_away(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/srv/state")
    file, enabled = revival.install("")
    assert (file, enabled) == (home / "config" / "systemd" / "user" / "stackengine.service", True)
    text = file.read_text()
    assert "hosts autostart --now" in text
    assert 'Environment="XDG_STATE_HOME=/srv/state"' in text
    assert "WantedBy=default.target" in text
    assert "--state /elsewhere" in revival.unit("/elsewhere")
    revival.remove()
    assert not file.exists()
    assert (home / "calls").read_text().splitlines() == [
        "--user daemon-reload", "--user enable stackengine.service", "--user disable stackengine.service", "--user daemon-reload",
    ]  # fmt: skip


def test_without_systemd_the_file_is_there_and_that_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home))
    file, enabled = revival.install("")
    assert (file.exists(), enabled) == (True, False)


def test_simulated_hosts_need_nothing(home: Path) -> None:
    with service.open(Settings(state=str(home / "state"), host="memory://")) as session:
        session.store.record(session.store.fresh("s", "memory://", "hot"))
        assert revival.revive(session) == []
