"""What libvirt says of a guest's state, and what is made of it."""

from __future__ import annotations

import pytest

pytest.importorskip("libvirt")


class Guest:
    """What libxl's driver answers of a guest that has powered off: shut off, and active until its disks are let go of."""

    def __init__(self, *, active: bool, saved: bool = False) -> None:
        self._active, self._saved = active, saved

    def info(self) -> list[int]:
        return [5, 131_072, 131_072, 1, 0]

    def isActive(self) -> int:  # noqa: N802  (libvirt's name)
        return int(self._active)

    def hasManagedSaveImage(self, _flags: int) -> int:  # noqa: N802
        return int(self._saved)

    def XMLDesc(self, _flags: int) -> str:  # noqa: N802
        return "<domain/>"

    def UUIDString(self) -> str:  # noqa: N802
        return "11111111-1111-4111-8111-111111111111"

    def name(self) -> str:
        return "se-a-b"


@pytest.mark.parametrize(
    ("guest", "state"), [(Guest(active=True), "running"), (Guest(active=False), "shutoff"), (Guest(active=False, saved=True), "saved")]
)
def test_a_guest_is_shut_off_only_when_its_host_has_let_go_of_it(guest: Guest, state: str) -> None:
    from stackengine.hosts.libvirt.host import _info

    assert _info(guest).state == state
