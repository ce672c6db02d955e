"""What a run of the contract on some host says at its end: how many checks held, and which did not apply to which types, with the reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

HOSTS = {
    "contract/test_contract.py": "memory://", "contract/test_libvirt_test_driver.py": "test:///", "real/test_types.py": "QEMU",
    "real/test_containers_on_lxc.py": "LXC", "real/test_contract_on_any_host.py": "the host of STACKENGINE_CONTRACT_URI", "xen/": "Xen",
}  # fmt: skip
"""Where tests of the contract stand -> the host that they are on."""
_TEST = re.compile(r"([\w/]+\.py)::test_a_type_keeps_the_contract\w*\[(.*?)(SE::\w+)")


def lines(passed: Iterable[Any], failed: Iterable[Any], skipped: Iterable[Any]) -> Iterator[str]:
    """Of pytest's reports."""
    held, broken = (Counter(host for r in reports if getattr(r, "when", "") == "call" and (host := _host(r.nodeid))) for reports in (passed, failed))
    idle: dict[str, dict[str, Counter[str]]] = {}
    for report in skipped:
        host, found = _host(report.nodeid), _TEST.search(report.nodeid)
        if host and found:
            reason = str(report.longrepr[2]).removeprefix("Skipped: ")
            idle.setdefault(host, {}).setdefault(reason, Counter())[found.group(3)] += 1
    for host in sorted({*held, *broken, *idle}):
        reasons = idle.get(host, {})
        yield f"contract on {host}: {held[host]} checks held, {broken[host]} failed, {sum(c.total() for c in reasons.values())} did not apply"
        for reason, types in sorted(reasons.items(), key=lambda r: -r[1].total()):
            yield f"  {types.total()} × {reason}: {', '.join(sorted(types))}"


def _host(nodeid: str) -> str:
    found = _TEST.search(nodeid)
    return next((host for place, host in HOSTS.items() if found and place in found.group(1)), "")
