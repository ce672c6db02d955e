"""How many actions run on a host at a time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from stackengine.hosts.memory.faults import Faults
from stackengine.service import inventory
from stackengine.service.slots import LIMITS, Slots
from unit.service.house import House

pytestmark = pytest.mark.thorough

THREE = "".join(f"s{n}: {{type: 'SE::Server', properties: {{image: tiny, networks: []}}}}\n" for n in range(3))


def test_limits_count_by_kind_and_in_all(tmp_path: Path) -> None:
    slots = Slots({"": {"total": 3}, "b": {"call": 1}}, None)
    for number in range(3):
        assert slots.room("a", "call")
        slots.take(f"a{number}", "a", "call")
    assert not slots.room("a", "image-copy")
    slots.take("b0", "b", "call")
    assert not slots.room("b", "call")
    assert slots.room("b", "guest-start")
    slots.free("b0")
    assert slots.room("b", "call")


def test_what_strains_a_host_counts_across_processes(tmp_path: Path) -> None:
    one, other = (Slots({"a": {"guest-start": 2}}, tmp_path) for _ in range(2))
    for key in ("1", "2"):
        assert one.room("a", "guest-start")
        one.take(key, "a", "guest-start")
    assert not other.room("a", "guest-start")
    assert other.room("b", "guest-start")
    one.free("1")
    assert other.room("a", "guest-start")
    assert not one.room("a", "guest-start")
    other.close()
    assert one.room("a", "guest-start")
    one.close()
    assert other.room("a", "image-copy")
    other.close()


def test_guests_of_one_host_start_as_many_at_a_time_as_is_said(house: House) -> None:
    inventory.write(house.folder, inventory.Inventory(limits={"guest-start": 1}))
    inside, most = [0], [0]

    def before(call: str, _total: int) -> None:
        if call == "domain_start":
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.02)

    def after(call: str, _total: int) -> None:
        inside[0] -= call == "domain_start"

    house.host.faults = Faults(before=before, after=after)
    assert house.up(THREE).status == "complete"
    assert most == [1]


def test_an_operation_waits_for_a_slot_that_another_process_has(house: House) -> None:
    others = Slots({}, house.folder / "locks")
    for number in range(LIMITS["guest-start"]):
        assert others.room("memory://", "guest-start")
        others.take(str(number), "memory://", "guest-start")
    threading.Timer(0.3, others.close).start()
    started = time.monotonic()
    assert house.up(THREE).status == "complete"
    assert time.monotonic() - started > 0.25
