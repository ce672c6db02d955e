"""(g) Load: many guests on one host beside the floor, the placement of many servers on many hosts, and what the limits of a host cost."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench.guests import PARTS, measure_count
from bench.private import bench_host
from bench.table import Row, Section
from stackengine.planning.placement import SCHEDULERS, HostFacts, Wanted, place
from stackengine.service.slots import Slots

CROWD = 1.2
"""The bar of 10 and 50 guests, over the floor."""
SERVERS = 1000


def placement(scheduler: str, runs: int) -> Row:
    """Seconds to place 1,000 servers of one plan on 1,000 hosts, every tenth of them apart from the others."""
    hosts = [HostFacts(f"memory://{n}", 16, 65_536, zone=f"z{n % 4}") for n in range(SERVERS)]
    wanted = [Wanted(f"s{n}", 1 + n % 8, 512 * (1 + n % 8), apart="spread" if n % 10 == 0 else "") for n in range(SERVERS)]
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        found = place(wanted, hosts, scheduler)
        times.append(time.perf_counter() - start)
        assert len(found.on) == SERVERS
    return Row(f"{SERVERS} servers on {SERVERS} hosts, scheduler {scheduler}", times, 1.0, "s")


def slots(runs: int) -> Row:
    """Seconds for a thousand slots that count across processes, taken and given back one by one."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs):
            some = Slots({}, Path(folder))
            start = time.perf_counter()
            for number in range(1000):
                assert some.room("memory://", "guest-start")
                some.take(str(number), "memory://", "guest-start")
                some.free(str(number))
            times.append(time.perf_counter() - start)
    return Row("1000 slots of a host taken and given back", times, 0.25, "s")


def measure(quick: bool) -> Section:
    """All lines of this part."""
    rows = [*(placement(scheduler, 3 if quick else 10) for scheduler in SCHEDULERS), slots(3 if quick else 10)]
    with bench_host() as (session, host, folder):
        for count, runs in ((10, 1),) if quick else ((10, 3), (50, 1)):
            turns = measure_count(session, host.libvirt_uri, folder, count, runs)
            for part in PARTS:
                rows.append(Row(f"{count} guests {part}: wall over floor", turns.ratios(part), CROWD))
                rows.append(Row(f"{count} guests {part}: engine", turns.engine[part], None, "s"))
                rows.append(Row(f"{count} guests {part}: our own CPU", turns.cpu[part], None, "s"))
    text = (
        "Guests as in (b); on two cores without acceleration fifty of them boot for minutes, so of these there is one turn. Of guests that start, as many "
        "at a time as the host has cores, which is also how the floor does it. Placement is computation only: the whole plan at once, the largest first. "
        "Slots are file locks, which count among all processes of the machine."
    )
    return Section("(g) Load", text, rows)
