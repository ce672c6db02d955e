"""How the tiny guest tells how it went: by HTTP, and where nobody answers, by what its hypervisor reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unit.guest.conftest import BUSYBOX, Guest

NOBODY = "http://127.0.0.1:1/v1/signal/h-1/secret"
pytestmark = pytest.mark.skipif(
    not BUSYBOX or Path("/dev/virtio-ports/org.stackengine.signal.0").exists(), reason="busybox is not installed, or this machine is a guest of ours"
)


def test_a_guest_without_a_channel_tries_http_once_and_then_uses_its_console(guest: Guest) -> None:
    done = guest.run(f"stack-signal {NOBODY} FAILURE 'some \"data\"'")
    assert done.stderr.count("curl: (7)") == 1
    line = guest.console.strip()
    assert line.startswith("stack-signal: ")
    said = json.loads(line.removeprefix("stack-signal: "))
    assert said == {"handle": "h-1", "token": "secret", "status": "FAILURE", "data": 'some "data"', "reason": ""}
