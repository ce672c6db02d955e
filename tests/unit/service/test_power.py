"""Power of servers is desired state."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from stackengine.sdk import Cancelled, RefusedError
from stackengine.service import power
from stackengine.service.drift import look
from stackengine.service.stacks import carry_out, preview_rollback
from stackengine.service.types import ServiceError
from unit.service.house import STACK, House

pytestmark = pytest.mark.thorough

TWO = """
net: {type: 'SE::Network', properties: {cidr: 10.9.0.0/24}}
a: {type: 'SE::Server', properties: {image: tiny, networks: [{network: {get_resource: net}}]}}
b: {type: 'SE::Server', properties: {image: tiny, networks: [{network: {get_resource: net}}]}}
"""


def states(house: House) -> list[str]:
    return sorted(d.state for d in house.host.domain_list())


def test_a_stack_stops_stands_still_and_goes_on_and_drift_knows_of_it(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.up(TWO)
    stopped = carry_out(house.session, power.preview_power(house.session, STACK, ["a"], "stopped"))
    assert (stopped.status, states(house)) == ("complete", ["running", "shutoff"])
    assert not look(house.session, STACK).differences
    carry_out(house.session, power.preview_power(house.session, STACK, [], "suspended"))
    assert states(house) == ["saved", "shutoff"]
    assert not look(house.session, STACK).differences
    carry_out(house.session, power.preview_power(house.session, STACK, [], "running"))
    assert states(house) == ["running", "running"]
    carry_out(house.session, preview_rollback(house.session, STACK))
    assert states(house) == ["saved", "saved"]
    house.up(TWO)
    assert states(house) == ["running", "running"]
    assert power.reboot(house.session, STACK, ["b"]) == ["b"]


def test_who_stands_still_is_not_waited_for(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.up(TWO.replace("image: tiny,", "image: tiny, ready: {gate: agent},"))
    assert carry_out(house.session, power.preview_power(house.session, STACK, [], "suspended")).status == "complete"


def test_servers_that_are_not_there_are_told(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.up(TWO)
    with pytest.raises(ServiceError, match="has no server net"):
        power.preview_power(house.session, STACK, ["net"], "stopped")


def test_a_host_that_hangs_does_not_keep_a_reboot_from_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house, hangs = House(tmp_path), threading.Event()
    house.up(TWO)
    checks: list[Callable[[], None]] = []

    def reboot(uuid: str, timeout: float, check: Callable[[], None]) -> None:
        checks.append(check)
        if len(checks) == 1:
            hangs.wait(60)
        raise RefusedError("it does not stop", code=1)

    monkeypatch.setattr(house.host, "domain_reboot", reboot)
    with pytest.raises(ServiceError, match="does not stop"):
        power.reboot(house.session, STACK, [])
    assert not hangs.is_set(), "one of them is still at it"
    with pytest.raises(Cancelled):
        checks[0]()
    assert all(t.daemon for t in threading.enumerate() if t.name.startswith("action-")), "and holds nobody up"
    hangs.set()
